package flag_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestOnChange: each change that was made is told once, in order, when it serves
// already; refused ones are not.
func TestOnChange(t *testing.T) {
	var told []flag.ChangeInfo
	var store *flag.Store
	store = flag.New(flag.Bytes([]byte(`{"flags": {"told": {}, "parted": {"split": {"parts": [{"serve": "on", "percent": 50}, {"serve": "off", "percent": 50}]}}}}`)), flag.Options{OnChange: func(info flag.ChangeInfo) {
		told = append(told, info)
		if info.Op != "clear" { // by then it may be gone
			status, err := store.Status(info.Key)
			require.NoError(t, err)
			require.Equal(t, info.Revision, status.Since)
		}
	}})
	require.NoError(t, store.Load(t.Context()))
	half := flag.Split{Parts: []flag.Part{{Serve: "on", Share: flag.All}, {Serve: "off"}}}
	revision := store.Revision()
	for _, tt := range []struct {
		op, key, to string
		verb        func(flag.Change) error
	}{
		{"set ramp", "told", "5 %", func(c flag.Change) error { return store.SetRamp("told", flag.Ramp{Share: 5 * flag.Percent}, c) }},
		{"advance", "told", "7 %", func(c flag.Change) error {
			_, err := store.Advance("told", 2*flag.Percent, flag.All, c)
			return err
		}},
		{"override", "told", "on", func(c flag.Change) error { return store.Override("told", "on", c) }},
		{"toggle", "told", "disabled", func(c flag.Change) error { _, err := store.Toggle("told", c); return err }},
		{"toggle", "told", "enabled", func(c flag.Change) error { _, err := store.Toggle("told", c); return err }},
		{"kill", "told", "", func(c flag.Change) error { return store.Kill("told", c) }},
		{"revive", "told", "", func(c flag.Change) error { return store.Revive("told", c) }},
		{"clear", "told", "", func(c flag.Change) error { return store.Clear("told", c) }},
		{"put", "told", "", func(c flag.Change) error { return store.Put("told", on, c) }},
		{"create", "new", "", func(c flag.Change) error { return store.Create("new", on, c) }},
		{"clear", "new", "", func(c flag.Change) error { return store.Clear("new", c) }},
		{"rebalance", "parted", "", func(c flag.Change) error { return store.Rebalance("parted", half, c) }},
	} {
		require.ErrorContains(t, tt.verb(flag.Change{Actor: "a"}), "want both")
		require.ErrorIs(t, tt.verb(flag.Change{Actor: "a", Reason: "b", Revision: 1000}), flag.ErrConflict, tt.op)
		revision++
		require.NoError(t, tt.verb(me))
		require.Equal(t, []flag.ChangeInfo{{Op: tt.op, Key: tt.key, To: tt.to, Change: me, Revision: revision}}, told)
		told = nil
	}
}

// TestOnChangeMayDoAnything: it may change flags, panic, and end its goroutine, and no
// change is lost or told out of order.
func TestOnChangeMayDoAnything(t *testing.T) {
	var told []uint64
	var store *flag.Store
	var before uint64
	store = flag.New(nil, flag.Options{OnChange: func(info flag.ChangeInfo) {
		told = append(told, info.Revision-before)
		switch info.To {
		case "1 %":
			require.NoError(t, store.SetRamp("free", flag.Ramp{Share: 2 * flag.Percent}, me))
			require.NoError(t, store.Put("other", on, me))
			require.NoError(t, store.Clear("other", me))
			told = append(told, 0) // still about the first
		case "3 %":
			panic("as a test")
		case "4 %":
			runtime.Goexit()
		}
	}})
	before = store.Revision()
	require.NoError(t, store.Create("free", flag.FeatureFlag{}, me))
	for _, share := range []flag.Share{1, 3, 4, 5} {
		var wait sync.WaitGroup
		wait.Go(func() { _ = store.SetRamp("free", flag.Ramp{Share: share * flag.Percent}, me) })
		wait.Wait()
	}
	require.Equal(t, []uint64{1, 2, 0, 3, 4, 5, 6, 7, 8}, told)
}

// TestOnChangeInOrder: whoever changes flags at once, changes are told one at a time, in
// the order of their revisions.
func TestOnChangeInOrder(t *testing.T) {
	const writers, changes = 8, 200
	var told []uint64 // without a lock, so that the race detector watches, too
	store := flag.New(flag.Bytes([]byte(`{"flags": {"ordered": {}}}`)), flag.Options{OnChange: func(info flag.ChangeInfo) { told = append(told, info.Revision) }})
	require.NoError(t, store.Load(t.Context()))
	before := store.Revision()
	var wait sync.WaitGroup
	for range writers {
		wait.Go(func() {
			for i := range changes {
				if err := store.SetRamp("ordered", flag.Ramp{Share: flag.Share(i)}, me); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	require.NoError(t, store.Kill("ordered", me))
	require.Len(t, told, writers*changes+1)
	for i, revision := range told {
		require.Equal(t, before+uint64(i+1), revision)
	}
}

// TestChangesAreLogged: a kill louder than a ramp, with who and why.
func TestChangesAreLogged(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})))
	store := load(t, `{"flags": {"logged": {}}}`)
	revision := store.Revision()
	require.NoError(t, store.SetRamp("logged", flag.Ramp{Share: 1}, me))
	require.NoError(t, store.Kill("logged", me))
	require.NoError(t, store.Revive("logged", me))
	_, err := store.Preview(func(s *flag.Store) error { return s.Kill("logged", me) })
	require.NoError(t, err)
	end := func(after uint64) string {
		return fmt.Sprint("flag=logged actor=me reason=test revision=", revision+after)
	}
	require.Equal(t, []string{
		`level=INFO msg="flags: changed at run time" op="set ramp" flag=logged to="0.001 %"` + strings.TrimPrefix(end(1), "flag=logged"),
		`level=WARN msg="flags: changed at run time" op=kill ` + end(2),
		`level=WARN msg="flags: changed at run time" op=revive ` + end(3), "",
	}, strings.Split(log.String(), "\n"))
}

// TestChangesOfManyFlags: a flag that never changed since the first document has that
// as its newest change; a document changes those that it defines anew.
func TestChangesOfManyFlags(t *testing.T) {
	src := &source{data: `{"flags": {"first": {}, "second": {}}}`}
	store := flag.New(src, flag.Options{OnLoad: func(flag.LoadInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	first := store.Revision()
	require.NoError(t, store.Kill("first", me))
	src.put(`{"flags": {"second": {"serve": "on"}, "third": {}, "first": {}}}`, nil)
	require.NoError(t, store.Load(t.Context()))
	src.put(`{"flags": {"second": {"serve": "onn"}, "third": {}, "first": {}}}`, nil)
	require.Error(t, store.Load(t.Context()))
	got := ""
	for s := range store.All() {
		got += fmt.Sprintf("%s: %d by %s, killed %v\n", s.Key, s.Since-first, s.Change.Actor, s.Killed)
	}
	require.Equal(t, "first: 1 by me, killed true\nsecond: 2 by document, killed false\nthird: 2 by document, killed false\n", got)
}
