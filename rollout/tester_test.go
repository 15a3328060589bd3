package rollout_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// TestTestersAreNoEvidence: a request that overrides a flag, be it another one, counts on
// neither side, whatever its outcome and whichever middleware is around the other.
func TestTestersAreNoEvidence(t *testing.T) {
	tests := []struct {
		name     string
		variants map[string]string
	}{
		{"the guarded flag, on", map[string]string{"steady": "on"}},
		{"the guarded flag, off", map[string]string{"steady": "off"}},
		{"another flag", map[string]string{"new-page": "on"}},
		{"both", map[string]string{"steady": "on", "new-page": "on"}},
	}
	for _, tt := range tests {
		for _, place := range []string{"testers around the guard", "guard around the testers"} {
			t.Run(tt.name+"/"+place, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					store, guard := guarding(t)
					testers, err := flaghttp.NewTesters([]byte("sixteen bytes or more"), flaghttp.TesterOptions{})
					require.NoError(t, err)
					token, err := testers.Sign(tt.variants, time.Now().Add(time.Hour))
					require.NoError(t, err)
					page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						steady.On(r.Context())
						newPage.On(r.Context())
						w.WriteHeader(http.StatusInternalServerError)
					})
					inner := testers.Middleware(guard.Middleware(page))
					if place == "guard around the testers" {
						inner = guard.Middleware(testers.Middleware(page))
					}
					handler := flaghttp.Middleware(store, who)(inner)
					visit := func(user, token string) {
						r := httptest.NewRequest(http.MethodGet, "/", nil)
						r.Header.Set("X-User", user)
						r.Header.Set("Guidon-Overrides", token)
						handler.ServeHTTP(httptest.NewRecorder(), r)
					}
					in, out := between(t, store, 5*flag.Percent, 50*flag.Percent), between(t, store, 50*flag.Percent, flag.All)
					visit(in, token)
					visit(out, token)
					candidate, baseline, skipped := counted(guard)
					require.Zero(t, candidate)
					require.Zero(t, baseline)
					require.Equal(t, rollout.Skipped{NotByRamp: 2}, skipped)
					visit(in, "")
					visit(out, token+"forged")
					candidate, baseline, skipped = counted(guard)
					require.Equal(t, []uint64{1, 1}, []uint64{candidate.Failures, baseline.Failures}, "who overrides nothing counts")
					require.Equal(t, rollout.Skipped{NotByRamp: 2}, skipped)
				})
			})
		}
	}
}

// TestOverriddenWork: the same for work that is no request, of which the guard has seen
// only the view that overrides nothing.
func TestOverriddenWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, guard := guarding(t)
		view := store.View(flag.For(between(t, store, 5*flag.Percent, 50*flag.Percent)))
		for _, makes := range []func(*flag.View) *flag.View{
			func(v *flag.View) *flag.View { return steady.Override(v, true) },
			func(v *flag.View) *flag.View { v, _ = v.With("steady", "on"); return v },
		} {
			err := guard.Do(flag.NewContext(t.Context(), view), func(ctx context.Context) error {
				steady.On(flag.NewContext(ctx, makes(view)))
				return context.Canceled
			})
			require.ErrorIs(t, err, context.Canceled)
		}
		in, out, skipped := counted(guard)
		require.Zero(t, in)
		require.Zero(t, out)
		require.Equal(t, rollout.Skipped{NotByRamp: 2}, skipped)
	})
}

// guarding returns a guard of steady that runs at 50 % until the test ends, in a bubble.
func guarding(t *testing.T) (*flag.Store, *rollout.Guard) {
	t.Helper()
	store := pages(t)
	guard, err := engineOn(t, &rollout.Memory{}).Guard(store, rollout.Guarded{Flag: steady, Manual: true, Ladder: []flag.Share{50 * flag.Percent, flag.All}, Judge: health.JudgeFunc(patient)})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	go guard.Run(ctx)
	synctest.Wait()
	t.Cleanup(func() {
		cancel()
		synctest.Wait()
	})
	return store, guard
}
