package flag

import (
	"cmp"
	"math"
	"slices"
	"time"
)

const (
	// maxMoments is at how many a flag is looked at.
	maxMoments = 1000
	// lineParts is in how many parts a straight line of a schedule is looked at.
	lineParts = 8
)

// calendar is the moments at which what is served may be another than just before.
type calendar struct {
	*differ
	turns []int64 // at which a schedule or a window says something else
	lines []int64 // on the way along straight lines
	seen  [2]map[*compiled]bool
}

// moments are now and, ahead, those of a flag on both sides, and of those that it needs;
// in order. There are none if they are too many.
func (d *differ) moments(sides [2]*compiled) []int64 {
	c := calendar{differ: d, seen: [2]map[*compiled]bool{{}, {}}}
	for side, f := range sides {
		c.flag(side, f)
	}
	all := append(c.turns, d.now)
	if c.lines != nil {
		all = append(all, c.lines...)
		for _, at := range c.turns {
			all = append(all, at-1) // until which the lines went
		}
	}
	slices.Sort(all)
	all = slices.DeleteFunc(slices.Compact(all), func(at int64) bool { return at < d.now || at == math.MaxInt64 }) // which is no end
	if len(all) > maxMoments {
		return nil
	}
	return all
}

func (c *calendar) flag(side int, f *compiled) {
	if f == nil || constant(f) || !f.timed && !f.linked().needs || c.seen[side][f] {
		return
	}
	c.seen[side][f] = true
	c.windows(&f.program)
	for _, e := range f.exits {
		if e.draw != nil && e.draw.schedule != nil {
			c.schedule(e.draw.schedule)
		}
	}
	flags, segments := f.named()
	for s := range segments {
		c.windows(&s.in)
	}
	for key := range flags {
		c.flag(side, c.differ.flag(side, key))
	}
}

func (c *calendar) windows(p *program) {
	if p.more != nil {
		for _, w := range p.more.windows {
			c.turns = append(c.turns, w.from, w.until)
		}
	}
}

func (c *calendar) schedule(s *schedule) {
	for i, p := range s.points {
		c.turns = append(c.turns, p.at)
		if !s.linear || i+1 == len(s.points) || s.points[i+1].at <= c.now {
			continue
		}
		from := max(p.at, c.now)
		part := uint64(s.points[i+1].at-from) / lineParts // the difference can be beyond an int64
		for n := range uint64(lineParts) {
			c.lines = append(c.lines, from+int64(n*part))
		}
	}
}

// named is the flags that are evaluated for this one, be it by a segment, and the
// segments.
func (f *compiled) named() (flags map[string]bool, segments map[*segmentState]bool) {
	flags, segments = map[string]bool{}, map[*segmentState]bool{}
	var add func(usage)
	add = func(u usage) {
		for key := range u.flags {
			flags[key] = true
		}
		for _, s := range u.segments {
			if !segments[s.segmentState] {
				segments[s.segmentState] = true
				add(s.use)
			}
		}
	}
	add(f.usage())
	return flags, segments
}

// asOf notes that the most move at one of the moments.
func (p *pair) asOf(i int) {
	if i > 0 {
		p.At = time.Unix(0, p.moments[i]).UTC()
	}
}

// bySlots finds the moves of a flag without a population, at the moment at which the
// most move.
func (p *pair) bySlots(d *differ, outlines [2]outline) {
	if p.moments == nil {
		p.unknown(BasisBound)
		return
	}
	worst, given := p.FlagDifference, min(maxAsked, d.left)
	left := given
	for i, now := range p.moments {
		if i > 0 {
			left -= outlines[0].size() + outlines[1].size() // which are written once more
		}
		d.now, p.FlagDifference = now, FlagDifference{Key: p.Key}
		if left = p.bySlotsAt(d, outlines, left); left < 0 {
			break
		}
		if i == 0 || p.beyond(worst) {
			p.asOf(i)
			worst = p.FlagDifference
		}
	}
	d.now, p.FlagDifference = p.moments[0], worst
	if d.left -= given - max(left, 0); left < 0 {
		p.unknown(BasisBound)
	}
}

// unknown leaves it open who moves.
func (p *pair) unknown(basis Basis) {
	p.FlagDifference = FlagDifference{Key: p.Key, Share: All, Basis: basis}
}

// beyond says whether more move than at another moment: of everybody or, where that is
// as many, rather for sure, or of more groups.
func (f *FlagDifference) beyond(other FlagDifference) bool {
	sum := func(moves []Move) (all int) {
		for _, m := range moves {
			all += int(m.Share)
		}
		return all
	}
	return cmp.Or(cmp.Compare(f.Share, other.Share), cmp.Compare(other.Basis, f.Basis), cmp.Compare(sum(f.Moves), sum(other.Moves))) > 0
}
