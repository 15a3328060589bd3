package flag

import (
	"iter"
	"math"
)

// movers is how many of a population get what, at one moment.
type movers struct {
	by  map[[2]int32]int // by variants, of those who move
	all int
}

// count decides every subject on both sides.
func (d *differ) count(pairs []pair, population iter.Seq[Subject]) (subjects, moved int) {
	counts := make([][]movers, len(pairs))
	headers := make([][2]*header, len(pairs))
	for i := range pairs {
		counts[i] = make([]movers, len(pairs[i].moments))
		headers[i] = [2]*header{d.sides[0].header(pairs[i].Key), d.sides[1].header(pairs[i].Key)}
	}
	for s := range population {
		subjects++
		own, moves := s.at != 0, false
		for i := range pairs {
			var got [2]int32
			for j, now := range pairs[i].moments {
				if !own {
					s.at = now ^ math.MinInt64
				}
				for side, h := range headers[i] {
					if got[side] = -1; h != nil {
						got[side] = h.pickAt(d.sides[side], &s, s.moment(true))
					}
				}
				if !pairs[i].stays(got) {
					counts[i][j].add(got)
					moves = true
				}
			}
		}
		if moves {
			moved++
		}
	}
	for i := range pairs {
		if p := &pairs[i]; subjects == 0 {
			p.unknown(BasisNobody)
		} else {
			p.counted(counts[i], subjects)
		}
	}
	return subjects, moved
}

func (m *movers) add(got [2]int32) {
	if m.by == nil {
		m.by = map[[2]int32]int{}
	}
	m.by[got]++
	m.all++
}

// counted makes moves of the moment at which the most move.
func (p *pair) counted(counts []movers, subjects int) {
	if len(counts) == 0 {
		p.unknown(BasisBound)
		return
	}
	worst := 0
	for j := range counts {
		if counts[j].all > counts[worst].all {
			worst = j
		}
	}
	p.asOf(worst)
	p.Basis, p.Count, p.Share = BasisCounted, counts[worst].all, ratio(counts[worst].all, subjects)
	for got, n := range counts[worst].by {
		p.Moves = append(p.Moves, Move{From: p.name(0, got[0]), To: p.name(1, got[1]), Count: n, Share: ratio(n, subjects), Basis: BasisCounted})
	}
	sortMoves(p.Moves)
}

// ratio is rounded up, so that it is 0 only for nobody.
func ratio(n, of int) Share {
	if n == 0 {
		return 0
	}
	return min(Share(math.Ceil(float64(n)*float64(All)/float64(of))), All)
}
