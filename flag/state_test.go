package flag_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
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
	require.NoError(t, k.Put("e", flag.FeatureFlag{Variants: map[string]any{"n": 12345678901234567}, Serve: "n"}, by("eve")))
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
	require.Equal(t, flag.LoadInfo{Source: "document", Revision: 1}, k.told[0])
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
func TestStateThatIsDamaged(t *testing.T) {
	for name, damage := range map[string]func(data []byte) []byte{
		"a bit of the document": func(data []byte) []byte { data[len(data)-3] ^= 1; return data },
		"a bit of the sum":      func(data []byte) []byte { return bytes.Replace(data, []byte(`"sha256":"`), []byte(`"sha256":"0`), 1) },
		"its end":               func(data []byte) []byte { return data[:len(data)-1] },
		"more":                  func(data []byte) []byte { return append(data, '\n') },
		"its beginning alone":   func(data []byte) []byte { return data[:bytes.IndexByte(data, '\n')] },
		"empty":                 func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			k := newKept(t, `{"flags": {"a": {}}}`)
			for i := 1; i <= 2; i++ {
				k.start()
				require.NoError(t, k.Load(t.Context()))
				require.NoError(t, k.Kill("a", me))
				data, err := os.ReadFile(k.path)
				require.NoError(t, err)
				damaged := damage(data)
				require.NoError(t, os.WriteFile(k.path, damaged, 0o600))
				k.start()
				err = k.Load(t.Context())
				aside := fmt.Sprintf("%s.damaged-%d", k.path, i)
				require.ErrorContains(t, err, "flag: keep "+k.path+": damaged: ")
				require.ErrorContains(t, err, ": it is kept as "+aside+", and begun anew")
				require.Len(t, k.told, 1)
				require.Equal(t, err, k.told[0].Err)
				require.False(t, k.told[0].Refused)
				found, err := os.ReadFile(aside)
				require.NoError(t, err)
				require.Equal(t, string(damaged), string(found))
				require.NoError(t, k.Load(t.Context()))
				require.NoError(t, k.Err())
				require.False(t, k.statuses()[0].Killed)
				require.NoError(t, k.Kill("a", me))
				k.again(t)
				require.True(t, k.statuses()[0].Killed)
			}
		})
	}
}

// TestStateThatIsForeign: what no store has written, or a later one, stays as it is, and
// everything serves but nothing is kept.
func TestStateThatIsForeign(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"a document": {`{"flags": {}}`, "is no state of a store, so nothing is kept and it stays as it is"},
		"a text":     {"hello\n", "is no state of a store, so nothing is kept and it stays as it is"},
		"later":      {`{"format": "guidon flag state", "version": 2}` + "\n", "has version 2, want 1, so nothing is kept and it stays as it is"},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKept(t, `{"flags": {"a": {}}}`)
			require.NoError(t, os.WriteFile(k.path, []byte(tt.text), 0o600))
			for range 3 {
				require.EqualError(t, k.Load(t.Context()), "flag: keep "+k.path+": "+tt.want)
				require.EqualError(t, k.Err(), "flag: keep "+k.path+": "+tt.want)
			}
			require.Len(t, k.told, 1)
			err := k.Kill("a", me)
			require.ErrorIs(t, err, flag.ErrNotKept)
			require.EqualError(t, err, "flag: kill a: serves, but is not kept in "+k.path+": "+tt.want)
			require.True(t, k.statuses()[0].Killed)
			data, err := os.ReadFile(k.path)
			require.NoError(t, err)
			require.Equal(t, tt.text, string(data))
			require.NoError(t, os.Remove(k.path))
			require.NoError(t, k.Load(t.Context()), "it is kept as soon as there is a place")
			require.NoError(t, k.Err())
			k.again(t)
			require.True(t, k.statuses()[0].Killed)
		})
	}
}

// TestStateThatCannotBeRead is left alone, too.
func TestStateThatCannotBeRead(t *testing.T) {
	k := newKept(t, `{"flags": {"a": {}}}`)
	require.NoError(t, os.Mkdir(k.path, 0o700))
	require.ErrorContains(t, k.Load(t.Context()), "flag: keep "+k.path+": ")
	require.ErrorIs(t, k.Kill("a", me), flag.ErrNotKept)
	require.NoError(t, os.Remove(k.path))
	require.NoError(t, k.Load(t.Context()))
	k.path = filepath.Join(k.path, "below a file", "flags.state")
	k.start()
	require.Error(t, k.Load(t.Context()))
}

// TestStateThatCannotBeWritten: at whatever step it fails, the change serves, its error
// says that it is not kept, the old state is whole, and once it can be written it is.
func TestStateThatCannotBeWritten(t *testing.T) {
	full := errors.New("no space left on device")
	for _, failing := range []string{"create", "write", "sync", "rename", "sync folder"} {
		t.Run(failing, func(t *testing.T) {
			k := newKept(t, `{"flags": {"a": {}, "b": {}}}`)
			require.NoError(t, k.Load(t.Context()))
			require.NoError(t, k.Kill("b", me))
			old, err := os.ReadFile(k.path)
			require.NoError(t, err)
			fail := func(step string) error {
				if step == failing {
					return full
				}
				return nil
			}
			k.Fault(fail)
			unkept := "serves, but is not kept in " + k.path + ": no space left on device"
			err = k.Kill("a", me)
			require.ErrorIs(t, err, flag.ErrNotKept)
			require.ErrorIs(t, err, full)
			require.EqualError(t, err, "flag: kill a: "+unkept)
			share, err := k.Advance("b", 5, flag.All, me)
			require.EqualError(t, err, "flag: advance b: "+unkept)
			require.EqualValues(t, 5, share)
			on, err := k.Toggle("b", me)
			require.EqualError(t, err, "flag: toggle b: "+unkept)
			require.False(t, on)
			on, err = k.Toggle("b", me)
			require.ErrorIs(t, err, flag.ErrNotKept)
			require.True(t, on)
			require.EqualError(t, k.Create("c", flag.FeatureFlag{}, me), "flag: create c: "+unkept)
			require.EqualError(t, k.Clear("c", me), "flag: clear c: "+unkept)
			require.EqualError(t, k.Err(), "flag: keep "+k.path+": no space left on device")
			for range 2 {
				require.EqualError(t, k.Load(t.Context()), "flag: keep "+k.path+": no space left on device")
			}
			require.Len(t, k.told, 2, "once when it began, and once when it could not be kept")
			require.True(t, k.statuses()[0].Killed)
			now, err := os.ReadFile(k.path)
			require.NoError(t, err)
			if failing != "sync folder" {
				require.Equal(t, string(old), string(now))
			}
			names, err := os.ReadDir(filepath.Dir(k.path))
			require.NoError(t, err)
			require.Len(t, names, 1, "nothing is left behind")
			k.Fault(nil)
			require.NoError(t, k.Load(t.Context()))
			require.Len(t, k.told, 3)
			require.NoError(t, k.Err())
			k.again(t)
			require.True(t, k.statuses()[0].Killed)
		})
	}
}

// TestStateIsSyncedInOrder: the text before its name, and the name before the call
// returns.
func TestStateIsSyncedInOrder(t *testing.T) {
	k := newKept(t, `{"flags": {"a": {}}}`)
	var steps []string
	k.Fault(func(step string) error { steps = append(steps, step); return nil })
	require.NoError(t, k.Load(t.Context()))
	require.NoError(t, k.Kill("a", me))
	require.Equal(t, strings.Split("create write sync rename sync-folder create write sync rename sync-folder", " "), strings.Split(strings.ReplaceAll(strings.Join(steps, "|"), " ", "-"), "|"))
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

// TestStateOfTwoStores: the last one to write wins, by a whole file.
func TestStateOfTwoStores(t *testing.T) {
	one := newKept(t, `{"flags": {"a": {}}}`)
	require.NoError(t, one.Load(t.Context()))
	two := &kept{src: one.src, path: one.path}
	two.start()
	require.NoError(t, two.Load(t.Context()))
	var wait sync.WaitGroup
	for i, k := range []*kept{one, two} {
		wait.Go(func() {
			for n := range 20 {
				if err := k.SetRamp("a", flag.Ramp{Share: flag.Share(100*i + n)}, me); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	one.again(t)
	share := one.statuses()[0].Ramp.Share
	require.True(t, share == 19 || share == 119, share)
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
	require.NoError(t, store.Load(t.Context()))
	require.NoError(t, store.Load(t.Context()))
	store = open()
	require.NoError(t, store.Load(t.Context()))
	got := ""
	for status := range store.All() {
		got += fmt.Sprintln(status.Key, status.Serve, status.Killed)
	}
	require.Equal(t, "a on true\nb off false\n", got)
}

// TestStateLeavesNoLitter: what a killed process was writing goes away, but nothing
// that may be another's.
func TestStateLeavesNoLitter(t *testing.T) {
	k := newKept(t, `{"flags": {"a": {}}}`)
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{".1.next", ".2.next", ".3.other", "x.4.next"} {
		require.NoError(t, os.WriteFile(k.path+name, nil, 0o600))
		if name != ".2.next" {
			require.NoError(t, os.Chtimes(k.path+name, old, old))
		}
	}
	require.NoError(t, k.Load(t.Context()))
	var names []string
	entries, err := os.ReadDir(filepath.Dir(k.path))
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, strings.TrimPrefix(entry.Name(), "flags.state"))
	}
	require.Equal(t, []string{"", ".2.next", ".3.other", "x.4.next"}, names)
}

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
