package simulation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/internal/simulation"
)

// What the worlds say about themselves is what comes out.
func TestWorlds(t *testing.T) {
	base := simulation.World{Rate: 100, For: 10 * time.Minute, Ramps: simulation.Fixed(50_000), Users: 10_000, Base: 0.02}
	for _, tt := range []struct {
		name    string
		change  func(*simulation.World)
		in, out float64 // share of failures of the exposed and of the others
		slack   float64
	}{
		{name: "plain", change: func(*simulation.World) {}, in: 0.02, out: 0.02, slack: 0.003},
		{name: "harm", change: func(w *simulation.World) { w.Harm = 3 }, in: 0.06, out: 0.02, slack: 0.005},
		{name: "bursts leave the rate as it is", change: func(w *simulation.World) { w.Burst = 5 }, in: 0.02, out: 0.02, slack: 0.006},
		{name: "users differ", change: func(w *simulation.World) { w.Spread = 0.4 }, in: 0.02, out: 0.02, slack: 0.004},
		{name: "own users", change: func(w *simulation.World) { w.Users = 0 }, in: 0.02, out: 0.02, slack: 0.003},
		{name: "chronic", change: func(w *simulation.World) { w.Chronic = true }, in: 0.025, out: 0.025, slack: 0.006},
		{name: "incident", change: func(w *simulation.World) { w.Incident = 4 }, in: 0.032, out: 0.032, slack: 0.004},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := base
			tt.change(&w)
			var n, failed [2]float64
			last := time.Duration(-1)
			w.Crowd().Run(3, func(r simulation.Request) bool {
				require.GreaterOrEqual(t, r.At, last)
				last = r.At
				side := 0
				if r.Slot < r.Ramp {
					side = 1
				}
				n[side]++
				if r.Failed {
					failed[side]++
				}
				return true
			})
			require.InDelta(t, tt.in, failed[1]/n[1], tt.slack)
			require.InDelta(t, tt.out, failed[0]/n[0], tt.slack)
		})
	}
}

func TestRamps(t *testing.T) {
	w := simulation.World{Rate: 10, For: 10 * time.Minute, Past: time.Minute, Ramps: simulation.Ladder(), Users: 10_000, Base: 0.01, Latency: true, Slower: 2}
	seen := map[int32]int{}
	took, n := map[bool]time.Duration{}, map[bool]time.Duration{}
	w.Crowd().Run(1, func(r simulation.Request) bool {
		require.Equal(t, r.At < 0, r.Ramp == 0)
		seen[r.Ramp]++
		in := r.Slot < r.Ramp
		took[in] += r.Latency
		n[in]++
		return true
	})
	require.Equal(t, map[int32]int{0: 600, 1_000: 1_200, 5_000: 1_200, 25_000: 1_200, 50_000: 2_400}, seen)
	require.InEpsilon(t, 2, float64(took[true]/n[true])/float64(took[false]/n[false]), 0.2)

	w.Exposure = 10
	last, exposed := int32(0), 0
	w.Crowd().Run(1, func(r simulation.Request) bool {
		if r.Ramp > last && last > 0 {
			require.GreaterOrEqual(t, exposed, 10)
			exposed = 0
		}
		if last = r.Ramp; r.Slot < r.Ramp {
			exposed++
		}
		return true
	})
	require.EqualValues(t, 50_000, last)
}

func TestPlay(t *testing.T) {
	w := simulation.World{Rate: 1, For: time.Second, Ramps: simulation.Fixed(1), Base: 0.1}
	r := w.Play(10, func(_ *simulation.Crowd, seed uint64) (time.Duration, bool) {
		return time.Duration(seed) * time.Second, seed%2 == 0
	})
	require.Equal(t, simulation.Result{Runs: 10, Hits: 5, Median: 4 * time.Second}, r)
	require.Equal(t, 0.5, r.Share())
}

func TestCells(t *testing.T) {
	for _, cells := range [][]simulation.Cell{simulation.Errors(false), simulation.Errors(true), simulation.Latency(), simulation.Pass(), simulation.Steered(), simulation.WithHistory()} {
		require.NotEmpty(t, cells)
		harmless := 0
		for i, c := range cells {
			require.Equal(t, simulation.Kinds[i%3], c.Kind())
			if c.Harmless() {
				harmless++
			}
		}
		require.NotZero(t, harmless)
		require.Less(t, harmless, len(cells))
	}
}
