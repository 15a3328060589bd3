package split_test

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/split"
)

// A request that was on its way to a version when that was removed goes elsewhere.
func TestRemovedOnTheWay(t *testing.T) {
	var s *split.Splitter
	removed, asked := false, 0
	s = newSplitter(t, split.Options{Pin: func(*http.Request) string {
		// Routes were read, and nothing is counted yet.
		if asked++; asked == 1 {
			require.NoError(t, s.SetWeights(split.Weight{"2", strategy.All}))
			require.NoError(t, s.Remove(t.Context(), "1"))
			removed = true
		}
		return ""
	}}, served("1", func(http.ResponseWriter, *http.Request) { require.False(t, removed, "it is gone") }), says("2"))
	require.Equal(t, "2", ask(s, "GET", nil).Body.String())
}

func TestRemoveRefuses(t *testing.T) {
	s := newSplitter(t, sticky, says("1"), says("2"))
	require.EqualError(t, s.Remove(t.Context(), "3"), `split: remove: no backend "3"`)
	require.EqualError(t, s.Remove(t.Context(), "1"), `split: remove: "1" has 100 % of the traffic, want none`)
	require.NoError(t, s.Prepare(t.Context(), "1", "2"))
	require.NoError(t, s.Mirror(t.Context(), 1*pc))
	require.EqualError(t, s.Remove(t.Context(), "2"), `split: remove: "2" gets copies of 1 % of the requests, want none`)
	require.NoError(t, s.Mirror(t.Context(), 0))
	require.NoError(t, s.Remove(t.Context(), "2"))
	require.EqualError(t, s.Add(says("1")), `split: add: found "1" again, want each once`)
	require.NoError(t, s.Add(says("2")), "the name is free again")
	require.EqualError(t, s.Drain(t.Context(), "3"), `split: drain: no backend "3"`)
}

// Remove waits for what is in flight, and goes on waiting when it is asked again.
func TestRemoveWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told atomic.Int64
		o := sticky
		o.Outcome = func(split.Outcome) { told.Add(1) }
		s := newSplitter(t, o, served("1", func(http.ResponseWriter, *http.Request) { time.Sleep(time.Minute) }), says("2"))
		for range 3 {
			go ask(s, "GET", nil)
		}
		synctest.Wait()
		require.Equal(t, 3, s.InFlight("1"))
		require.NoError(t, s.SetWeights(split.Weight{"2", strategy.All}))

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		given := make(chan error)
		go func() { given <- s.Remove(ctx, "1") }()
		synctest.Wait()
		require.Equal(t, "2", ask(s, "GET", nil, "Version", "1").Body.String(), "it takes no more")
		require.ErrorContains(t, s.SetWeights(split.Weight{"1", strategy.All}), `no backend "1"`)
		err := <-given
		require.EqualError(t, err, `split: remove: 3 requests to "1" are not answered: context deadline exceeded`)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 10*time.Second, time.Since(began))
		require.EqualError(t, s.Add(says("1")), `split: add: found "1" again, want each once`)

		drained := make(chan error, 2)
		for range 2 {
			go func() { drained <- s.Drain(t.Context(), "1") }()
		}
		require.NoError(t, s.Remove(t.Context(), "1"))
		require.Equal(t, time.Minute, time.Since(began))
		require.EqualValues(t, 4, told.Load(), "all outcomes are told by then")
		require.NoError(t, <-drained)
		require.NoError(t, <-drained)
		require.Zero(t, s.InFlight("1"))
	})
}

// A Remove that was given up is not in the way of a way back, and one of several that
// wait for the same backend takes it away alone.
func TestRemoveGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := make(chan struct{})
		s := newSplitter(t, sticky, served("1", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Stuck") != "" {
				<-done
			}
			_, _ = io.WriteString(w, "1")
		}), says("2"))
		go ask(s, "GET", nil, "Stuck", "yes")
		synctest.Wait()
		require.NoError(t, s.Prepare(t.Context(), "1", "2"))
		require.NoError(t, s.Shift(t.Context(), strategy.All))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, s.Remove(ctx, "1"), context.DeadlineExceeded)
		require.Equal(t, "1", ask(s, "GET", nil, "Version", "1").Body.String())
		require.NoError(t, s.Prepare(t.Context(), "1", "2"))
		require.NoError(t, s.Shift(t.Context(), 0))
		require.Equal(t, "1", of(s, "somebody"))
		require.NoError(t, s.Shift(t.Context(), strategy.All))

		removed := make(chan error)
		for range 2 {
			go func() { removed <- s.Remove(t.Context(), "1") }()
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, s.Remove(ctx, "1"), context.DeadlineExceeded)
		require.Equal(t, "2", ask(s, "GET", nil, "Version", "1").Body.String(), "others wait for it still")
		close(done)
		require.NoError(t, <-removed)
		require.NoError(t, <-removed)
		require.NoError(t, s.Add(says("1")), "the name is free again")
	})
}
