package rollout_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// steady is a flag that 5 % have already; its salt is its key, so that everybody's
// slot is known.
var steady = flag.Bool("steady", false)

// between finds a user whose slot is from low to high.
func between(t *testing.T, store *flag.Store, low, high flag.Share) string {
	t.Helper()
	for n := range 10_000 {
		subject := flag.For(fmt.Sprint("user-", n))
		if d := steady.Decide(store, &subject); d.Slot >= int32(low) && d.Slot < int32(high) {
			return subject.Key()
		}
	}
	t.Fatalf("nobody is between %v and %v", low, high)
	return ""
}

// answer is a handler that evaluates steady and answers.
func answer(guard *rollout.Guard, store *flag.Store, status int, before ...func()) *site {
	return &site{handler: flaghttp.Middleware(store, who)(guard.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		steady.On(r.Context())
		for _, do := range before {
			do()
		}
		w.WriteHeader(status)
	})))}
}

// TestTheFloorIsLeftOut: whoever had the flag before the rollout is not compared, nor
// is anybody while nobody else has it, also after a restart.
func TestTheFloorIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &rollout.Memory{}
		guarded := rollout.Guarded{Flag: steady, Ladder: []flag.Share{50 * flag.Percent, flag.All}, Hold: time.Hour, Judge: health.JudgeFunc(patient)}
		for session := range uint64(2) {
			store := pages(t)
			had, in, out := between(t, store, 0, 5*flag.Percent), between(t, store, 5*flag.Percent, 50*flag.Percent), between(t, store, 50*flag.Percent, flag.All)
			guard, err := engineOn(t, journal).Guard(store, guarded)
			require.NoError(t, err)
			s := answer(guard, store, http.StatusInternalServerError)
			if session == 0 {
				s.visit(in, "")
				s.visit(out, "")
				require.Zero(t, guard.Progress().Sample.Baseline.Requests(), "before the first exposure")
				history := guard.Progress().Sample.Tables
				require.Len(t, history, 1)
				require.EqualValues(t, 5*flag.Percent, history[0].Ramp)
				require.Zero(t, guard.Progress().Skipped)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			time.AfterFunc(time.Second, func() {
				for _, user := range []string{had, in, out} {
					s.visit(user, "")
				}
			})
			_, err = guard.Run(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			sample := guard.Progress().Sample
			require.Equal(t, session+1, sample.Candidate.Failures)
			require.Equal(t, session+1, sample.Baseline.Failures)
			require.Equal(t, []health.First{{Lo: 5 * flag.Percent, Ramp: 50 * flag.Percent, Candidate: 1, Baseline: 1}}, sample.Firsts)
		}
	})
}

// TestAnsweredAfterAShift: a request counts on the side on which it was decided, even
// if the ramp has let its user in before it was answered.
func TestAnsweredAfterAShift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := pages(t)
		quick, slow := between(t, store, 5*flag.Percent, 10*flag.Percent), between(t, store, 10*flag.Percent, 50*flag.Percent)
		guard, err := engineOn(t, &rollout.Memory{}).Guard(store, rollout.Guarded{Flag: steady, Ladder: []flag.Share{10 * flag.Percent, 50 * flag.Percent, flag.All}, Hold: time.Minute, Exposed: 1})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		good, bad := answer(guard, store, http.StatusOK), answer(guard, store, http.StatusInternalServerError, func() { time.Sleep(5 * time.Minute) })
		time.AfterFunc(time.Second, func() { good.visit(quick, "") })
		time.AfterFunc(time.Second, func() { bad.visit(slow, "") })
		_, err = guard.Run(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		p := guard.Progress()
		require.Equal(t, 50*strategy.Percent, int(p.State.Share))
		require.Equal(t, []health.First{{Lo: 5 * flag.Percent, Ramp: 10 * flag.Percent, Baseline: 1}}, p.Sample.Firsts)
		require.Equal(t, []uint64{1, 1}, []uint64{p.Sample.Candidate.Requests(), p.Sample.Baseline.Requests()})
	})
}

// TestOtherRampsAreNotCompared: what a rule decided is no part of the comparison, even
// if its ramp has the salt that is compared by, nor is what another ramp decided
// before the guard has seen it.
func TestOtherRampsAreNotCompared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := pageFlags
		store := flag.New(flag.SourceFunc(func(context.Context) ([]byte, error) { return []byte(data), nil }), flag.Options{})
		require.NoError(t, store.Load(t.Context()))
		user := between(t, store, 5*flag.Percent, 50*flag.Percent)
		guard, err := engineOn(t, &rollout.Memory{}).Guard(store, rollout.Guarded{Flag: steady, Ladder: []flag.Share{50 * flag.Percent, flag.All}, Hold: time.Hour})
		require.NoError(t, err)
		data = `{"flags": {"new-page": {}, "steady": {"ramp": {"percent": 5}, "rules": [{"if": {"attr": "beta", "eq": true}, "ramp": {"percent": 80}}]}}}`
		require.NoError(t, store.Load(t.Context()))
		s := answer(guard, store, http.StatusOK)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		time.AfterFunc(1500*time.Millisecond, func() { // between two looks
			s.visit(user, "X-Beta")
			s.visit(user, "")
			if err := store.SetRamp("steady", flag.Ramp{Share: flag.All, Salt: "else"}, flag.Change{Actor: "me", Reason: "test"}); err != nil {
				t.Error(err)
			}
			s.visit(user, "")
		})
		outcome, err := guard.Run(ctx)
		require.NoError(t, err)
		require.Equal(t, rollout.RolledBack, outcome)
		require.Equal(t, uint64(1), guard.Progress().Sample.Candidate.Requests())
		require.Equal(t, rollout.Skipped{NotByRamp: 2}, guard.Progress().Skipped)
	})
}

// TestTheFloorIsNoExposure: a rollout that ended before it let anybody in leaves those
// who had the flag alone, also over a restart, and is no deployment.
func TestTheFloorIsNoExposure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal, store := &rollout.Memory{}, pages(t)
		waits := rollout.Gate(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		guard, err := wrapped(engineOn(t, journal).Guard(store, rollout.Guarded{Flag: steady, Before: map[string]rollout.Gate{"approved": waits}}))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = guard.Run(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)

		next, engine := pages(t), engineOn(t, journal)
		no := rollout.Gate(func(context.Context) error { return errors.New("no") })
		guard, err = wrapped(engine.Guard(next, rollout.Guarded{Flag: steady, Before: map[string]rollout.Gate{"approved": no}}))
		require.NoError(t, err)
		status, err := next.Status("steady")
		require.NoError(t, err)
		require.Equal(t, flag.Ramp{Share: 5 * flag.Percent, Serve: "on", Salt: "steady"}, status.Ramp)
		outcome, err := guard.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, rollout.Cancelled, outcome)
		s := guard.Progress().State
		require.Equal(t, []strategy.Share{5 * strategy.Percent, 5 * strategy.Percent}, []strategy.Share{s.Share, s.Peak})
		checkJournal(t, journal)
		d, err := engine.Delivery(rollout.DeliveryOptions{})
		require.NoError(t, err)
		require.Zero(t, d[0].Deployments)
	})
}

// TestFlagsThatCannotBeGuarded: where nobody could be taken back, or nobody compared,
// nothing begins.
func TestFlagsThatCannotBeGuarded(t *testing.T) {
	const rule = `"rules": [{"if": {"attr": "beta", "eq": true}, "ramp": {"percent": 20`
	tests := []struct {
		name string
		flag string
		want string // empty: it can
	}{
		{"false to everybody", `{}`, ""},
		{"false by another name", `{"variants": {"yes": true, "no": false, "never": false}, "serve": "never"}`, ""},
		{"true to everybody", `{"serve": "on"}`, `it serves "on", and true is "on"`},
		{"two that are true", `{"variants": {"yes": true, "aye": true, "no": false}, "serve": "no"}`, `it serves "no", and true is ""`},
		{"no boolean", `{"variants": {"a": "on", "b": "off"}, "serve": "b"}`, `it serves "b", and true is ""`},
		{"some have it by a ramp", `{"ramp": {"percent": 1}}`, ""},
		{"a rule's ramp has the same salt", `{"ramp": {"percent": 1}, ` + rule + `}}]}`, "of its own ramp, which is above zero: give the rule's ramp a salt"},
		{"a rule's ramp has a salt of its own", `{"ramp": {"percent": 1}, ` + rule + `, "salt": "else"}}]}`, ""},
		{"a rule's ramp has the salt of nobody yet", `{` + rule + `}}]}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key := "odd-" + rand.Text() // declared after its document was read, which may be of another type
			store := flag.New(flag.Bytes([]byte(`{"flags": {"`+key+`": `+tt.flag+`}}`)), flag.Options{})
			require.NoError(t, store.Load(t.Context()))
			_, err := engineOn(t, &rollout.Memory{}).Guard(store, rollout.Guarded{Flag: flag.Bool(key, false)})
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, rollout.ErrInvalid)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// TestNobodyIsJudgedTwice: a rollout that goes on from those who have the flag needs
// another salt than those before it had; one that starts from nobody draws its own.
func TestNobodyIsJudgedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &rollout.Memory{}
		fails := health.JudgeFunc(func(health.State, health.Sample) (health.Verdict, health.State) {
			return health.Verdict{Call: health.Fail, Reason: "no"}, nil
		})
		guard, err := wrapped(engineOn(t, journal).Guard(pages(t), rollout.Guarded{Flag: steady, ID: "one", Judge: fails}))
		require.NoError(t, err)
		_, err = guard.Run(t.Context())
		require.NoError(t, err)
		for ramp, conflict := range map[string]bool{`{"percent": 5}`: true, `{"percent": 5, "salt": "other"}`: false, `{"percent": 0}`: false} {
			store := flag.New(flag.Bytes([]byte(`{"flags": {"steady": {"ramp": `+ramp+`}}}`)), flag.Options{})
			require.NoError(t, store.Load(t.Context()))
			_, err = engineOn(t, journal).Guard(store, rollout.Guarded{Flag: steady, ID: "two"})
			if !conflict {
				require.NoError(t, err, ramp)
				continue
			}
			require.ErrorIs(t, err, rollout.ErrConflict)
			require.ErrorContains(t, err, `rollout "one" has judged the same users by the salt "steady"`)
		}
	})
}

// TestNobodyIsJudgedByTwo: nor does one that is not over leave its salt to the next.
func TestNobodyIsJudgedByTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &rollout.Memory{}
		guard, err := wrapped(engineOn(t, journal).Guard(pages(t), rollout.Guarded{Flag: steady, ID: "one"}))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = guard.Run(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = engineOn(t, journal).Guard(pages(t), rollout.Guarded{Flag: steady, ID: "two"})
		require.ErrorIs(t, err, rollout.ErrConflict)
		require.ErrorContains(t, err, `rollout "one" has judged the same users by the salt "steady"`)
	})
}

// TestRampsThatMovedMeanwhile: a ramp that was changed after the flag was guarded is
// nothing to begin from.
func TestRampsThatMovedMeanwhile(t *testing.T) {
	for _, to := range []flag.Share{0, 40 * flag.Percent} {
		journal, store := &rollout.Memory{}, pages(t)
		guard, err := wrapped(engineOn(t, journal).Guard(store, rollout.Guarded{Flag: steady}))
		require.NoError(t, err)
		require.NoError(t, store.SetRamp("steady", flag.Ramp{Share: to}, flag.Change{Actor: "me", Reason: "test"}))
		_, err = guard.Run(t.Context())
		require.ErrorIs(t, err, rollout.ErrConflict)
		require.ErrorContains(t, err, fmt.Sprintf("the flag's ramp is at %v, and was at 5 %% when it was guarded", to))
		require.Empty(t, records(t, journal))
		status, err := store.Status("steady")
		require.NoError(t, err)
		require.Equal(t, to, status.Ramp.Share)
	}
}
