package flag_test

import (
	"slices"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

func TestOverlayWins(t *testing.T) {
	src := &source{data: `{"flags": {"laid": {"ramp": {"percent": 10}}}}`}
	store := flag.New(src, flag.Options{OnLoad: func(flag.LoadInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	require.NoError(t, store.SetRamp("laid", flag.Ramp{Share: 50 * flag.Percent, Salt: "fresh"}, me))
	require.NoError(t, store.Kill("laid", me))
	src.put(`{"flags": {"laid": {"ramp": {"percent": 20}}}}`, nil)
	require.NoError(t, store.Load(t.Context()))
	status, err := store.Status("laid")
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), status.Changed, time.Hour)
	require.Equal(t, []string{"kill by me", "ramp by me"}, laid(status))
	status.Changed, status.Laid = time.Time{}, nil
	document, defined := flag.Change{Actor: "document", Reason: "a new document"}, flag.Ramp{Share: 20 * flag.Percent, Serve: "on", Salt: "laid"}
	require.Equal(t, flag.Status{Key: "laid", Killed: true, Ramp: flag.Ramp{Share: 50 * flag.Percent, Serve: "on", Salt: "fresh"}, Defined: defined,
		Serve: "off", True: "on", Overlaid: true, OverlaidBy: me, Change: document, Since: store.Revision(), Revision: store.Revision()}, status)
	require.NoError(t, store.Clear("laid", me))
	status, err = store.Status("laid")
	require.NoError(t, err)
	status.Changed = time.Time{}
	require.Equal(t, flag.Status{Key: "laid", Ramp: defined, Defined: defined, Serve: "off", True: "on", Change: me, Since: store.Revision(), Revision: store.Revision()}, status)
}

// laid is what lies over a flag, and by whom.
func laid(status flag.Status) (all []string) {
	for _, one := range status.Laid {
		all = append(all, one.What+" by "+one.Change.Actor)
	}
	return all
}

// TestLaidByWhom: a later change of a flag does not hide who made the one before, over a
// restart too, and what is taken back is nobody's any more.
func TestLaidByWhom(t *testing.T) {
	t.Setenv("LAID_ALL", "off")
	k := newKept(t, `{"flags": {"all": {}}}`)
	k.Store = flag.New(k.src, flag.Options{State: k.path, Env: "LAID_", OnChange: func(flag.ChangeInfo) {}})
	require.NoError(t, k.Load(t.Context()))
	by := func(actor string) flag.Change { return flag.Change{Actor: actor, Reason: "of " + actor} }
	require.NoError(t, k.Put("all", flag.FeatureFlag{}, by("pia")))
	require.NoError(t, k.Kill("all", by("kim")))
	require.NoError(t, k.Override("all", "on", by("ola")))
	_, err := k.Toggle("all", by("tom"))
	require.NoError(t, err)
	require.NoError(t, k.SetRamp("all", flag.Ramp{Share: 5 * flag.Percent}, by("ron")))
	status, err := k.Status("all")
	require.NoError(t, err)
	require.Equal(t, []string{"kill by kim", "override by ola", "environment by environment", "toggle by tom", "ramp by ron", "put by pia"}, laid(status))
	require.Equal(t, by("kim"), status.Laid[0].Change)
	require.False(t, status.Laid[0].At.After(status.Laid[1].At), "when each was")
	require.Equal(t, []flag.Change{by("ron"), by("ron")}, []flag.Change{status.OverlaidBy, status.Change})
	_, err = k.Advance("all", 1, 2, by("bob"))
	require.EqualError(t, err, "flag: advance all: conflict: it is killed (by kim: of kim); revive it first")
	want := k.statuses()
	k.again(t)
	for range 2 {
		got := k.statuses()
		got[0].Laid = slices.Insert(got[0].Laid, 2, want[0].Laid[2]) // which this process does without
		require.Equal(t, want, got)
		k.again(t)
	}
	require.NoError(t, k.Revive("all", by("kim")))
	require.NoError(t, k.Override("all", "", by("ola")))
	status, err = k.Status("all")
	require.NoError(t, err)
	require.Equal(t, []string{"toggle by tom", "ramp by ron", "put by pia"}, laid(status))
	require.NoError(t, k.Clear("all", by("kim")))
	status, err = k.Status("all")
	require.NoError(t, err)
	require.Empty(t, status.Laid)
}

// TestOverlayMustFit: a document that would silently drop what was set at run time
// is refused.
func TestOverlayMustFit(t *testing.T) {
	src := &source{data: `{"flags": {"fits": {"variants": {"a": "1", "b": "2"}, "serve": "a"}}}`}
	store := flag.New(src, flag.Options{OnLoad: func(flag.LoadInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	require.EqualError(t, store.SetRamp("fits", flag.Ramp{Share: 1}, me), `flag: set ramp fits: a ramp must name its variant, want one of ["a" "b"]`)
	require.NoError(t, store.SetRamp("fits", flag.Ramp{Share: flag.All, Serve: "b"}, me))
	src.put(`{"flags": {"fits": {"variants": {"a": "1"}, "serve": "a"}}}`, nil)
	require.ErrorContains(t, store.Load(t.Context()), `flags.fits (line 1, column 20): unknown variant "b", want one of ["a"]: me changed it at run time (test)`)
	src.put(`{"flags": {"other": {}}}`, nil)
	require.ErrorContains(t, store.Load(t.Context()), `flags.fits (line 1, column 11): missing, but me changed it at run time (test): clear it first`)
	subject := flag.For("u")
	require.Equal(t, "2", flag.String("fits", "").Value(store, &subject))
	// What was refused never comes in by a later change.
	require.NoError(t, store.Kill("fits", me))
	require.NoError(t, store.Clear("fits", me))
	require.Equal(t, "1", flag.String("fits", "").Value(store, &subject))
	src.put(`{"flags": {"another": {}}}`, nil)
	require.NoError(t, store.Load(t.Context()), "nothing lies over the document any more")
}

// TestSetRampKeepsWhatServes: a ramp that names no salt or variant keeps those that
// serve now, so that nobody changes sides.
func TestSetRampKeepsWhatServes(t *testing.T) {
	const ab = `"variants": {"a": "1", "b": "2", "c": "3"}, "serve": "a"`
	tests := []struct {
		name     string
		document string
		ramps    []flag.Ramp
		want     flag.Ramp
	}{
		{"the flag's key", `{}`, []flag.Ramp{{Share: 7}}, flag.Ramp{Share: 7, Serve: "on", Salt: "kept"}},
		{"a salt that the flag pins", `{"salt": "old-name"}`, []flag.Ramp{{Share: 7}}, flag.Ramp{Share: 7, Serve: "on", Salt: "old-name"}},
		{"the document's ramp", `{` + ab + `, "salt": "flag", "ramp": {"percent": 1, "serve": "b", "salt": "ramp"}}`, []flag.Ramp{{Share: 7}}, flag.Ramp{Share: 7, Serve: "b", Salt: "ramp"}},
		{"the ramp set before", `{` + ab + `, "ramp": {"percent": 1, "serve": "b", "salt": "ramp"}}`, []flag.Ramp{{Share: 1, Serve: "c", Salt: "fresh"}, {Share: 7}, {Share: 8}}, flag.Ramp{Share: 8, Serve: "c", Salt: "fresh"}},
		{"each by itself", `{` + ab + `, "ramp": {"percent": 1, "serve": "b", "salt": "ramp"}}`, []flag.Ramp{{Share: 1, Salt: "fresh"}, {Share: 7, Serve: "c"}}, flag.Ramp{Share: 7, Serve: "c", Salt: "fresh"}},
		{"named anew", `{` + ab + `}`, []flag.Ramp{{Share: 1, Serve: "b", Salt: "one"}, {Share: 7, Serve: "c", Salt: "two"}}, flag.Ramp{Share: 7, Serve: "c", Salt: "two"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := load(t, `{"flags": {"kept": `+tt.document+`}}`)
			for _, ramp := range tt.ramps {
				require.NoError(t, store.SetRamp("kept", ramp, me))
			}
			status, err := store.Status("kept")
			require.NoError(t, err)
			require.Equal(t, tt.want, status.Ramp)
		})
	}
}

// TestChangesAddUp: a change of a flag takes back no other, of this flag, of another,
// or of the document.
func TestChangesAddUp(t *testing.T) {
	store := load(t, `{"flags": {"one": {}, "two": {}, "off": {"disabled": true}}}`)
	subject := flag.For("u")
	one, two, off := flag.Bool("one", false), flag.Bool("two", false), flag.Bool("off", false)
	for _, key := range []string{"one", "two", "off"} {
		require.NoError(t, store.SetRamp(key, flag.Ramp{Share: flag.All}, me))
	}
	require.Equal(t, []bool{true, true, false}, []bool{one.Value(store, &subject), two.Value(store, &subject), off.Value(store, &subject)}, "disabled before all")
	require.NoError(t, store.Kill("one", me))
	require.NoError(t, store.SetRamp("one", flag.Ramp{Share: flag.All}, me))
	require.Equal(t, []bool{false, true}, []bool{one.Value(store, &subject), two.Value(store, &subject)}, "killed until it is cleared")
	require.NoError(t, store.Clear("two", me))
	require.False(t, two.Value(store, &subject))
	status, err := store.Status("one")
	require.NoError(t, err)
	status.Changed, status.Laid = time.Time{}, nil
	require.Equal(t, flag.Status{Key: "one", Killed: true, Ramp: flag.Ramp{Share: flag.All, Serve: "on", Salt: "one"}, Serve: "off", True: "on", Overlaid: true, OverlaidBy: me, Change: me, Since: store.Revision() - 1, Revision: store.Revision(), Counts: map[string]uint64{"on": 1, "off": 1}}, status)
}

// TestClearedFirst: a document that was refused for what lay over it serves at the next
// load once that is cleared, although it is the same document.
func TestClearedFirst(t *testing.T) {
	src := &source{data: `{"flags": {"cleared": {}}}`}
	store := flag.New(src, flag.Options{OnLoad: func(flag.LoadInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	require.NoError(t, store.Kill("cleared", me))
	src.put(`{"flags": {}}`, nil)
	require.ErrorContains(t, store.Load(t.Context()), "clear it first")
	require.NoError(t, store.Clear("cleared", me))
	require.NoError(t, store.Load(t.Context()))
}

// TestRampUnderServe: a document that serves to everybody what a ramp gives to some is
// refused while the ramp is below 100 %, and welcome afterwards.
func TestRampUnderServe(t *testing.T) {
	src := &source{data: `{"flags": {"under": {}}}`}
	store := flag.New(src, flag.Options{OnLoad: func(flag.LoadInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	require.NoError(t, store.SetRamp("under", flag.Ramp{Share: 5 * flag.Percent}, me))
	src.put(`{"flags": {"under": {"serve": "on"}}}`, nil)
	require.ErrorContains(t, store.Load(t.Context()), `flags.under (line 1, column 21): serves "on" to everybody, so a ramp to it at 5 % would mean nothing: me changed it at run time (test)`)
	require.NoError(t, store.SetRamp("under", flag.Ramp{Share: flag.All}, me))
	require.NoError(t, store.Load(t.Context()))
	require.Error(t, store.SetRamp("under", flag.Ramp{Share: 5 * flag.Percent}, me))
}
