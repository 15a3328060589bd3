package flag_test

import (
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestWith: what a view gives a flag reaches every entrance, in the type that asks.
func TestWith(t *testing.T) {
	type theme struct{ Color string }
	on, text, number, share, decoded := flag.Bool("with-on", false), flag.String("with-text", ""), flag.Int("with-number", 0), flag.Float("with-share", 0), flag.JSON("with-theme", theme{})
	store := load(t, `{"flags": {
		"with-on": {"disabled": true},
		"with-needing": {"when": {"flag": "with-on"}, "serve": "on"},
		"with-text": {"variants": {"a": "A", "b": "B"}, "serve": "a"},
		"with-number": {"variants": {"a": 1, "b": 2}, "serve": "a"},
		"with-share": {"variants": {"a": 1.5, "b": 2}, "serve": "a"},
		"with-theme": {"variants": {"a": {"Color": "white"}, "b": {"Color": "black"}}, "serve": "a"},
		"with-undeclared": {"variants": {"a": "A", "b": "B"}, "serve": "a"}}}`)
	view := store.View(flag.For("u"))
	all := view
	for key, variant := range map[string]string{"with-on": "on", "with-text": "b", "with-number": "b", "with-share": "b", "with-theme": "b", "with-undeclared": "b"} {
		var err error
		all, err = all.With(key, variant)
		require.NoError(t, err)
	}
	serves(t, all, on.Ref, true, "on")
	serves(t, all, text, "B", "b")
	serves(t, all, number, int64(2), "b")
	serves(t, all, share, 2.0, "b")
	serves(t, all, decoded, theme{"black"}, "b")
	serves(t, all, flag.ByKey("with-undeclared", ""), "B", "b")
	serves(t, all, flag.ByKey[any]("with-number", nil), any(int64(2)), "b")
	require.Equal(t, "u", subjectKey(all))

	other := flag.ByKey("with-text", 7).DecideFrom(all)
	require.Equal(t, 7, other.Value)
	require.Equal(t, flag.ReasonWrongType, other.Reason)
	require.False(t, flag.ByKey("with-needing", false).From(all), "prerequisites do not see it")
	require.Equal(t, "A", text.From(view), "the view it was made from stays as it is")
	status, err := store.Status("with-text")
	require.NoError(t, err)
	require.Equal(t, map[string]uint64{"a": 1}, status.Counts, "overrides do not count")

	// The newest wins, whichever kind it is.
	back, err := all.With("with-text", "a")
	require.NoError(t, err)
	serves(t, back, text, "A", "a")
	serves(t, text.Override(back, "mine"), text, "mine", "")
	again, err := text.Override(back, "mine").With("with-text", "b")
	require.NoError(t, err)
	serves(t, again, text, "B", "b")
}

func serves[T any](t *testing.T, view *flag.View, ref flag.Ref[T], want T, variant string) {
	t.Helper()
	d := ref.DecideFrom(view)
	require.Equal(t, flag.ReasonOverride, d.Reason)
	require.Equal(t, variant, d.Variant)
	require.Equal(t, []T{want, want, want}, []T{d.Value, ref.From(view), ref.In(flag.NewContext(t.Context(), view))})
}

// TestWithIsKilled: a kill wins, over what was there before and what comes after.
func TestWithIsKilled(t *testing.T) {
	store := untold(t, `{"flags": {"with-killed": {"serve": "on", "off": "off"}}}`)
	killed := flag.Bool("with-killed", false)
	require.NoError(t, store.Kill("with-killed", me))
	view, err := store.View(flag.For("u")).With("with-killed", "on")
	require.NoError(t, err)
	require.False(t, killed.From(view))
	require.Equal(t, flag.ReasonKilled, killed.DecideFrom(view).Reason)
}

func TestWithIsRefused(t *testing.T) {
	store := flag.New(flag.Bytes([]byte(`{"flags": {"refused": {}, "broken": {"serve": "blue"}, "another": {}}}`)), flag.Options{})
	require.Error(t, store.Load(t.Context()))
	view := store.View(flag.For("u"))
	var none *flag.View
	for _, tt := range []struct {
		view         *flag.View
		key, variant string
		want         string
		missing      bool
	}{
		{view, "refused", "blue", `flag: with refused: unknown variant "blue", want one of ["off" "on"]`, false},
		{view, "refused", "", `flag: with refused: unknown variant "", want one of ["off" "on"]`, false},
		{view, "nowhere", "on", `flag: with nowhere: no such flag in the document, want one of ["another" "refused"]`, true},
		{view, "broken", "on", "flag: with broken: its definition is broken and has never been any better, so it has no variants", false},
		{none, "refused", "on", "flag: with refused: no document is loaded yet: no such flag in the document", true},
		{(&flag.Store{}).View(flag.Subject{}), "refused", "on", "flag: with refused: no document is loaded yet: no such flag in the document", true},
	} {
		got, err := tt.view.With(tt.key, tt.variant)
		require.EqualError(t, err, tt.want)
		require.Nil(t, got)
		if tt.missing {
			require.ErrorIs(t, err, flag.ErrNotFound)
		}
	}
}
