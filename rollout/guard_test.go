package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
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

var (
	newPage = flag.Bool("new-page", false)
	beta    = flag.Attr[bool]("beta")
)

const pageFlags = `{"flags": {"new-page": {"rules": [{"if": {"attr": "beta", "eq": true}, "serve": "on"}]}, "steady": {"ramp": {"percent": 5}}}}`

func pages(t testing.TB) *flag.Store {
	t.Helper()
	sameSalts(t)
	store := flag.New(flag.Bytes([]byte(pageFlags)), flag.Options{})
	require.NoError(t, store.Load(t.Context()))
	flaghttp.Middleware(store, who)
	return store
}

// sameSalts draws the same salts in each run of a test: by others, a judge would be
// wrong in one run of twenty, as it promises.
func sameSalts(t testing.TB) {
	if t, ok := t.(*testing.T); ok {
		if _, already := salted.LoadOrStore(t.Name(), true); !already {
			t.Cleanup(func() { salted.Delete(t.Name()) })
			cryptotest.SetGlobalRandom(t, 1)
		}
	}
}

var salted sync.Map

func who(r *http.Request) flag.Subject {
	return flag.For(r.Header.Get("X-User"), beta.Is(r.Header.Get("X-Beta") == "yes"))
}

// site is a handler whose new page fails for some requests, and who sent them.
type site struct {
	handler http.Handler
	random  *rand.Rand
}

func newSite(guard *rollout.Guard, store *flag.Store, failing float64) *site {
	s := &site{random: rand.New(rand.NewPCG(1, 2))}
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if newPage.On(r.Context()) && s.random.Float64() < failing {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	s.handler = flaghttp.Middleware(store, who)(guard.Middleware(page))
	return s
}

func (s *site) visit(user, header string) int {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("X-User", user)
	if header != "" {
		r.Header.Set(header, "yes")
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w.Code
}

// busy visits ten times a second until the context ends.
func (s *site) busy(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if ctx.Err() != nil {
				return // both were ready, and select does not care
			}
			s.visit(fmt.Sprint("user-", s.random.IntN(5000)), "")
		}
	}
}

// wrapped is a guard whose middleware stands somewhere.
func wrapped(guard *rollout.Guard, err error) (*rollout.Guard, error) {
	if err == nil {
		guard.Middleware(http.NotFoundHandler())
	}
	return guard, err
}

func engineOn(t testing.TB, journal rollout.Journal) *rollout.Engine {
	t.Helper()
	engine, err := rollout.New(journal, rollout.Options{Service: "site", Environment: "test"})
	require.NoError(t, err)
	return engine
}

func TestGuardedRollouts(t *testing.T) {
	tests := []struct {
		name    string
		failing float64
		want    rollout.Outcome
		share   flag.Share
	}{
		{"good", 0, rollout.Succeeded, flag.All},
		{"bad", 0.3, rollout.RolledBack, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, journal := pages(t), &rollout.Memory{}
				guard, err := engineOn(t, journal).Guard(store, rollout.Guarded{Flag: newPage})
				require.NoError(t, err)
				s := newSite(guard, store, tt.failing)
				ctx, cancel := context.WithCancel(t.Context())
				go s.busy(ctx)
				began := time.Now()
				outcome, err := guard.Run(ctx)
				cancel()
				synctest.Wait()
				require.NoError(t, err)
				require.Equal(t, tt.want, outcome)
				p := guard.Progress()
				require.Equal(t, tt.want, p.State.Outcome)
				status, err := store.Status("new-page")
				require.NoError(t, err)
				require.Equal(t, tt.share, status.Ramp.Share)
				if tt.want == rollout.Succeeded {
					require.GreaterOrEqual(t, time.Since(began), 30*time.Minute, "three holds of ten minutes")
				} else {
					require.Contains(t, p.State.Reason, "a harmless change is rolled back with probability at most 5 %")
					require.Equal(t, "judge errors", p.State.Actor)
				}
				checkJournal(t, journal)
				// Whoever starts next finds the flag where the journal has it, at once.
				next := pages(t)
				again, err := engineOn(t, journal).Guard(next, rollout.Guarded{Flag: newPage})
				require.NoError(t, err)
				status, err = next.Status("new-page")
				require.NoError(t, err)
				require.Equal(t, tt.share, status.Ramp.Share)
				outcome, err = again.Run(t.Context())
				require.NoError(t, err)
				require.Equal(t, tt.want, outcome)
			})
		})
	}
}

// TestGuardNeedsTraffic: time alone promotes nothing, and the reason is there to
// be read.
func TestGuardNeedsTraffic(t *testing.T) {
	noShortRace(t)
	synctest.Test(t, func(t *testing.T) {
		store := pages(t)
		guard, err := engineOn(t, &rollout.Memory{}).Guard(store, rollout.Guarded{Flag: newPage})
		require.NoError(t, err)
		plain := guard.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		plain.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		_, err = guard.Run(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		p := guard.Progress()
		require.Equal(t, 1*flag.Percent, int(p.State.Share))
		require.Contains(t, p.String(), "this hold has 0 of 20 requests on the new side; of the requests that do not count, 1 came without a view of the flags: put flaghttp.Middleware around the guard")
	})
}

// TestWhoIsCompared: only requests that evaluated the flag, and that this rollout's
// ramp decided.
func TestWhoIsCompared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := pages(t)
		guard, err := engineOn(t, &rollout.Memory{}).Guard(store, rollout.Guarded{Flag: newPage, Ladder: []flag.Share{50 * flag.Percent, flag.All}, Hold: time.Hour})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		s := newSite(guard, store, 0)
		count := func() int {
			sample := guard.Progress().Sample
			return int(sample.Candidate.Requests() + sample.Baseline.Requests())
		}
		s.visit("early", "")
		require.Equal(t, 0, count(), "before the first exposure")
		go guard.Run(ctx)
		time.Sleep(time.Minute)
		s.visit("user", "")
		require.Equal(t, 1, count(), "the ramp decided")
		s.visit("user", "X-Beta")
		s.visit("", "")
		require.Equal(t, 1, count(), "a rule decided, or nobody could")
		ignorant := flaghttp.Middleware(store, who)(guard.Middleware(http.NotFoundHandler()))
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("X-User", "user")
		ignorant.ServeHTTP(httptest.NewRecorder(), r)
		require.Equal(t, 1, count(), "the flag was not evaluated")
		panicking := flaghttp.Middleware(store, who)(guard.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			newPage.On(r.Context())
			panic("broken")
		})))
		require.PanicsWithValue(t, "broken", func() { panicking.ServeHTTP(httptest.NewRecorder(), r) })
		sample := guard.Progress().Sample
		require.Equal(t, 2, count())
		require.Equal(t, uint64(1), sample.Candidate.Failures+sample.Baseline.Failures)
		require.Equal(t, rollout.Skipped{NotAsked: 1, NotByRamp: 2}, guard.Progress().Skipped)
		cancel()
		synctest.Wait()
	})
}

// TestGuardCountsForItsJudge: the sample has for how long somebody has been exposed,
// over holds and restarts, and what Guarded.Cohorts asks for.
func TestGuardCountsForItsJudge(t *testing.T) {
	noShortRace(t)
	synctest.Test(t, func(t *testing.T) {
		guarded := rollout.Guarded{
			Flag: newPage, Hold: 10 * time.Minute, Exposed: 1, Ladder: []flag.Share{10 * flag.Percent, 50 * flag.Percent, flag.All},
			Cohorts: health.CohortsOptions{Slow: []time.Duration{time.Second}, Harm: 2, Strict: 1, Floor: 7, Seed: 7},
		}
		journal := &rollout.Memory{}
		var seed uint64
		for session := range 3 {
			store := pages(t)
			guard, err := engineOn(t, journal).Guard(store, guarded)
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
			go newSite(guard, store, 0).busy(ctx)
			_, err = guard.Run(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			cancel()
			synctest.Wait()
			sample := guard.Progress().Sample
			require.Equal(t, time.Duration(session+1)*6*time.Minute, sample.Elapsed)
			require.NotContains(t, []uint64{0, 7}, sample.Options.Seed)
			if session > 0 {
				require.Equal(t, seed, sample.Options.Seed, "the rollout's own")
			}
			seed = sample.Options.Seed
			sample.Options.Seed = 0
			require.Equal(t, health.SampleOptions{Slow: guarded.Cohorts.Slow, Harm: 2, Strict: 2}, sample.Options)
			require.NotEmpty(t, sample.Tables)
		}
	})
}

// TestGuardsDefaultJudge: of errors, and of latency if there are thresholds, for as
// long as the holds take.
func TestGuardsDefaultJudge(t *testing.T) {
	noShortRace(t)
	synctest.Test(t, func(t *testing.T) {
		for slow, want := range map[time.Duration]rollout.Outcome{0: rollout.Succeeded, 100 * time.Millisecond: rollout.RolledBack} {
			store := pages(t)
			guarded := rollout.Guarded{Flag: newPage}
			if slow > 0 {
				guarded.Cohorts.Slow = []time.Duration{slow}
			}
			guard, err := engineOn(t, &rollout.Memory{}).Guard(store, guarded)
			require.NoError(t, err)
			s := newSite(guard, store, 0)
			s.handler = flaghttp.Middleware(store, who)(guard.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if newPage.On(r.Context()) {
					time.Sleep(150 * time.Millisecond)
				}
			})))
			ctx, cancel := context.WithCancel(t.Context())
			go s.busy(ctx)
			outcome, err := guard.Run(ctx)
			cancel()
			time.Sleep(time.Second) // for the last visit to come to its end
			synctest.Wait()
			require.NoError(t, err)
			require.Equal(t, want, outcome)
			if want == rollout.RolledBack {
				require.Contains(t, guard.Progress().State.Reason, "candidate takes 150ms (p50)")
			}
		}
	})
}

// TestGuardKeepsAnEarlierRamp: a flag that some users have already goes on from
// there, and comes back to there.
func TestGuardKeepsAnEarlierRamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := pages(t)
		steady := flag.Bool("steady", false)
		before, err := store.Status("steady")
		require.NoError(t, err)
		journal := &rollout.Memory{}
		guard, err := engineOn(t, journal).Guard(store, rollout.Guarded{Flag: steady, Ladder: []flag.Share{1 * flag.Percent, 50 * flag.Percent, flag.All},
			Judge: health.JudgeFunc(func(health.State, health.Sample) (health.Verdict, health.State) {
				return health.Verdict{Call: health.Fail, Reason: "no"}, nil
			})})
		guard.Middleware(http.NotFoundHandler())
		require.NoError(t, err)
		outcome, err := guard.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, rollout.RolledBack, outcome)
		after, err := store.Status("steady")
		require.NoError(t, err)
		require.Equal(t, before.Ramp, after.Ramp)
		p := guard.Progress()
		require.Equal(t, 50*flag.Percent, int(p.State.Peak))
		require.Equal(t, []string{"shift from 5 % to 50 %", "hold 10m0s and 20 requests under errors, traffic", "shift from 50 % to 100 %", "promote"}, p.Plan)
	})
}

// TestSomebodyElseMoves: whoever kills, disables, clears or ramps a flag under a
// guard ends the rollout, and the journal says who.
func TestSomebodyElseMoves(t *testing.T) {
	me := flag.Change{Actor: "oncall", Reason: "orders are lost"}
	data := pageFlags
	tests := []struct {
		name   string
		change func(*flag.Store) error
		want   string
	}{
		{"kill", func(s *flag.Store) error { return s.Kill("new-page", me) }, "killed by oncall: orders are lost"},
		{"ramp", func(s *flag.Store) error { return s.SetRamp("new-page", flag.Ramp{Share: 3 * flag.Percent}, me) }, "changed by oncall: orders are lost"},
		{"the same ramp of others", func(s *flag.Store) error {
			return s.SetRamp("new-page", flag.Ramp{Share: 1 * flag.Percent, Salt: "else"}, flag.Change{Actor: "guidon", Reason: "else"})
		}, "changed by guidon: else"},
		{"clear", func(s *flag.Store) error { return s.Clear("new-page", me) }, "read back 0 %, want 1 %"},
		{"disable", func(s *flag.Store) error {
			data = `{"flags": {"new-page": {"disabled": true}}}`
			return s.Load(t.Context())
		}, "disabled"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				data = pageFlags
				store := flag.New(flag.SourceFunc(func(context.Context) ([]byte, error) { return []byte(data), nil }), flag.Options{})
				require.NoError(t, store.Load(t.Context()))
				flaghttp.Middleware(store, who)
				journal := &rollout.Memory{}
				guard, err := wrapped(engineOn(t, journal).Guard(store, rollout.Guarded{Flag: newPage}))
				require.NoError(t, err)
				time.AfterFunc(time.Minute, func() {
					if err := tt.change(store); err != nil {
						t.Error(err)
					}
				})
				outcome, err := guard.Run(t.Context())
				require.NoError(t, err)
				require.Equal(t, rollout.RolledBack, outcome)
				require.Contains(t, guard.Progress().String(), "new-page: rolled back at 0 %: "+tt.want+" (during hold 10m0s and 20 requests under errors, traffic)")
				checkJournal(t, journal)
				status, err := store.Status("new-page")
				require.NoError(t, err)
				require.Zero(t, status.Ramp.Share, "clearing the kill exposes nobody")
			})
		})
	}
}

// TestGuardNeedsItsMiddleware: a rollout that could not judge anything is refused
// before it exposes anybody.
func TestGuardNeedsItsMiddleware(t *testing.T) {
	for want, wire := range map[string]func(*rollout.Guard, *flag.Store){
		"guard.Middleware was never called, so no request could be judged": func(*rollout.Guard, *flag.Store) {},
		"guard.Middleware stands around flaghttp.Middleware, where no request has a view of the flags yet, so none could be judged: want flaghttp.Middleware(flags, who)(guard.Middleware(handler))": func(guard *rollout.Guard, store *flag.Store) {
			guard.Middleware(flaghttp.Middleware(store, who)(http.NotFoundHandler()))
		},
	} {
		journal, store := &rollout.Memory{}, pages(t)
		guard, err := engineOn(t, journal).Guard(store, rollout.Guarded{Flag: newPage})
		require.NoError(t, err)
		wire(guard, store)
		_, err = guard.Run(t.Context())
		require.EqualError(t, err, "rollout: run new-page: invalid request: "+want)
		require.Empty(t, records(t, journal))
	}
}

// TestOneGuardAFlag: a second guard of a flag is refused until the first rollout is
// over.
func TestOneGuardAFlag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, engine := pages(t), engineOn(t, &rollout.Memory{})
		one, err := wrapped(engine.Guard(store, rollout.Guarded{Flag: newPage, ID: "one"}))
		require.NoError(t, err)
		for _, id := range []string{"one", "two"} {
			_, err = engine.Guard(store, rollout.Guarded{Flag: newPage, ID: id})
			require.ErrorIs(t, err, rollout.ErrConflict)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go one.Run(ctx)
		synctest.Wait()
		_, err = one.Run(ctx)
		require.ErrorIs(t, err, rollout.ErrRunning)
		cancel()
		synctest.Wait()
		require.NoError(t, store.Kill("new-page", flag.Change{Actor: "me", Reason: "test"}))
		outcome, err := one.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, rollout.RolledBack, outcome)
		_, err = engine.Guard(store, rollout.Guarded{Flag: newPage, ID: "two"})
		require.NoError(t, err)
	})
}

func TestFreshSalts(t *testing.T) {
	salted.Store(t.Name(), true) // these salts really are drawn
	defer salted.Delete(t.Name())
	salts := map[string]bool{}
	for range 3 {
		synctest.Test(t, func(t *testing.T) {
			store, journal := pages(t), &rollout.Memory{}
			guard, err := wrapped(engineOn(t, journal).Guard(store, rollout.Guarded{Flag: newPage}))
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err = guard.Run(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			status, err := store.Status("new-page")
			require.NoError(t, err)
			salts[status.Ramp.Salt] = true
			// A resumed rollout keeps its salt: nobody changes sides.
			next := pages(t)
			_, err = engineOn(t, journal).Guard(next, rollout.Guarded{Flag: newPage})
			require.NoError(t, err)
			again, err := next.Status("new-page")
			require.NoError(t, err)
			require.Equal(t, status.Ramp, again.Ramp)
		})
	}
	require.Len(t, salts, 3)
}

func TestGuardRefuses(t *testing.T) {
	no := rollout.Gate(func(context.Context) error { return errors.New("no") })
	tests := []struct {
		name    string
		guarded rollout.Guarded
		is      error
		want    []string
	}{
		{"no flag", rollout.Guarded{}, rollout.ErrInvalid, []string{"flag: missing"}},
		{"a flag that is not there", rollout.Guarded{Flag: flag.Bool("nowhere", false)}, flag.ErrNotFound, []string{"nowhere: no such flag in the document"}},
		{"impossible settings, all at once", rollout.Guarded{Flag: newPage, Ladder: []flag.Share{50 * flag.Percent, 5 * flag.Percent}, Hold: -1, Exposed: -2}, rollout.ErrInvalid,
			[]string{"want a list that ends at 100 %", "weights[1]: found 5 % after 50 %", "hold: found -1ns", "exposed: found -2"}},
		{"whatever else is wrong beside the ladder", rollout.Guarded{Flag: newPage, Ladder: []flag.Share{50, 5 * flag.Percent}, Within: -1, Look: -1, Traffic: 9, Judge: health.FirstFailure{Alpha: 2},
			Cohorts: health.CohortsOptions{Strict: 1}, Before: map[string]rollout.Gate{"smoke": nil}, Alarms: map[string]rollout.Gate{"db": nil}, Deadlines: rollout.Deadlines{Pause: rollout.Deadline{Within: -1}}}, rollout.ErrInvalid,
			[]string{"want a list that ends at 100 %", "0.05 % is no whole step", "within: found -1ns", "traffic: found 9", "look, step timeout: found -1ns", "alpha is 2", `gates: "smoke"`, `alarms: "db"`, "deadlines: pause: found -1ns"}},
		{"whatever else is wrong beside a plan that is right", rollout.Guarded{Flag: newPage, Within: -1, Look: -1, Deadlines: rollout.Deadlines{Overall: rollout.Deadline{Within: 1}}}, rollout.ErrInvalid,
			[]string{"within: found -1ns", "look, step timeout: found -1ns", "overall: found 1ns, want more than the plan's holds"}},
		{"a budget beside a ladder", rollout.Guarded{Flag: newPage, Ladder: []flag.Share{flag.All}, Budget: &rollout.Budget{}, Look: -1}, rollout.ErrInvalid, []string{"budget: given beside rungs, ladder or hold", "look, step timeout: found -1ns"}},
		{"nothing left to move", rollout.Guarded{Flag: flag.Bool("steady", false), Ladder: []flag.Share{}}, rollout.ErrInvalid, []string{"want a list that ends at 100 %"}},
		{"no time to answer", rollout.Guarded{Flag: newPage, Within: -1}, rollout.ErrInvalid, []string{"within: found -1ns, want more than 0"}},
		{"a ladder too fine for strict mode", rollout.Guarded{Flag: newPage, Ladder: []flag.Share{50, flag.All}, Cohorts: health.CohortsOptions{Strict: 1}}, rollout.ErrInvalid, []string{"ladder: 0.05 % is no whole step of 0.1 %, which strict mode needs"}},
		{"an impossible alpha", rollout.Guarded{Flag: newPage, Judge: health.FirstFailure{Alpha: 2}}, rollout.ErrInvalid, []string{"alpha is 2, want between 0 and 1"}},
		{"another request with a known ID", rollout.Guarded{Flag: newPage, ID: "known", Hold: time.Minute}, rollout.ErrConflict, []string{`the journal has this ID for another plan: its step 2 is "hold 10m0s and 20 requests under errors, traffic", and this one's "hold 1m0s and 20 requests under errors, traffic"`}},
		{"no gate under a name", rollout.Guarded{Flag: flag.Bool("steady", false), Before: map[string]rollout.Gate{"smoke": nil}}, rollout.ErrInvalid, []string{`gates: "smoke" is in the plan and bound to nothing`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				journal := &rollout.Memory{}
				if tt.is == rollout.ErrConflict {
					guard, err := wrapped(engineOn(t, journal).Guard(pages(t), rollout.Guarded{Flag: newPage, ID: "known"}))
					require.NoError(t, err)
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					_, err = guard.Run(ctx)
					require.ErrorIs(t, err, context.DeadlineExceeded)
				}
				before := len(records(t, journal))
				_, err := engineOn(t, journal).Guard(pages(t), tt.guarded)
				require.ErrorIs(t, err, tt.is)
				for _, want := range tt.want {
					require.ErrorContains(t, err, want)
				}
				require.Len(t, records(t, journal), before)
			})
		})
	}
	t.Run("a gate says no", func(t *testing.T) {
		store, journal := pages(t), &rollout.Memory{}
		engine := engineOn(t, journal)
		guard, err := wrapped(engine.Guard(store, rollout.Guarded{Flag: newPage, Before: map[string]rollout.Gate{"smoke": no}}))
		require.NoError(t, err)
		outcome, err := guard.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, rollout.Cancelled, outcome)
		p := guard.Progress()
		require.Zero(t, p.State.Peak, "nobody was exposed")
		require.Equal(t, `verify by smoke: gate "smoke" says no: no`, p.State.Reason)
		d, err := engine.Delivery(rollout.DeliveryOptions{})
		require.NoError(t, err)
		require.Zero(t, d[0].Deployments)
	})
	t.Run("a gate panics", func(t *testing.T) {
		guard, err := wrapped(engineOn(t, &rollout.Memory{}).Guard(pages(t), rollout.Guarded{Flag: newPage, Before: map[string]rollout.Gate{"smoke": func(context.Context) error { panic("boo") }}}))
		require.NoError(t, err)
		outcome, err := guard.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, rollout.Cancelled, outcome)
		require.Contains(t, guard.Progress().State.Reason, "panic: boo")
	})
}

// TestAnotherServicesJournal: it is refused, whether its records are there or a
// checkpoint of them, and whatever was in it.
func TestAnotherServicesJournal(t *testing.T) {
	for every, found := range []string{"record 1: conflict", `rollout "new-page": conflict`} {
		journal := &rollout.Memory{CheckpointEvery: every}
		guard, err := wrapped(engineOn(t, journal).Guard(pages(t), rollout.Guarded{Flag: newPage, Before: map[string]rollout.Gate{"smoke": func(context.Context) error { return errors.New("no") }}}))
		require.NoError(t, err)
		_, err = guard.Run(t.Context())
		require.NoError(t, err)
		_, err = rollout.New(journal, rollout.Options{Service: "another", Environment: "test"})
		require.ErrorIs(t, err, rollout.ErrConflict)
		require.ErrorContains(t, err, found+`: it is of service "site" in "test", want "another" in "test"`)
	}
}

// TestEvidenceSurvives: a judge that has seen failures before a crash goes on from
// there, and a unit that it has counted is not counted again.
func TestEvidenceSurvives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal, store := &rollout.Memory{}, pages(t)
		patient := health.JudgeFunc(func(health.State, health.Sample) (health.Verdict, health.State) { return health.Verdict{}, nil })
		guarded := rollout.Guarded{Flag: newPage, Ladder: []flag.Share{50 * flag.Percent, flag.All}, Hold: time.Hour, Judge: patient}
		session := func(visits func(*site)) health.Sample {
			guard, err := engineOn(t, journal).Guard(store, guarded)
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			site := newSite(guard, store, 1)
			go guard.Run(ctx)
			time.Sleep(time.Minute)
			visits(site)
			time.Sleep(time.Minute)
			cancel()
			synctest.Wait()
			return guard.Progress().Sample
		}
		failing := func(s *site) {
			for i := range 64 {
				s.visit(fmt.Sprint("user-", i), "")
			}
		}
		first := session(failing)
		require.NotEmpty(t, first.Firsts)
		second := session(failing)
		require.Equal(t, first.Firsts, second.Firsts, "the same units failed again")
		require.Equal(t, 2*first.Candidate.Failures, second.Candidate.Failures)
	})
}

func BenchmarkGuardMiddleware(b *testing.B) {
	store := pages(b)
	guard, err := engineOn(b, &rollout.Memory{}).Guard(store, rollout.Guarded{Flag: newPage})
	require.NoError(b, err)
	page := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { newPage.On(r.Context()) })
	for _, bench := range []struct {
		name    string
		handler http.Handler
	}{
		{"flags", flaghttp.Middleware(store, who)(page)},
		{"flags+guard", flaghttp.Middleware(store, who)(guard.Middleware(page))},
	} {
		b.Run(bench.name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("X-User", "user-1")
			w := httptest.NewRecorder()
			b.ReportAllocs()
			for b.Loop() {
				bench.handler.ServeHTTP(w, r)
			}
		})
	}
}
