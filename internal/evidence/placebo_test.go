package evidence_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/internal/evidence"
)

// Ten buckets, computed apart from this code.
func TestScores(t *testing.T) {
	e := evidence.Events{
		Count:    []uint32{4, 3, 0, 1, 0, 1, 0, 0, 1, 0},
		Requests: []uint32{50, 50, 50, 50, 50, 50, 50, 50, 50, 50},
	}
	scores := e.Failures(evidence.Past{}, 0)
	number := func(n int64) float64 { return float64(n) / (1 << 20) }
	logs := 0.0
	for _, s := range scores {
		logs += number(s[2])
	}
	require.InDelta(t, 5, number(scores[0][0]+scores[1][0]), 1e-5)
	require.InDelta(t, 5/math.Sqrt(51), number(scores[0][1]+scores[1][1]), 1e-5)
	require.InDelta(t, 2.857542, number(scores[0][2]+scores[1][2])-logs/5, 1e-5)
	require.Equal(t, int64(2<<20), scores[0][3]+scores[1][3])

	// Over all 45 pairs that could have been the candidate: the real one is the
	// highest, and no other is as high.
	var first, third []float64
	for i := range scores {
		for j := range i {
			first = append(first, number(scores[i][0]+scores[j][0]))
			third = append(third, number(scores[i][2]+scores[j][2]))
		}
	}
	require.InDelta(t, 1.788854, deviation(first), 1e-5)
	require.InDelta(t, 1.117957, deviation(third), 1e-5)
	above := 0
	for _, s := range first {
		if s >= 5-1e-5 {
			above++
		}
	}
	require.Equal(t, 1, above)

	fewer := e.Fewer(evidence.Past{}, 0)
	require.Equal(t, -scores[3][0], fewer[3][0])
	require.Equal(t, int64(0), fewer[3][3])
}

func deviation(values []float64) float64 {
	mean, squares := 0.0, 0.0
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return math.Sqrt(squares / float64(len(values)))
}

// A bucket that always failed more than the others is expected to go on so.
func TestPast(t *testing.T) {
	e := evidence.Events{Count: []uint32{20, 2, 2}, Requests: []uint32{100, 100, 100}}
	past := evidence.Past{Count: []uint32{2000, 200, 200}, Requests: []uint32{10000, 10000, 10000}}
	with, without := e.Failures(past, 0), e.Failures(evidence.Past{}, 0)
	require.InDelta(t, 12, float64(without[0][0])/(1<<20), 0.01)
	require.InDelta(t, 0, float64(with[0][0])/(1<<20), 0.5)
	// A past of a few requests says little: it counts as if each bucket had had forty
	// more.
	little := evidence.Past{Count: []uint32{1, 0, 0}, Requests: []uint32{1, 1, 1}}
	weight := []float64{21. / 41, 20. / 41, 20. / 41}
	require.InDelta(t, 20-24*weight[0]/(weight[0]+weight[1]+weight[2]), float64(e.Failures(little, 0)[0][0])/(1<<20), 1e-5)
	// What was exposed before does not take part.
	left := e.Failures(past, 1)
	require.Equal(t, evidence.Score{}, left[0])
	require.InDelta(t, 0, float64(left[1][0]+left[2][0])/(1<<20), 1e-5)
}

func TestTraffic(t *testing.T) {
	e := evidence.Events{Count: make([]uint32, 4), Requests: []uint32{10, 10, 30, 10}}
	s := e.Traffic(evidence.Past{}, 0)
	require.Equal(t, []int64{-5 << 20, -5 << 20, 15 << 20, -5 << 20}, []int64{s[0][0], s[1][0], s[2][0], s[3][0]})
	for _, s := range s {
		require.Equal(t, s[0], -s[2])
		require.Equal(t, s[1], -s[3])
	}
	past := evidence.Past{Count: make([]uint32, 4), Requests: []uint32{1000, 1000, 3000, 1000}}
	for m, s := range e.Traffic(past, 0) {
		require.InDelta(t, 0, float64(s[0])/(1<<20), 0.3, "bucket %d has its usual share", m)
	}
}

func TestBudget(t *testing.T) {
	for look, want := range map[int]int{0: 0, 1: 3, 2: 4, 3: 5, 5: 7, 10: 10, 20: 14, 30: 17, 45: 21, 60: 25, 90: 25} {
		if got := evidence.Budget(0.025, 1000, float64(look)/60); got != want {
			t.Errorf("look %d of 60: got %d, want %d", look, got, want)
		}
	}
	for _, alpha := range []float64{0.001, 0.003, 0.007, 0.05, 0.1, 0.3} {
		require.Equal(t, int(math.Round(alpha*1000)), evidence.Budget(alpha, 1000, 1), "alpha %v", alpha)
	}
}

func TestStop(t *testing.T) {
	one := evidence.Stop([]float64{1.2, .3, 2.0, -.5, .9}, nil, 1)
	require.Equal(t, []bool{false, false, true, false, false}, lanes(one, 5))
	two := evidence.Stop([]float64{1.9, .1, 9, .4, 1.5}, one, 1)
	require.Equal(t, []bool{true, false, true, false, false}, lanes(two, 5))
	require.Equal(t, 2, two.Count())
	require.Equal(t, []bool{false, false, true, false, false}, lanes(one, 5), "what was given is left as it is")
	require.Equal(t, 0, evidence.Stop([]float64{7, 7, 7, 1}, nil, 2).Count(), "who ties for the last place goes on")
	require.Equal(t, 1, evidence.Stop([]float64{8, 7, 7, 1}, nil, 2).Count())
	require.Equal(t, 0, evidence.Stop([]float64{8, 7}, nil, 5).Count(), "nobody is left to be worse than")
	require.Equal(t, 0, evidence.Stop([]float64{8, 7}, nil, 0).Count())
}

func lanes(s evidence.Stopped, n int) []bool {
	all := make([]bool, n)
	for i := range all {
		all[i] = s.Has(i)
	}
	return all
}

func TestStoppedText(t *testing.T) {
	s := evidence.Stop([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, nil, 3)
	text, err := s.MarshalText()
	require.NoError(t, err)
	var back evidence.Stopped
	require.NoError(t, back.UnmarshalText(text))
	require.Equal(t, s, back)
	require.Error(t, back.UnmarshalText([]byte("*")))
}

// The sums are those of an obvious computation: lane 0 is reality, the others are
// some set of as many buckets, exposed in an order that does not change with the
// ramp.
func TestSums(t *testing.T) {
	const from, size = 3, 20
	rng := rand.New(rand.NewPCG(1, 1))
	layer := func(ramp int) evidence.Layer {
		l := evidence.Layer{Ramp: ramp, Scores: make([]evidence.Score, size)}
		for m := range l.Scores {
			for k := range l.Scores[m] {
				l.Scores[m][k] = rng.Int64N(100)
			}
		}
		return l
	}
	layers := []evidence.Layer{layer(9), layer(5), layer(2), layer(9), layer(20)}
	l := evidence.Lanes{Seed: 7, Count: 50, From: from}
	sums := l.Sums(layers, layers[:1])
	var want evidence.Score
	for _, layer := range layers {
		for m := from; m < layer.Ramp; m++ {
			for k := range want {
				want[k] += layer.Scores[m][k]
			}
		}
	}
	require.Equal(t, want, sums[0][0])

	// One score per bucket that tells who was exposed.
	bits := evidence.Layer{Ramp: 8, Scores: make([]evidence.Score, size)}
	more := evidence.Layer{Ramp: 12, Scores: make([]evidence.Score, size)}
	for m := range size {
		bits.Scores[m][0], more.Scores[m][1] = 1<<m, 1<<m
	}
	seen := map[int64]bool{}
	before := l.Sums([]evidence.Layer{bits})[0]
	for lane, s := range l.Sums([]evidence.Layer{bits, more})[0] {
		require.Equal(t, before[lane][0], s[0], "lane %d: the same before the ramp rose", lane)
		require.Equal(t, 8-from, popcount(s[0]), "lane %d", lane)
		require.Equal(t, 12-from, popcount(s[1]), "lane %d", lane)
		require.Equal(t, s[0], s[0]&s[1], "lane %d: who was exposed stays exposed", lane)
		require.Zero(t, s[1]&(1<<from-1), "lane %d: below From", lane)
		seen[s[0]] = true
	}
	require.Greater(t, len(seen), 45, "lanes differ")
	require.Equal(t, l.Sums(layers), l.Sums(layers), "equal seeds, equal lanes")
	require.NotEqual(t, l.Sums(layers), evidence.Lanes{Seed: 8, Count: 50, From: from}.Sums(layers))
	require.Equal(t, evidence.Score{}, l.Sums(layers[2:3])[0][0], "nothing is exposed")
}

func popcount(x int64) (n int) {
	for ; x != 0; x &= x - 1 {
		n++
	}
	return n
}

// Every bucket is exposed equally often over the random lanes.
func TestLanesAreUniform(t *testing.T) {
	const size, ramp, count = 10, 3, 20_000
	l := evidence.Layer{Ramp: ramp, Scores: make([]evidence.Score, size)}
	for m := range size {
		l.Scores[m][0] = 1 << (5 * m)
	}
	times := make([]float64, size)
	for _, s := range (evidence.Lanes{Seed: 3, Count: count}).Sums([]evidence.Layer{l})[0][1:] {
		for m := range size {
			times[m] += float64(s[0] >> (5 * m) & 1)
		}
	}
	for m, n := range times {
		require.InDelta(t, count*ramp/size, n, 5*math.Sqrt(count*0.3*0.7), "bucket %d", m)
	}
}

func TestHeights(t *testing.T) {
	z := evidence.Heights([][]evidence.Score{{{0, 5 << 20}, {3 << 20, 5 << 20}}, {{9 << 20}, {0}}})
	require.InDeltaSlice(t, []float64{1, 1}, z, 1e-9)
	// Whose highest sums tie: the others decide.
	z = evidence.Heights([][]evidence.Score{{{9 << 20, 1 << 20}, {9 << 20, 2 << 20}, {0, 4 << 20}, {0, 0}, {9 << 20, 2 << 20}}})
	require.Greater(t, z[1], z[0])
	require.Equal(t, z[1], z[4])
	z = evidence.Heights([][]evidence.Score{{{1}, {1}, {1}}})
	require.Equal(t, []float64{math.Inf(-1), math.Inf(-1), math.Inf(-1)}, z)
	require.Zero(t, evidence.Stop(z, nil, 1).Count())
}

// The bound is exact, whatever the traffic: if all buckets behave alike but for
// their luck, the real lane is stopped no more often than one of the others.
func TestPlaceboIsExact(t *testing.T) {
	const buckets, count, runs = 40, 20, 4000
	stops := 0
	for run := range runs {
		rng := rand.New(rand.NewPCG(uint64(run), 5))
		var stopped evidence.Stopped
		heavy := make([]float64, buckets)
		for m := range heavy {
			heavy[m] = math.Exp(2 * rng.NormFloat64())
		}
		e := evidence.Events{Count: make([]uint32, buckets), Requests: make([]uint32, buckets)}
		var layers []evidence.Layer
		for look := range 10 {
			if look == 4 { // the ramp goes on; what was scored stays
				e = evidence.Events{Count: make([]uint32, buckets), Requests: make([]uint32, buckets)}
			}
			for m := range buckets {
				for range 3 {
					e.Requests[m]++
					if rng.Float64() < 0.1*heavy[m] {
						e.Count[m] += uint32(1 + rng.IntN(5)) // a burst
					}
				}
			}
			ramp := 4
			if look >= 4 {
				ramp = 12
			}
			layers = append(layers[:min(len(layers), look/4)], evidence.Layer{Ramp: ramp, Scores: e.Failures(evidence.Past{}, 0)})
			z := evidence.Heights(evidence.Lanes{Seed: uint64(run) + 1e6, Count: count}.Sums(layers))
			stopped = evidence.Stop(z, stopped, evidence.Budget(0.1, count, float64(look+1)/10)-stopped.Count())
		}
		require.LessOrEqual(t, stopped.Count(), 2)
		if stopped.Has(0) {
			stops++
		}
	}
	got := float64(stops) / runs
	t.Logf("%.1f %%", 100*got)
	require.LessOrEqual(t, got, 0.1+3*math.Sqrt(0.1*0.9/runs))
	require.Greater(t, got, 0.05, "the budget is used")
}

func BenchmarkPlacebo(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	e := evidence.Events{Count: make([]uint32, evidence.Buckets), Requests: make([]uint32, evidence.Buckets)}
	for m := range e.Count {
		e.Requests[m], e.Count[m] = 60, rng.Uint32N(3)
	}
	for name, ramp := range map[string]int{"10%": 100, "50%": 500} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				layers := []evidence.Layer{{Ramp: ramp, Scores: e.Failures(evidence.Past{}, 0)}}
				evidence.Heights(evidence.Lanes{Seed: 1, Count: 1000}.Sums(layers))
			}
		})
	}
}
