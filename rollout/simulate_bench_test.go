package rollout_test

import (
	"testing"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// BenchmarkSimulate plays a rollout of a day, with ten requests per second of a thousand
// users.
func BenchmarkSimulate(b *testing.B) {
	for _, look := range []time.Duration{time.Second, time.Minute} {
		b.Run("look every "+look.String(), func(b *testing.B) {
			r := canary(b)
			r.Look = look
			for i, step := range r.Plan.Steps {
				if hold, ok := step.(strategy.Hold); ok {
					hold.For = 12 * time.Hour
					r.Plan.Steps[i] = hold
				}
			}
			engine, days := simulator(b, rollout.Options{}), 0.
			for b.Loop() {
				s, err := engine.Simulate(b.Context(), r, rollout.World{Rate: 10, Users: 1000, ErrorRate: 0.01})
				require.NoError(b, err)
				require.Equal(b, rollout.Succeeded, s.Outcome)
				days += s.Took.Hours() / 24
			}
			b.ReportMetric(days/b.Elapsed().Seconds(), "days/s")
			b.ReportMetric(days*24*3600/b.Elapsed().Seconds(), "simulated/real")
		})
	}
}
