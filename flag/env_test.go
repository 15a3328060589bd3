package flag_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// silent are options of a store that logs nothing.
func silent(o flag.Options) flag.Options {
	o.OnLoad, o.OnChange = func(flag.LoadInfo) {}, func(flag.ChangeInfo) {}
	return o
}

func TestEnvironmentOverrides(t *testing.T) {
	t.Setenv("GUIDON_NEW_CHECKOUT", "off")
	t.Setenv("GUIDON_V2_LIMIT__", "large")
	t.Setenv("GUIDON_QUIET", "")
	t.Setenv("GUIDONE_QUIET", "on")
	src := &source{data: `{"flags": {
		"new-checkout": {"rules": [{"if": {"attr": "x", "missing": true}, "serve": "on"}], "serve": "on"},
		"v2.limit.\u00e9": {"variants": {"small": 1, "large": 2}, "serve": "small"},
		"quiet": {}
	}}`}
	store := flag.New(src, silent(flag.Options{Env: "GUIDON_"}))
	require.NoError(t, store.Load(t.Context()))
	subject := flag.For("u")
	checkout, limit, quietly := flag.Bool("new-checkout", true), flag.Int("v2.limit.é", 0), flag.Bool("quiet", true)
	decision := checkout.Decide(store, &subject)
	require.False(t, decision.Value)
	require.Equal(t, flag.ReasonOverride, decision.Reason)
	require.EqualValues(t, 2, limit.Value(store, &subject))
	require.False(t, quietly.Value(store, &subject))
	status, err := store.Status("new-checkout")
	require.NoError(t, err)
	require.Equal(t, "off", status.Override)
	require.True(t, status.Overlaid)
	require.Equal(t, flag.Change{Actor: "environment", Reason: "GUIDON_NEW_CHECKOUT=off"}, status.OverlaidBy)

	// It stays over documents and definitions, and under what an operator says.
	require.NoError(t, store.Override("new-checkout", "on", me))
	require.True(t, checkout.Value(store, &subject))
	require.NoError(t, store.Override("v2.limit.é", "small", me))
	require.NoError(t, store.Kill("v2.limit.é", me))
	require.Equal(t, flag.ReasonKilled, limit.Decide(store, &subject).Reason)
	status, err = store.Status("v2.limit.é")
	require.NoError(t, err)
	require.Equal(t, me, status.OverlaidBy)
	require.NoError(t, store.Clear("new-checkout", me))
	require.False(t, checkout.Value(store, &subject))
	require.NoError(t, store.Put("new-checkout", flag.FeatureFlag{Serve: "on"}, me))
	require.False(t, checkout.Value(store, &subject))
	set, err := store.Preview(func(s *flag.Store) error {
		err := errors.Join(s.Put("new-checkout", flag.FeatureFlag{Serve: "on", Description: "again"}, me), s.Clear("v2.limit.é", me))
		require.False(t, checkout.Value(s, &subject))
		require.EqualValues(t, 2, limit.Value(s, &subject))
		return err
	})
	require.NoError(t, err)
	require.NotNil(t, set)
	require.NoError(t, store.Clear("new-checkout", me))
	src.put(strings.ReplaceAll(src.data, "small", "tiny"), nil)
	require.Error(t, store.Load(t.Context()), "the override to small does not fit")
	require.NoError(t, store.Clear("v2.limit.é", me))
	require.NoError(t, store.Load(t.Context()))
	require.EqualValues(t, 2, limit.Value(store, &subject))

	// Each load looks again, also when the document is the same.
	require.NoError(t, os.Unsetenv("GUIDON_NEW_CHECKOUT"))
	require.False(t, checkout.Value(store, &subject))
	require.NoError(t, store.Load(t.Context()))
	require.True(t, checkout.Value(store, &subject))
	status, err = store.Status("new-checkout")
	require.NoError(t, err)
	require.False(t, status.Overlaid)
}

// TestEnvironmentProblems: everything that is wrong is said at once, and everything else
// serves.
func TestEnvironmentProblems(t *testing.T) {
	t.Setenv("GUIDON_NO_FLAG", "on")
	t.Setenv("GUIDON_TWICE", "on")
	t.Setenv("GUIDON_BROKEN", "on")
	t.Setenv("GUIDON_MISSPELT", "onn")
	t.Setenv("GUIDON_RIGHT", "on")
	store := flag.New(flag.Bytes([]byte(`{"flags": {"twice": {}, "TWICE": {}, "broken": {"serve": 1}, "misspelt": {}, "right": {}}}`)), silent(flag.Options{Env: "GUIDON_"}))
	for range 2 {
		err := store.Load(t.Context())
		require.ErrorIs(t, err, flag.ErrInvalid)
		require.ErrorIs(t, store.Err(), flag.ErrInvalid)
		_, rest, _ := strings.Cut(err.Error(), "\n")
		require.Equal(t, `flag: override by GUIDON_BROKEN: the definition of flag "broken" is broken, and has never been any better
flag: override by GUIDON_MISSPELT: unknown variant "onn", want one of ["off" "on"]
flag: override by GUIDON_NO_FLAG: there is no flag of that name
flag: override by GUIDON_TWICE: it may be any of the flags ["TWICE" "twice"]`, rest)
	}
	subject := flag.For("u")
	right := flag.Bool("right", false)
	require.True(t, right.Value(store, &subject))
	require.NoError(t, store.Create("no-flag", flag.FeatureFlag{}, me))
	noFlag := flag.Bool("no-flag", false)
	require.True(t, noFlag.Value(store, &subject), "now there is one")
	require.NotContains(t, store.Load(t.Context()).Error(), "NO_FLAG")
}

// TestEnvironmentOverOlderDefinitions: a flag whose newest definition is broken is
// overridden as it serves, and no longer once the variable is gone.
func TestEnvironmentOverOlderDefinitions(t *testing.T) {
	t.Setenv("GUIDON_OLDER", "on")
	src := &source{data: `{"flags": {"older": {}}}`}
	store := flag.New(src, silent(flag.Options{Env: "GUIDON_"}))
	require.NoError(t, store.Load(t.Context()))
	src.put(`{"flags": {"older": {"serve": 1}}}`, nil)
	subject := flag.For("u")
	older := flag.Bool("older", false)
	require.Error(t, store.Load(t.Context()))
	require.True(t, older.Value(store, &subject))
	require.NoError(t, os.Unsetenv("GUIDON_OLDER"))
	require.Error(t, store.Load(t.Context()))
	require.False(t, older.Value(store, &subject))
}

// TestEnvironmentIsNotKept: what a variable overrides ends with the process.
func TestEnvironmentIsNotKept(t *testing.T) {
	t.Setenv("GUIDON_PASSING", "on")
	o := silent(flag.Options{Env: "GUIDON_", State: filepath.Join(t.TempDir(), "flags.state")})
	document := flag.Bytes([]byte(`{"flags": {"passing": {}}}`))
	store := flag.New(document, o)
	require.NoError(t, store.Load(t.Context()))
	require.NoError(t, store.SetRamp("passing", flag.Ramp{Share: 5}, me))
	require.NoError(t, os.Unsetenv("GUIDON_PASSING"))
	store = flag.New(document, o)
	require.NoError(t, store.Load(t.Context()))
	status, err := store.Status("passing")
	require.NoError(t, err)
	require.Empty(t, status.Override)
	require.Equal(t, me, status.OverlaidBy)
}

// TestEnvironmentUnderPuts: a variable that is unset while a put definition lies over the
// one that it overrides does not come back with that.
func TestEnvironmentUnderPuts(t *testing.T) {
	t.Setenv("UNDERPUT_X", "on")
	src := &source{data: `{"flags": {"x": {}}}`}
	store := flag.New(src, flag.Options{Env: "UNDERPUT_", OnChange: func(flag.ChangeInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	require.NoError(t, store.Put("x", flag.FeatureFlag{Description: "put"}, me))
	src.put(`{"flags": {"x": {"serve": "nonsense"}}}`, nil)
	require.Error(t, store.Load(t.Context()))
	t.Setenv("UNDERPUT_X", "")
	require.Error(t, store.Load(t.Context()))
	require.NoError(t, store.Clear("x", me))
	subject := flag.For("anna")
	require.False(t, flag.ByKey("x", false).Value(store, &subject))
}
