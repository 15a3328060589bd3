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
)

// traffic is a server whose counters grow with the time of a bubble: 50 requests a
// second on each side, of which some fail.
func traffic(candidateFails, baselineFails float64) fake {
	began := time.Now()
	side := func(version string, fails float64) string {
		all, now := 50*time.Since(began).Seconds(), time.Now().Unix()
		return matrix(points(`"code":"200","version":"`+version+`"`, now, int(all*(1-fails))), points(`"code":"500","version":"`+version+`"`, now, int(all*fails)))
	}
	return func(r *http.Request) (int, string, error) {
		if strings.HasPrefix(r.URL.Query().Get("query"), candidate) {
			return 200, side("42", candidateFails), nil
		}
		return 200, side("41", baselineFails), nil
	}
}

func TestGate(t *testing.T) {
	comparison := health.Comparison{PassRatio: 2}
	nan := func(*http.Request) (int, string, error) { return 200, matrix(points(ok42, 1, "NaN")), nil }
	for _, tt := range []struct {
		name    string
		server  func() fake
		judge   health.Judge
		passes  bool
		unknown bool
		alarm   bool // whether the alarm says no in the end
	}{
		{"harmless", func() fake { return traffic(0.01, 0.01) }, comparison, true, false, false},
		{"harmful", func() fake { return traffic(0.05, 0.01) }, comparison, false, false, true},
		{"within its limit", func() fake { return traffic(0.001, 0.001) }, health.Threshold{ErrorRate: 0.01, Pass: true}, true, false, false},
		{"NaN", func() fake { return nan }, health.Threshold{ErrorRate: 0.01, Pass: true}, false, true, false},
		{"a judge that never passes", func() fake { return traffic(0.01, 0.01) }, health.Comparison{}, false, true, false},
		{"a judge of users has nothing to judge by", func() fake { return traffic(0.5, 0.01) }, health.DefaultJudge(time.Hour), false, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := reader(t, tt.server())
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

// What a judge remembers comes back to it at the next look.
func TestGateKeepsTheState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		third := health.JudgeFunc(func(state health.State, _ health.Sample) (health.Verdict, health.State) {
			if len(state) == 2 {
				return health.Verdict{Call: health.Pass}, state
			}
			return health.Verdict{Reason: "not yet"}, append(state[:len(state):len(state)], '1')
		})
		began := time.Now()
		if err := reader(t, traffic(0, 0)).Gate(third)(t.Context()); err != nil || time.Since(began) != 30*time.Second {
			t.Errorf("got %v after %v, want a yes at the third look", err, time.Since(began))
		}
	})
}

func TestAlarmCannotTellWithoutData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, down := 0, false
		live := traffic(0.01, 0.01)
		r := reader(t, func(r *http.Request) (int, string, error) {
			if asked++; down {
				return 0, "", errors.New("down")
			}
			return live(r)
		})
		alarm := r.Alarm(health.Comparison{})
		if err := alarm(t.Context()); !errors.Is(err, rollout.ErrInconclusive) { // it has only noted where the counters are
			t.Errorf("at first, got %v", err)
		}
		for range 14 { // looks, one a second
			time.Sleep(time.Second)
			alarm(t.Context())
		}
		if asked != 2 {
			t.Errorf("asked %d times, want once for each side", asked)
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
