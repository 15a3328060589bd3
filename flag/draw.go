package flag

import (
	"math"
	"math/bits"
	"strconv"
	"unsafe"

	"github.com/guidon-go/guidon/internal/bucket"
)

// draw is a ramp or a split, ready to decide by hash.
type draw struct {
	by    uint32 // the attribute that is the unit; 0 is the subject's key
	laid  bool   // whether it was laid over the document at run time
	lane  uint64
	salt  string
	layer *place // nil without a layer

	// A ramp:
	serve    int32
	share    Share
	limit    uint64    // of the share; see bucket.Limit
	schedule *schedule // changes the share

	// A split, if it has cuts:
	cuts []cut
}

// cut is the slots of a split up to a hash, behind the cut before it.
type cut struct {
	limit uint64
	serve int32
}

// four is a split of at most four parts, ready for [Ref.Value].
type four struct {
	limits [3]uint64 // of all parts but the last
	values [4]unsafe.Pointer
}

// four returns the split with values for its variants, or nil if it has more parts.
func (d *draw) four(values *values) *four {
	if len(d.cuts) > 4 {
		return nil
	}
	f := &four{limits: [3]uint64{math.MaxUint64, math.MaxUint64, math.MaxUint64}}
	for i, c := range d.cuts {
		if i < len(d.cuts)-1 {
			f.limits[i] = c.limit
		}
		f.values[i] = values.at[c.serve]
	}
	return f
}

// schedule is how a ramp's share changes with the clock.
type schedule struct {
	points []point
	linear bool
}

// point is a [Point] in nanoseconds since 1970.
type point struct {
	at    int64
	share Share
}

// place is what a layer leaves to one flag.
type place struct {
	by            uint32
	lane, holdout uint64
	held          Share
	ranges        []Range
}

// size is how many ranges may have to be looked at.
func (p *place) size() int {
	if p == nil {
		return 0
	}
	return len(p.ranges)
}

// drawn is why a ramp or a split decided nothing, or that it could.
type drawn uint8

const (
	drawnPlace drawn = iota
	drawnNoUnit
	drawnHoldout
	drawnLayer
)

// units returns the unit that a draw is about.
func (d *draw) unit(s *Subject) (uint64, bool) {
	if d.layer != nil && d.layer.keeps(s) != drawnPlace {
		return 0, false
	}
	if d.by == 0 {
		return s.unit, s.key != ""
	}
	return s.unitBy(d.by)
}

// pick returns what a unit gets: a variant, or a negative number for a ramp that
// does not admit it. It is false for a subject without a place.
func (d *draw) pick(s *Subject, now int64) (int32, bool) {
	unit, ok := d.unit(s)
	switch {
	case !ok:
		return -1, false
	case d.cuts != nil:
		return d.cut(unit), true
	case d.schedule == nil && d.share > 0 && bucket.Hash(unit, d.lane) <= d.limit,
		d.schedule != nil && Share(bucket.Slot(unit, d.lane)) < d.shareAt(now):
		return d.serve, true
	}
	return -1, true
}

// cut finds a unit's part of a split, by counting the limits that it is beyond:
// nobody could predict a branch on any of them.
func (d *draw) cut(unit uint64) int32 {
	hash, beyond := bucket.Hash(unit, d.lane), uint64(0)
	for i := range d.cuts {
		beyond += bit(hash > d.cuts[i].limit)
	}
	return d.cuts[beyond].serve // the last limit is beyond all
}

// shareAt is the share of a ramp at a moment.
func (d *draw) shareAt(now int64) Share {
	next := 0
	if d.schedule == nil {
		return d.share
	}
	points := d.schedule.points
	for next < len(points) && points[next].at <= now {
		next++
	}
	if next == 0 {
		return d.share
	}
	from := points[next-1]
	if !d.schedule.linear || next == len(points) {
		return from.share
	}
	to := points[next]
	// Unsigned, because the difference of two moments can be beyond an int64; rounded
	// down in both directions.
	gone, whole := uint64(now-from.at), uint64(to.at-from.at)
	if to.share >= from.share {
		hi, lo := bits.Mul64(uint64(to.share-from.share), gone)
		up, _ := bits.Div64(hi, lo, whole)
		return from.share + Share(up)
	}
	hi, lo := bits.Mul64(uint64(from.share-to.share), gone)
	down, rest := bits.Div64(hi, lo, whole)
	if rest > 0 {
		down++
	}
	return from.share - Share(down)
}

// why says how the draw went, for a decision that gives its reason.
func (d *draw) why(s *Subject, now int64) (slot int32, share Share, unit uint64, how drawn) {
	if d.layer != nil {
		if how = d.layer.keeps(s); how != drawnPlace {
			return -1, 0, 0, how
		}
	}
	unit, ok := d.unit(s)
	if !ok {
		return -1, 0, 0, drawnNoUnit
	}
	if d.cuts == nil {
		share = d.shareAt(now)
	}
	return bucket.Slot(unit, d.lane), share, unit, drawnPlace
}

// keeps says whether, and why, the layer keeps the flag from a subject.
func (p *place) keeps(s *Subject) drawn {
	unit, ok := s.unit, s.key != ""
	if p.by != 0 {
		unit, ok = s.unitBy(p.by)
	}
	if !ok {
		return drawnNoUnit
	}
	if Share(bucket.Slot(unit, p.holdout)) < p.held {
		return drawnHoldout
	}
	slot := Share(bucket.Slot(unit, p.lane))
	for _, r := range p.ranges {
		if r.From <= slot && slot < r.To {
			return drawnPlace
		}
	}
	return drawnLayer
}

// unitBy hashes an attribute: a string that is not empty, or an integer as its
// decimal text. Anything else is no unit.
func (s *Subject) unitBy(attr uint32) (uint64, bool) {
	f := s.look(attr)
	if f.kind() == kindString {
		return bucket.Unit(f.text()), f.text() != ""
	}
	var digits [20]byte
	text, ok := f.decimal(digits[:0])
	return bucket.UnitBytes(text), ok
}

// decimal writes an integer.
func (f *Fact) decimal(to []byte) ([]byte, bool) {
	switch f.kind() {
	case kindInt:
		return strconv.AppendInt(to, int64(f.num), 10), true
	case kindUint:
		return strconv.AppendUint(to, f.num, 10), true
	}
	return nil, false
}
