package split_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/split"
)

func TestSetWeightsRefuses(t *testing.T) {
	s := newSplitter(t, sticky, says("1"), says("2"))
	for _, tt := range []struct {
		name    string
		weights []split.Weight
		want    string
	}{
		{"none", nil, "split: weights: found 0 % together, want 100 %"},
		{"too little", []split.Weight{{"1", 1 * pc}, {"2", 98.999 * pc}}, "split: weights: found 99.999 % together, want 100 %"},
		{"too much", []split.Weight{{"1", strategy.All}, {"2", 1}}, "split: weights: found 100.001 % together, want 100 %"},
		{"several", []split.Weight{{"1", -1}, {"3", 50 * pc}, {"1", strategy.All + 1}}, `
split: weights[0]: found -0.001 %, want from 0 to 100 %
split: weights[1]: no backend "3"
split: weights[2]: found "1" again, want each once
split: weights[2]: found 100.001 %, want from 0 to 100 %`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.EqualError(t, s.SetWeights(tt.weights...), strings.TrimPrefix(tt.want, "\n"))
			require.Equal(t, []split.Weight{{"1", strategy.All}}, s.Weights(), "nothing has changed")
		})
	}
}

// Under full load, versions come and go and weights change: no request is lost, none
// reaches a version that was removed, and the next request goes by the new weights.
func TestChangesUnderLoad(t *testing.T) {
	const workers, each, most = 4, 50_000, 400
	var answered atomic.Int64
	var late atomic.Int64
	version := func(name string) (split.Backend, *atomic.Bool) {
		gone := new(atomic.Bool)
		return served(name, func(w http.ResponseWriter, _ *http.Request) {
			if gone.Load() {
				late.Add(1)
			}
			answered.Add(1)
			w.WriteHeader(http.StatusNoContent)
			if gone.Load() {
				late.Add(1)
			}
		}), gone
	}
	b, gone := version("0")
	s := newSplitter(t, sticky, b)
	var load sync.WaitGroup
	done := make(chan struct{})
	var lost atomic.Int64
	for worker := range workers {
		load.Go(func() {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("User", user(worker))
			for range each {
				w := coded{}
				s.ServeHTTP(&w, r)
				if w.status != http.StatusNoContent {
					lost.Add(1)
				}
			}
		})
	}
	go func() { load.Wait(); close(done) }()

	own, changes := int64(0), 0
	for over := false; !over; changes++ {
		select {
		case <-done:
			over = true
		default:
		}
		old, name := s.Weights()[0].Backend, user(changes)
		next, nextGone := version(name)
		require.NoError(t, s.Add(next))
		for _, share := range []strategy.Share{1, 30 * pc, strategy.All} {
			require.NoError(t, s.SetWeights(split.Weight{name, share}, split.Weight{old, strategy.All - share}))
		}
		var first coded
		s.ServeHTTP(&first, httptest.NewRequest("GET", "/", nil))
		own++
		require.Equal(t, http.StatusNoContent, first.status)
		require.NoError(t, s.Remove(t.Context(), old))
		require.Zero(t, s.InFlight(old))
		gone.Store(true)
		gone = nextGone
	}
	require.Zero(t, lost.Load())
	require.Zero(t, late.Load(), "served by a version that was removed")
	require.EqualValues(t, workers*each+own, answered.Load())
	require.Greater(t, changes, 1)
	t.Logf("%d changes under %d requests", 3*changes, workers*each)
}

// coded remembers the status.
type coded struct {
	nothing
	status int
}

func (c *coded) WriteHeader(status int) { c.status = status }

// The request after a change goes by it, whatever it is.
func TestNextRequest(t *testing.T) {
	s := newSplitter(t, sticky, says("1"), says("2"))
	var load sync.WaitGroup
	stop := make(chan struct{})
	load.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				of(s, user(i))
			}
		}
	})
	for i := range 2000 {
		to := []string{"1", "2"}[i%2]
		require.NoError(t, s.SetWeights(split.Weight{to, strategy.All}))
		require.Equal(t, to, of(s, "somebody"))
	}
	close(stop)
	load.Wait()
}
