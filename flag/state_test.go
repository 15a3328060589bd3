package flag_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

var errAway = errors.New("the source is away")

// kept is a store on a source and a state that a test can start again.
type kept struct {
	*flag.Store
	src  *source
	path string
	told []flag.LoadInfo
}

func newKept(t *testing.T, document string) *kept {
	k := &kept{src: &source{data: document}, path: filepath.Join(t.TempDir(), "flags.state")}
	k.start()
	return k
}

// start begins anew, as another process does; it loads nothing.
func (k *kept) start() {
	k.told = nil
	k.Store = flag.New(k.src, flag.Options{
		State:    k.path,
		OnLoad:   func(info flag.LoadInfo) { k.told = append(k.told, info) },
		OnChange: func(flag.ChangeInfo) {},
	})
}

// again starts with the source away and loads.
func (k *kept) again(t *testing.T) {
	t.Helper()
	data := k.src.data
	k.src.put("", errAway)
	k.start()
	require.ErrorIs(t, k.Load(t.Context()), errAway)
	k.src.put(data, nil)
}

// statuses is every flag without what a process counts for itself.
func (k *kept) statuses() (all []flag.Status) {
	for status := range k.All() {
		status.Revision, status.Since, status.Counts = 0, 0, nil
		if !status.Overlaid {
			status.Change, status.Changed = flag.Change{}, time.Time{}
		}
		status.Changed = status.Changed.UTC().Round(0)
		for i := range status.Laid {
			status.Laid[i].At = status.Laid[i].At.UTC().Round(0)
		}
		all = append(all, status)
	}
	return all
}

// TestStateKeepsEverything: after a restart with the source away, every flag serves as
// it did, and says so; what changed it and when is known.

func TestStateKeepsEverything(t *testing.T) {
	k := newKept(t, `{"flags": {"a": {}, "b": {}, "c": {"variants": {"x": "1", "y": "2"}, "serve": "x"}, "d": {}, "e": {}, "f": {"ramp": {"percent": 3}}}}`)
	require.NoError(t, k.Load(t.Context()))
	by := func(name string) flag.Change { return flag.Change{Actor: name, Reason: "because \u2028 <of> \"it\""} }
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	require.NoError(t, k.Kill("a", by("ann")))
	require.NoError(t, k.SetRamp("b", flag.Ramp{Share: 12345, Salt: "s", By: "country", Schedule: []flag.Point{{At: at, Share: 20_001}}, Linear: true}, by("ben")))
	require.NoError(t, k.Override("c", "y", by("cat")))
	_, err := k.Toggle("d", by("dan"))
	require.NoError(t, err)
	require.NoError(t, k.Put("e", flag.FeatureFlag{Variants: map[string]any{"n": int64(12345678901234567)}, Serve: "n"}, by("eve")))
	require.NoError(t, k.Create("new", flag.FeatureFlag{Serve: "on", Description: "a new one"}, by("new")))
	require.NoError(t, k.Kill("new", by("nick")))
	require.NoError(t, k.Kill("f", by("fay")))
	require.NoError(t, k.Clear("f", by("fay")))
	want := k.statuses()
	require.Len(t, want, 7)
	def, err := k.Definition("e")
	require.NoError(t, err)
	for range 3 {
		k.again(t)
		require.Equal(t, want, k.statuses())
		got, err := k.Definition("e")
		require.NoError(t, err)
		require.Equal(t, def, got)
		require.Len(t, k.told, 1)
		require.True(t, k.told[0].Refused)
		require.WithinDuration(t, time.Now(), k.told[0].Restored, time.Hour)
		require.EqualError(t, k.Err(), fmt.Sprintf("flag: load document: the source is away; what serves is the document of %s, as %s has it", k.told[0].Restored.UTC().Format(time.RFC3339), k.path))
	}
	// The source is back with the same document, and then with another.
	require.NoError(t, k.Load(t.Context()))
	require.NoError(t, k.Err())
	require.Equal(t, want, k.statuses())
	require.Zero(t, k.told[len(k.told)-1].Restored)
	require.NoError(t, k.Load(t.Context()))
	require.Len(t, k.told, 2)
	require.NoError(t, k.Clear("e", me))
	require.NoError(t, k.Clear("new", me))
	k.again(t)
	require.Len(t, k.statuses(), 6)
	for _, status := range k.statuses() {
		require.Equal(t, status.Key != "e" && status.Key != "f", status.Overlaid, status.Key)
	}
}

// TestStateIsConfirmed: a source that still has the kept document is news, but no
// reason to compile or to write again.

func TestStateIsConfirmed(t *testing.T) {
	k := newKept(t, `{"flags": {"a": {}}}`)
	require.NoError(t, k.Load(t.Context()))
	before, err := os.Stat(k.path)
	require.NoError(t, err)
	k.start()
	require.NoError(t, k.Load(t.Context()))
	require.NoError(t, k.Load(t.Context()))
	require.Len(t, k.told, 1)
	require.Equal(t, flag.LoadInfo{Source: "document", Revision: k.Revision()}, k.told[0])
	after, err := os.Stat(k.path)
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after))
	if mode := after.Mode().Perm(); mode&0o077 != 0 && os.PathSeparator == '/' {
		t.Errorf("others may look into it: %v", mode)
	}
}

// TestStateKeepsTheLastGood: what was wrong in the newest document goes on serving as it
// did, over a restart too.

func TestStateKeepsTheLastGood(t *testing.T) {
	k := newKept(t, `{"flags": {"broken": {"serve": "on"}, "changed": {}, "removed": {"serve": "on"}}}`)
	require.NoError(t, k.Load(t.Context()))
	require.NoError(t, k.Kill("removed", me))
	k.src.put(`{"flags": {"broken": {"serve": "onn"}, "changed": {"serve": "on"}}}`, nil)
	problem := k.Load(t.Context())
	require.ErrorContains(t, problem, "onn")
	require.ErrorContains(t, problem, "missing, but me changed it")
	want := k.statuses()
	require.Len(t, want, 3)
	k.again(t)
	require.Equal(t, want, k.statuses())
	require.ErrorContains(t, k.Err(), "onn")
	require.ErrorContains(t, k.Err(), "missing, but me changed it")
	require.EqualError(t, k.Load(t.Context()), problem.Error(), "the source is back")
	require.Equal(t, want, k.statuses())
}

// TestStateKeepsWhatNoDocumentHas: a change of a flag that is gone is reported, until
// somebody clears it.

func TestStateKeepsWhatNoDocumentHas(t *testing.T) {
	k := newKept(t, `{"flags": {"gone": {}, "here": {}}}`)
	require.NoError(t, k.Load(t.Context()))
	require.NoError(t, k.SetRamp("gone", flag.Ramp{Share: 5}, me))
	k.src.put(`{"flags": {"here": {}}}`, nil)
	for range 2 {
		k.start()
		require.ErrorContains(t, k.Load(t.Context()), "flags.gone (line 1, column 11): missing, but me changed it at run time (test): clear it first")
	}
	require.NoError(t, k.Kill("gone", me))
	require.NoError(t, k.Clear("gone", me))
	require.NoError(t, k.Load(t.Context()))
	k.start()
	require.NoError(t, k.Load(t.Context()))
}

// TestStateThatIsDamaged: it is never read, and never overwritten.

// TestStateThatIsForeign: what no store has written, or a later one, stays as it is, and
// everything serves but nothing is kept.

// TestStateThatCannotBeRead is left alone, too.

// TestStateThatCannotBeWritten: at whatever step it fails, the change serves, its error
// says that it is not kept, the old state is whole, and once it can be written it is.

// TestStateIsSyncedInOrder: the text before its name, and the name before the call
// returns.

// TestStateHoldsNobodyUp: while a change is written it serves already, and whoever asks
// for anything else waits for no disk.

func TestStateHoldsNobodyUp(t *testing.T) {
	k := newKept(t, `{"flags": {"a": {}}}`)
	require.NoError(t, k.Load(t.Context()))
	steps := 0
	k.Fault(func(string) error {
		steps++
		require.NoError(t, k.Err())
		require.True(t, k.statuses()[0].Killed)
		_, err := k.Preview(func(s *flag.Store) error { return s.Revive("a", me) })
		return err
	})
	require.NoError(t, k.Kill("a", me))
	require.Equal(t, 5, steps)
}

// TestStateOfManyAtOnce: changes at the same time are all kept when their calls return.

func TestStateOfManyAtOnce(t *testing.T) {
	const writers, changes = 8, 15
	k := newKept(t, `{"flags": {"0": {}, "1": {}, "2": {}, "3": {}, "4": {}, "5": {}, "6": {}, "7": {}}}`)
	require.NoError(t, k.Load(t.Context()))
	var writes int // guarded by the state, whose step this is
	k.Fault(func(step string) error {
		if step == "create" {
			writes++
		}
		return nil
	})
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for i := range changes {
				if err := k.SetRamp(fmt.Sprint(w), flag.Ramp{Share: flag.Share(i + 1)}, me); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	require.LessOrEqual(t, writes, writers*changes)
	k.again(t)
	for _, status := range k.statuses() {
		require.EqualValues(t, changes, status.Ramp.Share)
	}
}

// TestStateOfTwoStores: what one has changed is not lost by what the other keeps, which is
// told, until it has read that.
func TestStateOfTwoStores(t *testing.T) {
	one := newKept(t, `{"flags": {"a": {}, "b": {}}}`)
	two := &kept{src: one.src, path: one.path}
	two.start()
	require.NoError(t, two.Load(t.Context()))
	require.NoError(t, one.Load(t.Context()))
	// Both follow one source: nothing is lost by who writes its document.
	for i := range 4 {
		one.src.put(fmt.Sprintf(`{"flags": {"a": {}, "b": {"description": "%d"}}}`, i), nil)
		require.NoError(t, one.Load(t.Context()))
		require.NoError(t, two.Load(t.Context()))
	}
	require.NoError(t, one.Kill("a", me))
	err := two.Kill("b", me)
	require.ErrorIs(t, err, flag.ErrNotKept)
	require.ErrorIs(t, err, flag.ErrShared)
	require.EqualError(t, err, "flag: kill b: serves, but is not kept in "+one.path+": another store writes it, too, and has kept there what was changed since: give each store a file of its own, or start this one anew, which reads that")
	require.True(t, two.statuses()[1].Killed)
	require.ErrorIs(t, two.Err(), flag.ErrShared)
	one.src.put(`{"flags": {"a": {}, "b": {}, "c": {}}}`, nil)
	require.ErrorIs(t, two.Load(t.Context()), flag.ErrShared, "the document serves, and is not kept")
	require.NoError(t, one.SetRamp("b", flag.Ramp{Share: 1}, me))
	two.again(t)
	require.NotErrorIs(t, two.Err(), flag.ErrShared)
	require.Equal(t, []bool{true, false}, []bool{two.statuses()[0].Killed, two.statuses()[1].Killed})
	require.NoError(t, two.Kill("b", me))
	require.ErrorIs(t, one.Kill("b", me), flag.ErrShared, "it is the other's by now")
}

// TestStateOfPuts: a store without a source keeps what was put.

func TestStateOfPuts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.state")
	open := func() *flag.Store {
		return flag.New(nil, flag.Options{State: path, OnChange: func(flag.ChangeInfo) {}})
	}
	store := open()
	require.NoError(t, store.Load(t.Context()))
	require.NoError(t, store.Create("a", flag.FeatureFlag{Serve: "on"}, me))
	require.NoError(t, store.Kill("a", me))
	store = open()
	require.ErrorIs(t, store.Create("b", flag.FeatureFlag{}, me), flag.ErrNotKept, "before what is there was read")
	require.ErrorIs(t, store.Create("a", flag.FeatureFlag{}, me), flag.ErrNotKept)
	require.NoError(t, store.Load(t.Context()))
	require.NoError(t, store.Load(t.Context()))
	store = open()
	require.NoError(t, store.Load(t.Context()))
	got := ""
	for status := range store.All() {
		got += fmt.Sprintln(status.Key, status.Serve, status.Killed)
	}
	require.Equal(t, "a off false\nb off false\n", got, "what this process has changed wins")
}

// TestStateLeavesNoLitter: what a killed process was writing goes away, but nothing
// that may be another's.

// TestStateUnderRun tells the story of a restart: the source is away, the last good copy
// serves and says so, a kill holds, and everything is well when the source is back.

func TestStateUnderRun(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	k := newKept(t, `{"flags": {"killed": {"serve": "on"}, "steady": {"serve": "on"}}}`)
	require.NoError(t, k.Load(t.Context()))
	require.NoError(t, k.Kill("killed", me))
	synctest.Test(t, func(t *testing.T) {
		src := &source{err: errAway}
		store := flag.New(src, flag.Options{State: k.path})
		err := store.Load(t.Context())
		require.ErrorIs(t, err, errAway)
		require.ErrorContains(t, err, "what serves is the document of")
		go store.Run(t.Context())
		subject := flag.For("u")
		killed, steady := flag.Bool("killed", false), flag.Bool("steady", false)
		for _, document := range []string{"", `{"flags": {"killed": {"serve": "on"}, "steady": {}}}`} {
			if document != "" {
				src.put(document, nil)
			}
			time.Sleep(10 * time.Second)
			synctest.Wait()
			require.False(t, killed.Value(store, &subject))
			require.Equal(t, document == "", steady.Value(store, &subject))
			require.Equal(t, document == "", store.Err() != nil)
		}
	})
	require.Contains(t, log.String(), "the document is right again")
}
