package split_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/split"
)

var _ interface {
	strategy.Target
	strategy.Preparer
	strategy.Shifter
	strategy.Mirrorer
} = (*split.Splitter)(nil)

func TestPrepareRefuses(t *testing.T) {
	ctx := t.Context()
	s := newSplitter(t, sticky, says("1"), says("2"), says("3"))
	for _, tt := range []struct{ old, new, want string }{
		{"", "", "split: prepare: old: found no version, want the name of a backend\nsplit: prepare: new: found no version, want the name of a backend"},
		{"1", "4", `split: prepare: new: no backend "4"`},
		{"4", "1", `split: prepare: old: no backend "4"`},
		{"1", "1", `split: prepare: old, new: found "1" for both, want two versions`},
		{"2", "3", `split: prepare: "1" has 100 % of the traffic, which is neither "2" nor "3"`},
	} {
		require.EqualError(t, s.Prepare(ctx, tt.old, tt.new), tt.want)
	}
	for _, err := range []error{s.Shift(ctx, pc), s.Mirror(ctx, pc)} {
		require.ErrorContains(t, err, "nobody has said which versions: call Prepare first")
	}
	_, err := s.Observe(ctx)
	require.EqualError(t, err, "split: observe: nobody has said which versions: call Prepare first")

	require.NoError(t, s.Prepare(ctx, "1", "2"))
	require.EqualError(t, s.Shift(ctx, -1), "split: shift: found -0.001 %, want from 0 to 100 %")
	require.EqualError(t, s.Mirror(ctx, strategy.All+1), "split: mirror: found 100.001 %, want from 0 to 100 %")
	require.NoError(t, s.Mirror(ctx, 10*pc))
	require.EqualError(t, s.Prepare(ctx, "1", "3"), `split: prepare: "2" still gets copies of 10 % of the requests`)
	require.NoError(t, s.Prepare(ctx, "1", "2"))

	nobody := newSplitter(t, sticky)
	require.NoError(t, nobody.Add(says("1")))
	require.NoError(t, nobody.Add(says("2")))
	require.EqualError(t, nobody.Prepare(ctx, "1", "2"), "split: prepare: nobody has any traffic")
}

func TestObserve(t *testing.T) {
	ctx := t.Context()
	s := newSplitter(t, sticky, says("1"), says("2"), says("3"))
	see := func() strategy.Observation {
		seen, err := s.Observe(ctx)
		require.NoError(t, err)
		return seen
	}
	require.NoError(t, s.Prepare(ctx, "1", "2"))
	require.NoError(t, s.Shift(ctx, 10*pc))
	require.NoError(t, s.Mirror(ctx, 20*pc))
	require.Equal(t, strategy.Observation{Share: 10 * pc, Mirror: 20 * pc}, see())
	require.NoError(t, s.SetWeights(split.Weight{"3", 5 * pc}, split.Weight{"2", 10 * pc}, split.Weight{"1", 85 * pc}))
	require.Equal(t, strategy.Observation{Share: 10 * pc, Mirror: 20 * pc, Why: `"3" has 5 % of the traffic, which is neither "1" nor "2"`}, see())
	require.NoError(t, s.Shift(ctx, 0), "the way back is open")
	require.Equal(t, strategy.Observation{Mirror: 20 * pc}, see())

	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, err := s.Observe(canceled)
	for _, err := range []error{err, s.Prepare(canceled, "1", "2"), s.Shift(canceled, pc), s.Mirror(canceled, 0)} {
		require.ErrorIs(t, err, context.Canceled)
	}
	require.Equal(t, strategy.Observation{Mirror: 20 * pc}, see())
}

// When one rollout is over the next may begin, and nobody moves before its first shift.
func TestOneAfterAnother(t *testing.T) {
	ctx := t.Context()
	s := newSplitter(t, sticky, says("1"), says("2"))
	require.NoError(t, s.Prepare(ctx, "1", "2"))
	require.NoError(t, s.Shift(ctx, strategy.All))
	require.NoError(t, s.Remove(ctx, "1"))
	require.ErrorContains(t, s.Shift(ctx, 50*pc), `no backend "1", for 50 % of the traffic`)
	seen, err := s.Observe(ctx)
	require.NoError(t, err)
	require.Equal(t, strategy.All, seen.Share)

	require.NoError(t, s.Add(says("3")))
	require.NoError(t, s.Prepare(ctx, "2", "3"))
	require.Equal(t, 500, count(s, "2", 500))
	seen, err = s.Observe(ctx)
	require.NoError(t, err)
	require.Zero(t, seen.Share)
	require.NoError(t, s.Shift(ctx, 10*pc))
	three := count(s, "3", 500)
	require.NotZero(t, three)
	require.NoError(t, s.Prepare(ctx, "2", "3"), "again, as another process would")
	require.Equal(t, three, count(s, "3", 500))
	require.EqualError(t, s.Prepare(ctx, "3", "2"), `split: prepare: "3" is the first of the weights, so a shift would move users between "3" and "2" at random: want "2" first, or all of the traffic on one of them`)
	require.NoError(t, s.Shift(ctx, 20*pc), "what was prepared before holds on")
	require.Greater(t, count(s, "3", 500), three)
	require.NoError(t, s.Shift(ctx, strategy.All))
	require.NoError(t, s.Prepare(ctx, "3", "2"), "the other way round, when it has all")
	require.Equal(t, 500, count(s, "3", 500))
	seen, err = s.Observe(ctx)
	require.NoError(t, err)
	require.Equal(t, strategy.Observation{}, seen)
}

// Whoever sets weights in another order than that of Prepare is told.
func TestOrderOfWeights(t *testing.T) {
	ctx := t.Context()
	s := newSplitter(t, sticky, says("1"), says("2"), says("3"))
	const one = `"1" is the first of the weights`
	require.NoError(t, s.SetWeights(split.Weight{"1", 90 * pc}, split.Weight{"2", 10 * pc}))
	require.ErrorContains(t, s.Prepare(ctx, "1", "2"), one)
	require.NoError(t, s.SetWeights(split.Weight{"3", 0}, split.Weight{"2", 10 * pc}, split.Weight{"1", 90 * pc}))
	require.ErrorContains(t, s.Prepare(ctx, "1", "2"), `"3" is the first of the weights`)

	require.NoError(t, s.SetWeights(split.Weight{"2", 10 * pc}, split.Weight{"1", 90 * pc}))
	early := having(s, "2", 1000)
	require.NoError(t, s.Prepare(ctx, "1", "2"))
	require.Equal(t, early, having(s, "2", 1000))
	require.NoError(t, s.Shift(ctx, 20*pc))
	require.Subset(t, having(s, "2", 1000), early)

	require.NoError(t, s.SetWeights(split.Weight{"1", 90 * pc}, split.Weight{"2", 10 * pc}))
	seen, err := s.Observe(ctx)
	require.NoError(t, err)
	require.Contains(t, seen.Why, one)
	require.NoError(t, s.Shift(ctx, 0), "the way back is open")
}

// Each version begins with other users, and the same ones when another process goes on.
func TestEarlyUsers(t *testing.T) {
	ctx := t.Context()
	const users = 2000
	early := map[string][]string{}
	s := newSplitter(t, sticky, says("1"), says("2"), says("3"))
	for _, v := range [][2]string{{"1", "2"}, {"2", "3"}} {
		require.NoError(t, s.Prepare(ctx, v[0], v[1]))
		require.NoError(t, s.Shift(ctx, 10*pc))
		early[v[1]] = having(s, v[1], users)
		next := newSplitter(t, sticky, says(v[0]), says(v[1]))
		require.NoError(t, next.Prepare(ctx, v[0], v[1]))
		require.NoError(t, next.Shift(ctx, 10*pc))
		require.Equal(t, early[v[1]], having(next, v[1], users))
		require.NoError(t, s.Shift(ctx, strategy.All))
	}
	both := 0
	for _, u := range early["3"] {
		if slices.Contains(early["2"], u) {
			both++
		}
	}
	require.InDelta(t, users/10, len(early["3"]), 94) // 7 standard deviations
	require.InDelta(t, users/100, both, 32)
}
