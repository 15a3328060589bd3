package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// counted is both sides without their latencies, and what was skipped.
func counted(guard *rollout.Guard) (in, out health.Side, skipped rollout.Skipped) {
	synctest.Wait()
	p := guard.Progress()
	in, out = p.Sample.Candidate, p.Sample.Baseline
	in.P50, in.P99, out.P50, out.P99 = 0, 0, 0, 0
	return in, out, p.Skipped
}

// TestWork: work counts once, by its error, on the side on which its flag was
// evaluated, and not without that.
func TestWork(t *testing.T) {
	errBad := errors.New("bad")
	good, bad := health.Side{Successes: 1}, health.Side{Failures: 1}
	asks := func(ctx context.Context) { steady.On(ctx) }
	tests := []struct {
		name    string
		work    func(context.Context, *rollout.Guard)
		in      health.Side
		skipped rollout.Skipped
	}{
		{"good", func(ctx context.Context, g *rollout.Guard) {
			_ = g.Do(ctx, func(ctx context.Context) error { asks(ctx); return nil })
		}, good, rollout.Skipped{}},
		{"bad", func(ctx context.Context, g *rollout.Guard) {
			if err := g.Do(ctx, func(ctx context.Context) error { asks(ctx); return errBad }); !errors.Is(err, errBad) {
				panic(err)
			}
		}, bad, rollout.Skipped{}},
		{"panics", func(ctx context.Context, g *rollout.Guard) {
			defer func() { _ = recover() }()
			_ = g.Do(ctx, func(ctx context.Context) error { asks(ctx); panic("boo") })
		}, bad, rollout.Skipped{}},
		{"not asked", func(ctx context.Context, g *rollout.Guard) {
			_ = g.Do(ctx, func(context.Context) error { return errBad })
		}, health.Side{}, rollout.Skipped{NotAsked: 1}},
		{"asked when it was done", func(ctx context.Context, g *rollout.Guard) {
			g.Begin(ctx).Done(nil)
			asks(ctx)
		}, health.Side{}, rollout.Skipped{NotAsked: 1}},
		{"no view", func(_ context.Context, g *rollout.Guard) {
			w := g.Begin(context.Background())
			w.Done(errBad)
			_ = g.Do(context.Background(), func(ctx context.Context) error { asks(ctx); return nil })
		}, health.Side{}, rollout.Skipped{NoView: 2}},
		{"done twice, elsewhere", func(ctx context.Context, g *rollout.Guard) {
			w := g.Begin(ctx)
			asks(ctx)
			go func() { w.Done(nil); w.Done(errBad) }()
		}, good, rollout.Skipped{}},
		{"never done", func(ctx context.Context, g *rollout.Guard) {
			w := g.Begin(ctx)
			asks(ctx)
			time.Sleep(6 * time.Second)
			w.Done(nil)
		}, bad, rollout.Skipped{}},
		{"done late", func(ctx context.Context, g *rollout.Guard) {
			w := g.Begin(ctx)
			asks(ctx)
			time.Sleep(4 * time.Second)
			w.Done(nil)
			time.Sleep(4 * time.Second)
		}, good, rollout.Skipped{}},
		{"begun in time", func(ctx context.Context, g *rollout.Guard) {
			w := g.Begin(ctx)
			asks(ctx)
			time.Sleep(4 * time.Second)
			w.Begun()
			time.Sleep(4 * time.Second)
			w.Done(nil)
		}, good, rollout.Skipped{}},
		{"begun in time, and failed", func(ctx context.Context, g *rollout.Guard) {
			w := g.Begin(ctx)
			asks(ctx)
			w.Begun()
			w.Done(errBad)
		}, bad, rollout.Skipped{}},
		{"begun too late", func(ctx context.Context, g *rollout.Guard) {
			w := g.Begin(ctx)
			asks(ctx)
			time.Sleep(6 * time.Second)
			w.Begun()
			w.Done(nil)
		}, bad, rollout.Skipped{}},
		{"one late, and others meanwhile, each once", func(ctx context.Context, g *rollout.Guard) {
			once := func(context.Context) error { return nil }
			_ = g.Do(ctx, func(ctx context.Context) error {
				time.Sleep(6 * time.Second)
				return g.Do(ctx, func(ctx context.Context) error { return g.Do(ctx, once) })
			})
			_ = g.Do(ctx, once)
		}, health.Side{}, rollout.Skipped{NotAsked: 4}},
		{"never returns", func(ctx context.Context, g *rollout.Guard) {
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = g.Do(ctx, func(ctx context.Context) error { asks(ctx); runtime.Goexit(); return nil })
			}()
			<-done
		}, bad, rollout.Skipped{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := flag.New(flag.Bytes([]byte(pageFlags)), flag.Options{})
				require.NoError(t, store.Load(t.Context()))
				guard, err := engineOn(t, &rollout.Memory{}).Guard(store, rollout.Guarded{Flag: steady, Manual: true, Within: 5 * time.Second, Ladder: []flag.Share{50 * flag.Percent, flag.All}, Judge: health.JudgeFunc(patient)})
				require.NoError(t, err)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				go guard.Run(ctx)
				synctest.Wait()
				view := store.View(flag.For(between(t, store, 5*flag.Percent, 50*flag.Percent)))
				tt.work(flag.NewContext(t.Context(), view), guard)
				in, out, skipped := counted(guard)
				require.Equal(t, tt.in, in)
				require.Zero(t, out)
				require.Equal(t, tt.skipped, skipped)
				cancel()
				synctest.Wait()
			})
		})
	}
}

// TestAnonymousUnits: requests without a key are compared, each as a unit, if they
// are given one.
func TestAnonymousUnits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := pages(t)
		guard, err := engineOn(t, &rollout.Memory{}).Guard(store, rollout.Guarded{Flag: newPage, Ladder: []flag.Share{50 * flag.Percent, flag.All}})
		require.NoError(t, err)
		handler := flaghttp.Middleware(store, func(*http.Request) flag.Subject { return flag.Anonymous() })(guard.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			newPage.On(r.Context())
			w.WriteHeader(http.StatusInternalServerError)
		})))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		go guard.Run(ctx)
		synctest.Wait()
		for range 4 {
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		}
		p := guard.Progress()
		require.Zero(t, p.Skipped)
		require.Equal(t, 4, p.Sample.Units)
		cancel()
		synctest.Wait()
	})
}

// TestGuardAllocations: at most two a request beyond those of the flag middleware.
func TestGuardAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget")
	}
	store := pages(t)
	guard, err := engineOn(t, &rollout.Memory{}).Guard(store, rollout.Guarded{Flag: newPage})
	require.NoError(t, err)
	page := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { newPage.On(r.Context()) })
	r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
	r.Header.Set("X-User", "user-1")
	allocations := func(handler http.Handler) float64 {
		return testing.AllocsPerRun(1000, func() { handler.ServeHTTP(w, r) })
	}
	bare := allocations(flaghttp.Middleware(store, who)(page))
	guarded := allocations(flaghttp.Middleware(store, who)(guard.Middleware(page)))
	require.LessOrEqual(t, guarded, bare+2)
}

// TestWorkAllocations: work takes its timer, and what outlives the call its handle, too.
func TestWorkAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget")
	}
	store := pages(t)
	guard, err := engineOn(t, &rollout.Memory{}).Guard(store, rollout.Guarded{Flag: newPage, Manual: true})
	require.NoError(t, err)
	request := func(work func(context.Context)) float64 {
		return testing.AllocsPerRun(1000, func() { work(flag.NewContext(context.Background(), store.View(flag.For("user-1")))) })
	}
	bare := request(func(ctx context.Context) { newPage.On(ctx) })
	done := request(func(ctx context.Context) {
		_ = guard.Do(ctx, func(ctx context.Context) error { newPage.On(ctx); return nil })
	})
	begun := request(func(ctx context.Context) {
		w := guard.Begin(ctx)
		newPage.On(ctx)
		w.Done(nil)
	})
	require.LessOrEqual(t, done, bare+1)
	require.LessOrEqual(t, begun, bare+3)
}

// TestHistory: from the moment it is guarded, a flag that nobody has is decided by its
// ramp, so that there is a history; and still nobody has it.
func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := pages(t)
		guard, err := engineOn(t, &rollout.Memory{}).Guard(store, rollout.Guarded{Flag: newPage})
		require.NoError(t, err)
		s := newSite(guard, store, 1)
		for i := range 1000 {
			require.Equal(t, http.StatusOK, s.visit(fmt.Sprint("user-", i), ""))
		}
		history := guard.Progress().Sample.Tables
		require.Len(t, history, 1)
		require.Zero(t, history[0].Ramp)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = guard.Run(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, history, guard.Progress().Sample.Tables)
	})
}

// TestWaitingLeavesOthersAlone: what somebody has killed stays killed, by whom.
func TestWaitingLeavesOthersAlone(t *testing.T) {
	store, me := pages(t), flag.Change{Actor: "me", Reason: "test"}
	require.NoError(t, store.Kill("new-page", me))
	_, err := engineOn(t, &rollout.Memory{}).Guard(store, rollout.Guarded{Flag: newPage})
	require.NoError(t, err)
	status, err := store.Status("new-page")
	require.NoError(t, err)
	require.True(t, status.Killed)
	require.Equal(t, me, status.Change)
}

// TestNoView: where no request could have a view, Run is refused before it exposes
// anybody.
func TestNoView(t *testing.T) {
	journal, store := &rollout.Memory{}, flag.New(flag.Bytes([]byte(pageFlags)), flag.Options{})
	require.NoError(t, store.Load(t.Context()))
	guard, err := wrapped(engineOn(t, journal).Guard(store, rollout.Guarded{Flag: newPage}))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second) // it would run for half an hour
	defer cancel()
	_, err = guard.Run(ctx)
	require.ErrorIs(t, err, rollout.ErrInvalid)
	require.ErrorContains(t, err, "no flaghttp.Middleware was made for these flags")
	require.Empty(t, records(t, journal))
}
