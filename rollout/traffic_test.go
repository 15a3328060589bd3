package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

var errNo = errors.New("no")

// losing is a site whose new side loses the better part of its requests before they
// count.
func losing(guard *rollout.Guard, store *flag.Store) *site {
	s := &site{random: rand.New(rand.NewPCG(1, 2))}
	s.handler = flaghttp.Middleware(store, who)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if newPage.On(r.Context()) && s.random.Float64() < 0.9 {
			return
		}
		guard.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { newPage.On(r.Context()) })).ServeHTTP(w, r)
	}))
	return s
}

// TestSampleRatio: a side that loses requests pauses the rollout, once, for a person
// who may continue it; or only reports; or nobody looks.
func TestSampleRatio(t *testing.T) {
	for want, mismatch := range map[string]rollout.Mismatch{"pause": rollout.MismatchPauses, "report": rollout.MismatchReports, "ignore": rollout.MismatchIgnored} {
		t.Run(want, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				journal, store := &rollout.Memory{}, pages(t)
				engine := engineOn(t, journal)
				guard, err := wrapped(engine.Guard(store, rollout.Guarded{Flag: newPage, Traffic: mismatch, Ladder: []flag.Share{50 * flag.Percent, flag.All}}))
				require.NoError(t, err)
				s := losing(guard, store)
				for range 6000 { // the history
					s.visit(fmt.Sprint("user-", s.random.IntN(5000)), "")
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go s.busy(ctx)
				var outcome rollout.Outcome
				done := make(chan struct{})
				go func() {
					defer close(done)
					var err error
					if outcome, err = guard.Run(ctx); err != nil {
						t.Error(err)
					}
				}()
				time.Sleep(9*time.Minute + time.Millisecond)
				p := guard.Progress()
				if require.Equal(t, want == "pause", p.Phase == "paused", p); want == "pause" {
					require.Contains(t, p.String(), "paused by judge traffic: ")
					require.Equal(t, flag.Share(50*flag.Percent), flag.Share(p.State.Share))
					require.NoError(t, engine.Act(ctx, "new-page", rollout.Act{Kind: rollout.Continue, Actor: "ann", Reason: "it is a cache"}))
				}
				if want != "ignore" {
					require.Equal(t, health.Fail, p.Traffic.Call)
					require.Contains(t, p.String(), "the sides' numbers of requests cannot be by chance: ")
				}
				<-done
				cancel()
				synctest.Wait()
				require.Equal(t, rollout.Succeeded, outcome)
				fails := 0
				for _, r := range records(t, journal) {
					if r.Look != nil && r.Look.Watch == "traffic" && r.Look.Verdict.Call == health.Fail {
						fails++
					}
				}
				require.Equal(t, want == "ignore", fails == 0)
			})
		})
	}
}

// TestJournalsWithoutTraffic: a rollout that began before its traffic was watched goes
// on as it began.
func TestJournalsWithoutTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &rollout.Memory{}
		var last rollout.Progress
		for _, traffic := range []rollout.Mismatch{rollout.MismatchIgnored, rollout.MismatchPauses} {
			store := pages(t)
			guard, err := engineOn(t, journal).Guard(store, rollout.Guarded{Flag: newPage, Traffic: traffic})
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 7*time.Minute)
			go newSite(guard, store, 0).busy(ctx)
			_, err = guard.Run(ctx)
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
			synctest.Wait()
			last = guard.Progress()
		}
		require.Equal(t, 10*flag.Percent, int(last.State.Share))
		require.Equal(t, "hold 10m0s and 20 requests under errors", last.Plan[1])
	})
}

// TestTwoFlagsAtOnce: of two changes on the same traffic the one that harms comes back,
// always, and the other one is not taken for it.
func TestTwoFlagsAtOnce(t *testing.T) {
	runs := 30
	if raceEnabled || testing.Short() {
		runs = 5
	}
	bad, fine := flag.Bool("two-bad", false), flag.Bool("two-fine", false)
	falls := 0
	for seed := range runs {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			cryptotest.SetGlobalRandom(t, uint64(seed))
			synctest.Test(t, func(t *testing.T) {
				store := flag.New(flag.Bytes([]byte(`{"flags": {"two-bad": {}, "two-fine": {}}}`)), flag.Options{})
				require.NoError(t, store.Load(t.Context()))
				engine := engineOn(t, &rollout.Memory{})
				s := &site{random: rand.New(rand.NewPCG(uint64(seed), 1))}
				handler := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					fine.On(r.Context())
					if bad.On(r.Context()) && s.random.Float64() < 0.5 || s.random.Float64() < 0.01 {
						w.WriteHeader(http.StatusInternalServerError)
					}
				}))
				outcomes := map[flag.Switch]*rollout.Outcome{bad: new(rollout.Outcome), fine: new(rollout.Outcome)}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var guards []*rollout.Guard
				for _, f := range []flag.Switch{bad, fine} {
					guard, err := engine.Guard(store, rollout.Guarded{Flag: f, Ladder: []flag.Share{10 * flag.Percent, 50 * flag.Percent, flag.All}, Hold: 2 * time.Minute, Traffic: rollout.MismatchReports})
					require.NoError(t, err)
					handler, guards = guard.Middleware(handler), append(guards, guard)
				}
				s.handler = flaghttp.Middleware(store, who)(handler)
				done := make(chan struct{})
				for i, f := range []flag.Switch{bad, fine} {
					go func() {
						var err error
						if *outcomes[f], err = guards[i].Run(ctx); err != nil {
							t.Error(err)
						}
						done <- struct{}{}
					}()
				}
				time.Sleep(time.Millisecond) // nothing happens at the instant of a look
				go s.busy(ctx)
				<-done
				<-done
				cancel()
				synctest.Wait()
				require.Equal(t, rollout.RolledBack, *outcomes[bad])
				if *outcomes[fine] == rollout.RolledBack {
					falls++
				}
			})
		})
	}
	require.LessOrEqual(t, falls, 5, "of %d, where one in twenty may", runs)
	t.Logf("%d of %d harmless ones came back", falls, runs)
}

// TestSharedSalts: a flag that some have already is not guarded while another one
// exposes the same users.
func TestSharedSalts(t *testing.T) {
	tests := []struct {
		name, other, want string
	}{
		{"a ramp", `"other": {"salt": "steady", "ramp": {"percent": 20}}`, `flag "other" has a ramp with the same salt "steady"`},
		{"a rule's ramp", `"other": {"rules": [{"if": {"attr": "beta", "eq": true}, "ramp": {"percent": 20, "salt": "steady"}}]}`, `flag "other" has a ramp with the same salt "steady"`},
		{"another salt", `"other": {"ramp": {"percent": 20}}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := flag.New(flag.Bytes([]byte(`{"flags": {"steady": {"ramp": {"percent": 5}}, `+tt.other+`}}`)), flag.Options{})
			require.NoError(t, store.Load(t.Context()))
			_, err := engineOn(t, &rollout.Memory{}).Guard(store, rollout.Guarded{Flag: steady})
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, rollout.ErrConflict)
			require.ErrorContains(t, err, tt.want)
		})
	}
}
