package evidence

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Each bet's own wealth, which the mean hides: (9, 27) at 10 %.
func TestLogs(t *testing.T) {
	var p Process
	p.Add(Coins{Ramp: 10_000, Candidate: 9, Baseline: 27})
	want := []float64{1.119358, 1.892740, 2.807158, 3.323935, 2.371941, -2.383474}
	for j := range want {
		require.InDelta(t, want[j], p.logs[j], 5e-7, "psi %v", harm[j].psi)
	}
}
