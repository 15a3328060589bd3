package prometheus_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/rollout/prometheus"
	"github.com/guidon-go/guidon/strategy"
)

// traffic is a server that scrapes both sides each 15 s of a bubble: they answer 50
// requests a second each, of which so many fail. They have done so for long.
type traffic struct {
	database
	candidate, baseline float64
	upTo                time.Time
	counted             [4]float64
}

func (t *traffic) answer(r *http.Request) (int, string, error) {
	if t.upTo.IsZero() {
		t.upTo = time.Now().Add(-2 * time.Minute)
	}
	for ; !t.upTo.After(time.Now()); t.upTo = t.upTo.Add(15 * time.Second) {
		for i, share := range []float64{1 - t.candidate, t.candidate, 1 - t.baseline, t.baseline} {
			t.counted[i] += 15 * 50 * share
		}
		c := t.counted
		t.scrape(t.upTo, ok42, int(c[0]), bad42, int(c[1]), ok41, int(c[2]), noCode, int(c[3]))
	}
	return t.database.answer(r)
}

func TestGate(t *testing.T) {
	comparison := health.Comparison{PassRatio: 2}
	nan := func(*http.Request) (int, string, error) { return 200, matrix(points(ok42, 1, "NaN")), nil }
	for _, tt := range []struct {
		name    string
		server  fake
		judge   health.Judge
		passes  bool
		unknown bool
		alarm   bool // whether the alarm says no in the end
	}{
		{"harmless", (&traffic{candidate: 0.01, baseline: 0.01}).answer, comparison, true, false, false},
		{"harmful", (&traffic{candidate: 0.05, baseline: 0.01}).answer, comparison, false, false, true},
		{"within its limit", (&traffic{candidate: 0.001, baseline: 0.001}).answer, health.Threshold{ErrorRate: 0.01, Pass: true}, true, false, false},
		{"NaN", nan, health.Threshold{ErrorRate: 0.01, Pass: true}, false, true, false},
		{"a judge that never passes", (&traffic{candidate: 0.01, baseline: 0.01}).answer, health.Comparison{}, false, true, false},
		{"a judge of users has nothing to judge by", (&traffic{candidate: 0.5, baseline: 0.01}).answer, health.DefaultJudge(time.Hour), false, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := reader(t, tt.server)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				err := r.Gate(tt.judge)(ctx)
				if (err == nil) != tt.passes || errors.Is(err, rollout.ErrInconclusive) != tt.unknown || (ctx.Err() != nil) != tt.unknown {
					t.Errorf("got %v", err)
				}
				alarm := r.Alarm(tt.judge)
				for range 20 {
					err = alarm(t.Context())
					time.Sleep(time.Minute)
				}
				if no := err != nil && !errors.Is(err, rollout.ErrInconclusive); no != tt.alarm {
					t.Errorf("alarm: got %v", err)
				}
			})
		})
	}
}

// What a judge remembers comes back to it at the next look, and not at the next call.
func TestGateKeepsTheStateOfACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		third := health.JudgeFunc(func(state health.State, _ health.Sample) (health.Verdict, health.State) {
			if len(state) == 2 {
				return health.Verdict{Call: health.Pass}, state
			}
			return health.Verdict{Reason: "not yet"}, append(state[:len(state):len(state)], '1')
		})
		gate := reader(t, new(traffic).answer).Gate(third)
		for range 3 {
			began := time.Now()
			if err := gate(t.Context()); err != nil || time.Since(began) != 30*time.Second {
				t.Errorf("got %v after %v, want a yes at the third look", err, time.Since(began))
			}
		}
	})
}

// A step's gate is asked again by the next step, and by what comes after it: each time
// only what has happened since counts, whatever others have counted.
func TestGateBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &traffic{candidate: 0.01, baseline: 0.01}
		r := reader(t, server.answer)
		gate, comparison := r.Gate(health.Comparison{PassRatio: 2}), health.Comparison{PassRatio: 2}
		must(r.Read(t.Context()))
		alarm := r.Alarm(comparison)
		alarm(t.Context())
		took := func(gate rollout.Gate) (time.Duration, error) {
			began := time.Now()
			err := gate(t.Context())
			return time.Since(began), err
		}
		first, err := took(gate)
		if err != nil || first < time.Minute {
			t.Fatalf("the first step: got %v after %v", err, first)
		}
		if again, err := took(gate); err != nil || again != first {
			t.Errorf("the second step: got %v after %v, want as much evidence as the first, which took %v", err, again, first)
		}
		server.candidate = 1
		if _, err := took(gate); err == nil || errors.Is(err, rollout.ErrInconclusive) {
			t.Errorf("the third step, whose traffic fails: got %v", err)
		}
		server.candidate = 0.01
		if again, err := took(r.Gate(comparison)); err != nil || again != first {
			t.Errorf("another gate: got %v after %v, want %v", err, again, first)
		}
		if s := must(r.Read(t.Context())); s.Candidate.Failures < 750 {
			t.Errorf("Read has all since its first reading: got %v", s)
		}
		if err := alarm(t.Context()); err == nil || errors.Is(err, rollout.ErrInconclusive) {
			t.Errorf("the alarm has all since its first call: got %v", err)
		}
	})
}

func TestAlarmCannotTellWithoutData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, down := 0, false
		live := &traffic{candidate: 0.01, baseline: 0.01}
		r := reader(t, func(r *http.Request) (int, string, error) {
			if asked++; down {
				return 0, "", errors.New("down")
			}
			return live.answer(r)
		})
		alarm := r.Alarm(health.Comparison{})
		if err := alarm(t.Context()); !errors.Is(err, rollout.ErrInconclusive) { // it has only noted where the counters are
			t.Errorf("at first, got %v", err)
		}
		for range 14 { // looks, one a second
			time.Sleep(time.Second)
			alarm(t.Context())
		}
		if asked != 4 {
			t.Errorf("asked %d times, want twice for each side", asked)
		}
		time.Sleep(15 * time.Second)
		if err := alarm(t.Context()); err != nil {
			t.Errorf("with data, got %v", err)
		}
		down = true
		time.Sleep(15 * time.Second)
		if err := alarm(t.Context()); !errors.Is(err, rollout.ErrInconclusive) || !errors.Is(err, prometheus.ErrMissing) {
			t.Errorf("without, got %v", err)
		}
	})
}

// slowly answers after a time, unless whoever asks goes away.
func slowly(after time.Duration, s fake) fake {
	return func(r *http.Request) (int, string, error) {
		select {
		case <-time.After(after):
			return s(r)
		case <-r.Context().Done():
			return 0, "", r.Context().Err()
		}
	}
}

// An engine gives an alarm the time between two looks, a second. An answer that takes
// longer is there at a later look.
func TestAlarmHasItsOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &traffic{candidate: 1, baseline: 0.01}
		r := reader(t, slowly(1100*time.Millisecond, server.answer))
		engine := must(rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop", Environment: "production"}))
		began := time.Now()
		outcome, err := engine.Deploy(t.Context(), rollout.Request{
			ID: "shop 42", Release: rollout.Release{Name: "shop", Version: "42"}, Target: &moved{},
			Alarms: map[string]rollout.Gate{"errors": r.Alarm(health.Comparison{})},
			Plan: strategy.Plan{Steps: []strategy.Step{
				strategy.Shift{To: 5 * strategy.Percent}, strategy.Hold{For: time.Hour},
				strategy.Shift{From: 5 * strategy.Percent, To: strategy.All}, strategy.Promote{},
			}},
		})
		if outcome != rollout.RolledBack || time.Since(began) > time.Minute {
			t.Errorf("got %v and %v after %v", outcome, err, time.Since(began))
		}
	})
}

func TestAlarmOutlivesItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, asked := &traffic{candidate: 0.01, baseline: 0.01}, 0
		answers := slowly(time.Second, server.answer)
		alarm := reader(t, func(r *http.Request) (int, string, error) {
			asked++
			return answers(r)
		}).Alarm(health.Comparison{})
		alarm(t.Context())
		time.Sleep(16 * time.Second)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := alarm(gone); !errors.Is(err, rollout.ErrInconclusive) || !errors.Is(err, context.Canceled) {
			t.Errorf("whoever goes away: got %v", err)
		}
		if err := alarm(t.Context()); err != nil || asked != 6 { // four questions at first, then two
			t.Errorf("the next: got %v after %d questions", err, asked)
		}
		answers = slowly(time.Hour, server.answer)
		time.Sleep(16 * time.Second)
		began := time.Now()
		if err := alarm(t.Context()); !errors.Is(err, prometheus.ErrMissing) || time.Since(began) != 10*time.Second {
			t.Errorf("of a server that never answers: got %v after %v, want Timeout", err, time.Since(began))
		}
	})
}

// Even if a reading takes longer than the time between two.
func TestAlarmReadsOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, asked := &traffic{candidate: 0.01, baseline: 0.01}, 0
		r := must(prometheus.NewReader(prometheus.ReaderOptions{
			URL: "http://p", Candidate: candidate, Baseline: baseline, Every: time.Second, Client: &http.Client{Transport: fake(func(r *http.Request) (int, string, error) {
				asked++
				return slowly(4*time.Second, server.answer)(r)
			})},
		}))
		alarm := r.Alarm(health.Comparison{})
		for range 9 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := alarm(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			cancel()
		}
		synctest.Wait()
		if asked != 3 { // one after the other, until Timeout
			t.Errorf("asked %d times in 9 s, want 3", asked)
		}
		time.Sleep(time.Minute) // the reading ends by itself
	})
}

func TestAlarmContainsPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := logged(t)
		judge := health.JudgeFunc(func(health.State, health.Sample) (health.Verdict, health.State) { panic("oh") })
		if err := reader(t, new(traffic).answer).Alarm(judge)(t.Context()); !errors.Is(err, rollout.ErrInconclusive) {
			t.Errorf("got %v", err)
		}
		if !strings.Contains(log.String(), "an alarm panicked") {
			t.Errorf("logged %q", log)
		}
	})
}
