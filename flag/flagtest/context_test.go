package flagtest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flagtest"
	"github.com/stretchr/testify/require"
)

var (
	NewCheckout = flag.Bool("new-checkout", false)
	CartLimit   = flag.Int("cart-limit", 50)
	Theme       = flag.String("theme", "plain")
	Country     = flag.Attr[string]("country")
)

const shop = `{"flags": {
	"new-checkout": {"rules": [{"if": {"attr": "country", "eq": "SE"}, "serve": "on"}], "ramp": {"percent": 25}},
	"cart-limit": {"variants": {"small": 20, "large": 100, "old": 7}, "serve": "small", "targets": {"large": ["staff"]}},
	"theme": {"variants": {"dark": "black", "light": "white"}, "when": {"time": {"from": "2026-11-30T00:00:00Z"}}, "serve": "dark"}
}}`

var monday = time.Date(2026, time.November, 30, 0, 0, 0, 0, time.UTC)

// in is a context with a view of the shop's flags.
func in(t testing.TB, user string) context.Context {
	return flag.NewContext(t.Context(), load(t, shop).View(flag.For(user)))
}

// TestWith: overrides compose, the newest wins, whether there is a document or not, and
// what they are made from stays as it is.
func TestWith(t *testing.T) {
	for name, base := range map[string]context.Context{"none": t.Context(), "shop": in(t, "u")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := CartLimit.In(base)
			on := flagtest.With(base, NewCheckout, true)
			both := flagtest.With(on, CartLimit, 3)
			again := flagtest.With(both, NewCheckout, false)
			require.True(t, NewCheckout.On(on))
			require.Equal(t, before, CartLimit.In(on))
			require.Equal(t, []any{true, int64(3)}, []any{NewCheckout.On(both), CartLimit.In(both)})
			require.Equal(t, []any{false, int64(3)}, []any{NewCheckout.On(again), CartLimit.In(again)})
			require.Equal(t, before, CartLimit.In(base))
			require.Equal(t, "blue", Theme.In(flagtest.With(again, Theme, "blue")))
			require.Equal(t, 7, flag.ByKey("any", 1).In(flagtest.With(base, flag.ByKey("any", 2), 7)))
		})
	}
}

// TestParallel: tests that set the same flag at the same time do not see one another.
func TestParallel(t *testing.T) {
	base := in(t, "u")
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			ctx := flagtest.With(flagtest.With(base, CartLimit, int64(i)), NewCheckout, i%2 == 0)
			for range 1_000 {
				if CartLimit.In(ctx) != int64(i) || NewCheckout.On(ctx) != (i%2 == 0) {
					t.Fatal("another test's flags")
				}
			}
		})
	}
}

func TestAt(t *testing.T) {
	base := in(t, "u")
	before, after := flagtest.At(base, monday.Add(-1)), flagtest.At(base, monday)
	require.Equal(t, "plain", Theme.In(before))
	require.Equal(t, "black", Theme.In(after))
	require.Equal(t, "black", Theme.In(flagtest.At(before, monday)))
	require.True(t, NewCheckout.On(flagtest.At(flagtest.With(base, NewCheckout, true), monday)))
	require.Equal(t, "plain", Theme.In(flagtest.At(t.Context(), monday)))
}

func TestEach(t *testing.T) {
	tests := []struct {
		name string
		each func(t testing.TB) []string
		want []string
	}{
		{"switch without document", func(t testing.TB) []string { return each(t, context.Background(), NewCheckout) }, []string{"off=false", "on=true"}},
		{"switch that the document does not have", func(t testing.TB) []string { return each(t, in(t, "u"), flag.Bool("elsewhere", true)) }, []string{"off=false", "on=true"}},
		{"switch", func(t testing.TB) []string { return each(t, in(t, "u"), NewCheckout) }, []string{"off=false", "on=true"}},
		{"other flag", func(t testing.TB) []string { return each(t, in(t, "u"), CartLimit) }, []string{"large=100", "small=20"}},
		{"caller's default", func(t testing.TB) []string { return each(t, in(t, "u"), Theme) }, []string{"default=plain", "dark=black"}},
		{"among overrides", func(t testing.TB) []string { return each(t, flagtest.With(in(t, "u"), Theme, "blue"), Theme) }, []string{"default=plain", "dark=black"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Empty(t, judge(t, func(t testing.TB) { require.Equal(t, tt.want, tt.each(t)) }))
		})
	}
	for range flagtest.Each(t, t.Context(), NewCheckout) {
		break
	}
	require.Equal(t, []string{`each variant of "theme": not in the document of the context's view, and only a boolean flag has values without`},
		judge(t, func(t testing.TB) { require.Empty(t, each(t, context.Background(), Theme)) }))
	require.Equal(t, []string{`each variant of "nowhere": not in the document of the context's view, and only a boolean flag has values without`},
		judge(t, func(t testing.TB) { require.Empty(t, each(t, in(t, "u"), flag.ByKey("nowhere", 1))) }))
}

// each is the variants with what the flag then is.
func each[T any, F interface {
	flagtest.Flag[T]
	In(context.Context) T
}](t testing.TB, ctx context.Context, f F) (all []string) {
	for name, ctx := range flagtest.Each[T](t, ctx, f) {
		all = append(all, fmt.Sprintf("%s=%v", name, f.In(ctx)))
	}
	return all
}
