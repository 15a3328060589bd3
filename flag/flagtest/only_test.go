package flagtest_test

import (
	"sync"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flagtest"
	"github.com/stretchr/testify/require"
)

func TestOnly(t *testing.T) {
	absent := flag.Bool("only-absent", false)
	unknown := flag.ByKey("only-unknown", 1)
	tests := []struct {
		name string
		test func(t testing.TB)
		want string
	}{
		{"nothing read", func(t testing.TB) { flagtest.Only(t, t.Context(), Theme) }, ""},
		{"named", func(t testing.TB) {
			ctx := flagtest.Only(t, in(t, "u"), CartLimit, unknown)
			CartLimit.In(ctx)
			unknown.In(ctx)
		}, ""},
		{"not named", func(t testing.TB) {
			ctx := flagtest.Only(t, in(t, "u"), CartLimit)
			CartLimit.In(ctx)
			NewCheckout.On(ctx)
			Theme.DecideFrom(flag.FromContext(ctx))
		}, `read flags that it may not: "new-checkout" (not named), "theme" (not named)`},
		{"with what is set later", func(t testing.TB) {
			ctx := flagtest.At(flagtest.With(flagtest.Only(t, in(t, "u"), CartLimit), NewCheckout, true), monday)
			NewCheckout.On(ctx)
			for _, ctx := range flagtest.Each(t, ctx, Theme) {
				Theme.In(ctx)
			}
		}, `read flags that it may not: "new-checkout" (not named), "theme" (not named)`},
		{"with what is set before", func(t testing.TB) {
			NewCheckout.On(flagtest.Only(t, flagtest.With(in(t, "u"), NewCheckout, true), CartLimit))
		}, `read flags that it may not: "new-checkout" (not named)`},
		{"declared and configured", func(t testing.TB) {
			ctx := flagtest.Only(t, in(t, "u"))
			CartLimit.In(ctx)
			flag.ByKey("theme", "").In(ctx)
		}, ""},
		{"neither, or one of the two", func(t testing.TB) {
			ctx := flagtest.Only(t, in(t, "u"))
			absent.On(ctx)
			unknown.In(ctx)
		}, `read flags that it may not: "only-absent" (not in the document), "only-unknown" (not declared)`},
		{"without a document", func(t testing.TB) {
			ctx := flagtest.With(flagtest.Only(t, t.Context()), Theme, "blue")
			absent.On(ctx)
			Theme.In(ctx)
			unknown.In(ctx)
		}, `read flags that it may not: "only-unknown" (not declared)`},
		{"an empty document", func(t testing.TB) {
			Theme.In(flagtest.Only(t, flag.NewContext(t.Context(), load(t, `{"flags": {}}`).View(flag.Subject{}))))
		}, `read flags that it may not: "theme" (not in the document)`},
		{"one within another", func(t testing.TB) {
			Theme.In(flagtest.Only(t, flagtest.Only(t, t.Context())))
		}, ""},
		{"other contexts", func(t testing.TB) {
			ctx := in(t, "u")
			flagtest.Only(t, ctx, Theme)
			CartLimit.In(ctx)
			CartLimit.In(t.Context())
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var want []string
			if tt.want != "" {
				want = []string{tt.want}
			}
			require.Equal(t, want, judge(t, tt.test))
		})
	}
}

// TestOnlyAtOnce: code may read flags from many goroutines. The race detector is the
// judge.
func TestOnlyAtOnce(t *testing.T) {
	failures := judge(t, func(t testing.TB) {
		ctx := flagtest.Only(t, in(t, "u"), CartLimit)
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				for range 100 {
					CartLimit.In(ctx)
					Theme.In(ctx)
				}
			})
		}
		wait.Wait()
	})
	require.Len(t, failures, 1)
}
