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

// TestNeverAnswered: what hangs counts as a failure when its time is over, on the side
// it was on, and not again when it comes back after all.
func TestNeverAnswered(t *testing.T) {
	for name, begun := range map[string]bool{"no answer": false, "an answer that does not end": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := pages(t)
				guard, err := engineOn(t, &rollout.Memory{}).Guard(store, rollout.Guarded{Flag: steady, Within: 5 * time.Second, Ladder: []flag.Share{50 * flag.Percent, flag.All}, Judge: health.JudgeFunc(patient)})
				require.NoError(t, err)
				wait := make(chan struct{})
				handler := flaghttp.Middleware(store, who)(guard.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					steady.On(r.Context())
					if begun {
						w.WriteHeader(http.StatusOK)
					}
					<-wait
				})))
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				go guard.Run(ctx)
				synctest.Wait()
				for _, user := range []string{between(t, store, 5*flag.Percent, 50*flag.Percent), between(t, store, 50*flag.Percent, flag.All)} {
					r := httptest.NewRequest(http.MethodGet, "/", nil)
					r.Header.Set("X-User", user)
					go handler.ServeHTTP(httptest.NewRecorder(), r)
				}
				sides := func() (in, out health.Side) {
					synctest.Wait()
					sample := guard.Progress().Sample
					in, out = sample.Candidate, sample.Baseline
					in.P50, in.P99, out.P50, out.P99 = 0, 0, 0, 0
					return in, out
				}
				time.Sleep(4 * time.Second)
				in, out := sides()
				require.Equal(t, [2]health.Side{}, [2]health.Side{in, out})
				time.Sleep(2 * time.Second)
				late := health.Side{Failures: 1}
				if begun {
					late = health.Side{}
				}
				in, out = sides()
				require.Equal(t, [2]health.Side{late, late}, [2]health.Side{in, out})
				close(wait)
				if begun {
					late = health.Side{Successes: 1}
				}
				in, out = sides()
				require.Equal(t, [2]health.Side{late, late}, [2]health.Side{in, out})
				cancel()
				synctest.Wait()
			})
		})
	}
}
