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

// TestWhatNobodyAnswered: a request that came to nothing is a failure of its side, and
// so is one that nobody could classify.
func TestWhatNobodyAnswered(t *testing.T) {
	hangs := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	answers := func(http.ResponseWriter, *http.Request) {}
	tests := []struct {
		name     string
		page     http.HandlerFunc
		classify func(health.Response) health.Class
		want     health.Side
		panics   bool
	}{
		{"answered", answers, nil, health.Side{Successes: 1}, false},
		{"hung until the client gave up", hangs, nil, health.Side{Failures: 1}, false},
		{"answered, and then hung", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			hangs(w, r)
		}, nil, health.Side{Successes: 1}, false},
		{"panicked", func(http.ResponseWriter, *http.Request) { panic("boo") }, nil, health.Side{Failures: 1}, true},
		{"classified by panicking", answers, func(health.Response) health.Class { panic("boo") }, health.Side{Failures: 1}, false},
		{"classified by its status", hangs, func(r health.Response) health.Class {
			if r.Status == 0 {
				return health.Excluded
			}
			return health.Success
		}, health.Side{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := pages(t)
				guard, err := engineOn(t, &rollout.Memory{}).Guard(store, rollout.Guarded{Flag: steady, Classify: tt.classify, Ladder: []flag.Share{50 * flag.Percent, flag.All}, Judge: health.JudgeFunc(patient)})
				require.NoError(t, err)
				handler := flaghttp.Middleware(store, who)(guard.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					steady.On(r.Context())
					tt.page(w, r)
				})))
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				go guard.Run(ctx)
				synctest.Wait()
				client, giveUp := context.WithTimeout(t.Context(), time.Second)
				defer giveUp()
				r := httptest.NewRequestWithContext(client, http.MethodGet, "/", nil)
				r.Header.Set("X-User", between(t, store, 5*flag.Percent, 50*flag.Percent))
				serve := func() { handler.ServeHTTP(httptest.NewRecorder(), r) }
				if tt.panics {
					require.PanicsWithValue(t, "boo", serve)
				} else {
					serve()
				}
				got := guard.Progress().Sample.Candidate
				got.P50, got.P99 = 0, 0
				require.Equal(t, tt.want, got)
				cancel()
				synctest.Wait()
			})
		})
	}
}
