package evidence

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/guidon-go/guidon/internal/bucket"
)

// Buckets is into how many equal parts the placebo test cuts the slots.
const Buckets = 1000

// BucketSlots is how many slots a bucket has.
const BucketSlots = bucket.Slots / Buckets

// Score says of every bucket how bad it looks: four numbers, so that one load of
// memory serves all. They are fixed point, in units of 2^-20: sums of integers are
// the same in every order, and ties are ties.
type Score [4]int64

const unit = 1 << 20

// Layer is the score of all buckets while the ramp exposed those below Ramp.
type Layer struct {
	Ramp   int     // in buckets
	Scores []Score // by bucket
}

// Lanes is a placebo test: the real assignment of buckets to candidate and
// baseline (lane 0) among Count-1 random ones, all on the same traffic. If the
// change does nothing, the real one is one of them like any other, so what is
// done to all lanes alike (stopping the worst, as [Stop] does) hits it no more
// often than its share. Buckets below From are left out: they were exposed before.
type Lanes struct {
	Seed  uint64
	Count int
	From  int
}

// Sums adds up, for every lane and group of scores, what its exposed buckets
// scored, over all layers. In a lane as in reality, who is exposed stays exposed
// when the ramp rises.
func (l Lanes) Sums(groups ...[]Layer) [][]Score {
	sums := make([][]Score, len(groups))
	ramp, size := 0, 0
	bands := make([][]band, len(groups))
	for g, layers := range groups {
		sums[g] = make([]Score, l.Count)
		bands[g] = l.bands(layers)
		for _, layer := range layers {
			ramp, size = max(ramp, layer.Ramp), len(layer.Scores)
		}
	}
	if ramp <= l.From {
		return sums
	}
	all := make([]uint16, size-l.From)
	for i := range all {
		all[i] = uint16(l.From + i)
	}
	pool := slices.Clone(all)
	for lane := range l.Count {
		exposed := pool[:ramp-l.From]
		if lane > 0 {
			// A lane's own draws, from a fresh start, so that it exposes the same buckets
			// first when the ramp has risen.
			rng := rand.NewPCG(l.Seed, 0x67756964_6f6e3431^uint64(lane)*0x9e3779b97f4a7c15)
			copy(pool, all)
			for i := range exposed {
				hi, _ := bits.Mul64(rng.Uint64(), uint64(len(pool)-i))
				j := i + int(hi)
				pool[i], pool[j] = pool[j], pool[i]
			}
		}
		for g := range bands {
			var sum Score
			for _, b := range bands[g] {
				for _, m := range exposed[b.from:b.to] {
					s := &b.scores[m]
					sum[0] += s[0]
					sum[1] += s[1]
					sum[2] += s[2]
					sum[3] += s[3]
				}
			}
			sums[g][lane] = sum
		}
	}
	return sums
}

// band is a stretch of the order in which buckets are exposed: those in it were
// exposed in the same layers, whose scores are added up.
type band struct {
	from, to int
	scores   []Score
}

func (l Lanes) bands(layers []Layer) []band {
	layers = slices.DeleteFunc(slices.Clone(layers), func(a Layer) bool { return a.Ramp <= l.From })
	slices.SortFunc(layers, func(a, b Layer) int { return b.Ramp - a.Ramp })
	var bands []band
	for i, layer := range layers {
		scores := slices.Clone(layer.Scores)
		if i > 0 { // those exposed here were exposed at every higher ramp as well
			for m := range scores {
				for k := range scores[m] {
					scores[m][k] += bands[i-1].scores[m][k]
				}
			}
			bands[i-1].from = layer.Ramp - l.From
		}
		bands = append(bands, band{0, layer.Ramp - l.From, scores})
	}
	return bands
}

// Heights says for every lane how far it stands out: the highest of its sums, in
// standard deviations over all lanes; of lanes that tie by that, those are higher
// whose sums are higher altogether. Sums that do not vary are left out. If none
// varies, all heights are -Inf.
func Heights(sums [][]Score) []float64 {
	if len(sums) == 0 {
		return nil
	}
	heights, altogether := make([]float64, len(sums[0])), make([]float64, len(sums[0]))
	for i := range heights {
		heights[i] = math.Inf(-1)
	}
	n := float64(len(heights))
	for _, group := range sums {
		for k := range 4 {
			mean, squares := 0.0, 0.0
			for i := range group {
				mean += float64(group[i][k]) / n
			}
			for i := range group {
				d := float64(group[i][k]) - mean
				squares += float64(d * d)
			}
			sd := math.Sqrt(squares / n)
			if sd < 0.5 { // less than half a unit of the fixed point: all the same
				continue
			}
			for i := range group {
				z := (float64(group[i][k]) - mean) / sd
				heights[i] = max(heights[i], z)
				altogether[i] += z
			}
		}
	}
	for i := range heights {
		heights[i] += float64(1e-6 * altogether[i])
	}
	return heights
}

// Stopped is the set of lanes that have been stopped. The zero value is empty. In
// text it is base64.
type Stopped []byte

// Has says whether the lane has been stopped.
func (s Stopped) Has(lane int) bool { return lane/8 < len(s) && s[lane/8]>>(lane%8)&1 == 1 }

// Count is how many lanes have been stopped.
func (s Stopped) Count() int {
	n := 0
	for _, b := range s {
		n += bits.OnesCount8(b)
	}
	return n
}

// MarshalText encodes the set.
func (s Stopped) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, s), nil
}

// UnmarshalText decodes what MarshalText wrote.
func (s *Stopped) UnmarshalText(text []byte) error {
	raw, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("stopped lanes: %w", err)
	}
	*s = raw
	return nil
}

// Budget is how many lanes may have been stopped by the time a share of the
// planned time has gone by: a share alpha of all at its end, and as the square
// root of time before (Lan and DeMets, Biometrika 1983, for the idea of spending).
func Budget(alpha float64, lanes int, time float64) int {
	// The bit more keeps a product such as 0.05*1000 from falling short of 50.
	return int(float64(alpha*float64(lanes)*math.Sqrt(min(max(time, 0), 1))) + 1e-9)
}

// Stop stops, of the lanes that still run, those that stand out most, up to quota
// of them: those strictly higher than the next one. Lanes that tie for the last
// places go on. It returns a new set.
func Stop(heights []float64, stopped Stopped, quota int) Stopped {
	running := make([]float64, 0, len(heights))
	for lane, h := range heights {
		if !stopped.Has(lane) {
			running = append(running, h)
		}
	}
	next := make(Stopped, (len(heights)+7)/8)
	copy(next, stopped)
	if quota <= 0 || len(running) <= quota {
		return next
	}
	slices.Sort(running)
	bar := running[len(running)-1-quota]
	for lane, h := range heights {
		if h > bar && !next.Has(lane) {
			next[lane/8] |= 1 << (lane % 8)
		}
	}
	return next
}
