package flag_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/internal/scenario"
	"github.com/stretchr/testify/require"
)

// TestStories plays every story on virtual time. testdata/stories/README.txt lists the
// commands.
func TestStories(t *testing.T) {
	paths, err := filepath.Glob("testdata/stories/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			story, err := scenario.Read(path)
			require.NoError(t, err)
			state := filepath.Join(t.TempDir(), "flags.state")
			synctest.Test(t, func(t *testing.T) {
				s := &life{T: t, state: state, actor: flag.Change{Actor: "ann", Reason: "because"}}
				story.Play(s.do)
			})
			if err := story.Check(*update); err != nil {
				t.Error(err)
			}
		})
	}
}

// life is the service whose flags a story is about.
type life struct {
	*testing.T
	state  string // the file
	keeps  bool   // whether it is used
	strict bool
	text   string
	away   error
	store  *flag.Store
	actor  flag.Change
	told   []string // since the command before
}

func (s *life) String() string { return "flags.json" }

// Read makes it a source.
func (s *life) Read(context.Context) ([]byte, error) { return []byte(s.text), s.away }

// begin is a new process.
func (s *life) begin() {
	s.store = flag.New(s, flag.Options{
		Strict: s.strict,
		State:  map[bool]string{true: s.state}[s.keeps],
		OnLoad: func(flag.LoadInfo) {},
		OnChange: func(c flag.ChangeInfo) {
			s.told = append(s.told, strings.TrimSpace(fmt.Sprintf("log: %s %s %s", c.Op, c.Key, c.To))+fmt.Sprintf(", by %s: %s", c.Change.Actor, c.Change.Reason))
		},
	})
}

func (s *life) do(c scenario.Command) string {
	said := s.command(c)
	lines := s.told
	s.told = nil
	if said != "" {
		lines = append(lines, strings.Split(strings.ReplaceAll(said, filepath.Dir(s.state)+string(os.PathSeparator), ""), "\n")...)
	}
	return strings.Join(lines, "\n")
}

func (s *life) command(c scenario.Command) string {
	key, rest := "", ""
	if len(c.Args) > 0 {
		key = c.Args[0]
		rest = strings.TrimSpace(strings.TrimPrefix(c.Text, key))
	}
	verb := func(err error) string { return plain(err) }
	switch c.Name {
	case "keeps": // a state file
		s.keeps = true
		return ""
	case "strict":
		s.strict = true
		return ""
	case "document":
		s.text, s.away = c.Text, nil
		return ""
	case "away":
		s.away = errors.New("connection refused")
		return ""
	case "start", "load":
		if c.Name == "start" {
			s.begin()
		}
		return plain(s.store.Load(context.Background()))
	case "wait":
		d, err := time.ParseDuration(key)
		require.NoError(s, err)
		time.Sleep(d)
		return ""
	case "who": // acts from now on
		s.actor.Actor, s.actor.Reason = key, strings.Trim(rest, `" `)
		return ""
	case "saw": // the flag as it is
		status, err := s.store.Status(key)
		require.NoError(s, err)
		s.actor.Revision = status.Revision
		return ""
	case "saw-nothing":
		s.actor.Revision = 0
		return ""
	case "preview":
		return s.preview(scenario.Command{Name: key, Args: c.Args[1:], Text: rest})
	case "ask":
		return s.ask(key, c.Args[1:])
	case "explain":
		subject := subjectOf(c.Args[1], c.Args[2:])
		return s.store.Explain(key, &subject).String()
	case "replay": // a decision that is recorded now, on a proposed document
		return s.replay(key, c.Args[1], strings.TrimSpace(strings.TrimPrefix(rest, c.Args[1])))
	case "status":
		return s.status(key)
	}
	return verb(s.verb(s.store, c, key, rest))
}

// verb is a change at run time.
func (s *life) verb(store *flag.Store, c scenario.Command, key, rest string) error {
	switch c.Name {
	case "kill":
		return store.Kill(key, s.actor)
	case "revive":
		return store.Revive(key, s.actor)
	case "clear":
		return store.Clear(key, s.actor)
	case "override":
		return store.Override(key, rest, s.actor)
	case "ramp":
		return store.SetRamp(key, flag.Ramp{Share: s.share(c.Args[1])}, s.actor)
	case "advance":
		_, err := store.Advance(key, s.share(c.Args[1]), s.share(c.Args[3]), s.actor)
		return err
	case "toggle":
		_, err := store.Toggle(key, s.actor)
		return err
	case "create", "put":
		doc, err := flag.Parse([]byte(`{"flags": {"` + key + `": ` + rest + `}}`))
		require.NoError(s, err)
		if c.Name == "create" {
			return store.Create(key, doc.Flags[key], s.actor)
		}
		return store.Put(key, doc.Flags[key], s.actor)
	case "rebalance":
		var split flag.Split
		for _, part := range c.Args[1:] {
			name, share, _ := strings.Cut(part, "=")
			split.Parts = append(split.Parts, flag.Part{Serve: name, Share: s.share(share)})
		}
		return store.Rebalance(key, split, s.actor)
	}
	s.Fatalf("unknown command %q", c.Name)
	return nil
}

func (s *life) share(text string) flag.Share {
	share, err := flag.ParseShare(text)
	require.NoError(s, err)
	return share
}

// preview says who would move.
func (s *life) preview(c scenario.Command) string {
	set, err := s.store.Preview(func(store *flag.Store) error {
		rest := ""
		if len(c.Args) > 0 {
			rest = strings.TrimSpace(strings.TrimPrefix(c.Text, c.Args[0]))
		}
		return s.verb(store, c, c.Args[0], rest)
	})
	if err != nil {
		return plain(err)
	}
	return flag.Diff(s.store.Snapshot(), set, nil).String()
}

func subjectOf(key string, facts []string) flag.Subject {
	var all []flag.Fact
	for _, fact := range facts {
		name, value, _ := strings.Cut(fact, "=")
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			all = append(all, flag.Attr[int64](name).Is(n))
		} else {
			all = append(all, flag.Attr[string](name).Is(value))
		}
	}
	return flag.For(key, all...)
}

// ask says what some subjects get: "anna", or "100" for a hundred of them.
func (s *life) ask(key string, who []string) string {
	ref := flag.ByKey[any](key, nil)
	if n, err := strconv.Atoi(who[0]); err == nil {
		counts := map[string]int{}
		for i := range n {
			subject := subjectOf("user-"+strconv.Itoa(i), who[1:])
			counts[ref.Decide(s.store, &subject).Variant]++
		}
		var lines []string
		for _, name := range slices.Sorted(maps.Keys(counts)) {
			lines = append(lines, fmt.Sprintf("%d get %s", counts[name], orDefault(name)))
		}
		return strings.Join(lines, ", ")
	}
	subject := subjectOf(who[0], who[1:])
	d := ref.Decide(s.store, &subject)
	return fmt.Sprintf("%s (%v)", orDefault(d.Variant), d.Reason)
}

func orDefault(variant string) string {
	if variant == "" {
		return "the caller's default"
	}
	return variant
}

func (s *life) replay(key, who, document string) string {
	subject := subjectOf(who, nil)
	was := s.store.Explain(key, &subject)
	doc, err := flag.Parse([]byte(document))
	require.NoError(s, err)
	set, err := flag.Compile(doc)
	require.NoError(s, err)
	is, err := set.Replay(was)
	if err != nil {
		return plain(err)
	}
	return fmt.Sprintf("it was %s, and would be %s", orDefault(was.Variant), orDefault(is.Variant))
}

func (s *life) status(key string) string {
	st, err := s.store.Status(key)
	if err != nil {
		return plain(err)
	}
	var is []string
	for _, one := range []struct {
		name string
		on   bool
	}{{"killed", st.Killed}, {"disabled", st.Disabled}, {"quarantined", st.Quarantined}, {"put", st.Put}} {
		if one.on {
			is = append(is, one.name)
		}
	}
	if st.Override != "" {
		is = append(is, "override "+st.Override)
	}
	if st.Ramp.Serve != "" {
		is = append(is, fmt.Sprintf("ramp %v", st.Ramp.Share))
	}
	said := fmt.Sprintf("%s; changed by %s at %s: %s", strings.Join(is, ", "), st.Change.Actor, st.Changed.UTC().Format(time.TimeOnly), st.Change.Reason)
	if st.Overlaid && st.OverlaidBy != st.Change {
		said += fmt.Sprintf("; what lies over the document is by %s: %s", st.OverlaidBy.Actor, st.OverlaidBy.Reason)
	}
	return said
}

// plain is an error as it is read.
func plain(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
