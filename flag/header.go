package flag

import (
	"unsafe"

	"github.com/guidon-go/guidon/internal/bucket"
)

// header is what most evaluations need of a flag, in one cache line.
type header struct {
	hot    hot
	mode   mode
	timed  bool     // whether deciding takes the time
	typ    typ      // of the values
	count  int32    // the counter of the caller's default; the variants' follow
	serves [2]int32 // of modeStatic, the first variant; of modeRamp, those for who is out and in
	// values are those of serves, if hot says that they are needed: pointers to what
	// typ says, and in the place of a declared flag to the type it is declared with. Of
	// hotSplit, the first is a *four with such pointers.
	values [2]unsafe.Pointer
	lane   uint64
	limit  uint64
	flag   *compiled
	counts *counts // nil if nobody counts
}

// hot says what of a header's mode [Ref.Value] does by itself.
type hot uint8

const (
	hotStatic  hot = iota + 1 // modeStatic, and nobody counts
	hotRamp                   // modeRamp, and nobody counts
	hotCount                  // one of the two, and count it
	hotSplit                  // modeSplit of at most four parts, and nobody counts
	hotTable                  // modeTable, its rules serve variants, and nobody counts
	hotTargets                // modeTargets
)

// typ is the types that the values of a flag most often have.
type typ uint8

const (
	typOther typ = iota
	typBool
	typString
	typInt
	typFloat
)

// typOf is the typ that T is.
func typOf[T any]() typ {
	switch any(*new(T)).(type) {
	case bool:
		return typBool
	case string:
		return typString
	case int64:
		return typInt
	case float64:
		return typFloat
	}
	return typOther
}

// mode is how a header decides.
type mode uint8

const (
	modeNone    mode = iota // the document does not have the flag
	modeStatic              // always the same variant
	modeRamp                // a ramp over everybody, and nothing else
	modeSplit               // a split over everybody, and nothing else
	modeTargets             // the flag's targets, then as in modeRamp
	modeTable               // the flag's table, then as in modeRamp
	modeFull                // the flag's program
)

// header is the flag as a set holds it, of which some flag may be timed.
func (f *compiled) header(timed bool) header {
	// A flag that needs others asks them about the same moment.
	timed = f.timed || timed && f.linked().needs
	h := header{mode: modeFull, typ: f.values.kind, timed: timed, flag: f, counts: f.counts, count: f.first + 1} // the caller's default is -1
	d, ruled := f.main, !f.killed && f.override < 0 && !f.disabled
	simple := d == nil || d.by == 0 && d.layer == nil && d.schedule == nil // what follows the rules
	switch {
	case f.killed || f.override < 0 && f.disabled || ruled && f.start == ^exitOff:
		h.mode, h.serves = modeStatic, [2]int32{f.off, f.off}
	case f.override >= 0:
		h.mode, h.serves = modeStatic, [2]int32{f.override, f.override}
	case f.start != ^exitServe || !simple:
		return h
	case d == nil || d.cuts == nil && d.share == 0:
		h.mode, h.serves = modeStatic, [2]int32{f.serve, f.serve}
	case d.cuts == nil:
		h.mode, h.serves, h.lane, h.limit = modeRamp, [2]int32{f.serve, d.serve}, d.lane, d.limit
	default:
		h.mode, h.serves, h.lane = modeSplit, [2]int32{f.serve, f.serve}, d.lane
	}
	switch targets, table := ruled && f.targets != nil, ruled && f.table != nil; {
	case targets && table, (targets || table) && h.mode == modeSplit:
		h.mode = modeFull
		return h
	case targets:
		h.mode, h.hot = modeTargets, hotTargets
		return h
	case table:
		h.mode = modeTable
	}
	if h.serves[0] < 0 && h.mode != modeSplit {
		return h
	}
	switch {
	case h.counts != nil && (h.mode == modeStatic || h.mode == modeRamp):
		h.hot = hotCount
	case h.counts != nil:
		return h
	case h.mode == modeStatic:
		h.hot = hotStatic
	case h.mode == modeRamp:
		h.hot = hotRamp
	case h.mode == modeSplit:
		if f.four == nil {
			return h
		}
		h.hot, h.values[0] = hotSplit, unsafe.Pointer(f.four)
		return h
	case f.plain:
		h.hot = hotTable
	}
	h.values = [2]unsafe.Pointer{f.values.at[h.serves[0]], f.values.at[h.serves[1]]}
	return h
}

// pick is the whole evaluation: the index of the variant that the flag serves, or
// negative for the caller's default. It allocates nothing, locks nothing, and
// writes nothing.
func (h *header) pick(set *Set, s *Subject) int32 {
	now := int64(0)
	if h.timed {
		now = s.moment(true)
	}
	return h.pickAt(set, s, now)
}

// pickAt is pick at a moment, which only flags that are timed look at.
func (h *header) pickAt(set *Set, s *Subject, now int64) (v int32) {
	switch h.mode {
	case modeStatic:
		return h.serves[0]
	case modeRamp:
		return h.ramp(s)
	case modeTargets:
		if v = h.flag.target(s); v >= 0 {
			return v
		}
		return h.ramp(s)
	case modeTable:
		rule, ok := h.flag.table.first(s)
		switch {
		case !ok:
		case rule < 0:
			return h.ramp(s)
		case h.flag.plain:
			return h.flag.served(rule)
		}
	case modeSplit:
		if s.key == "" {
			return h.serves[0]
		}
		return h.flag.main.cut(s.unit)
	}
	v, _ = h.flag.run(set, s, now)
	return v
}

// ramp is modeRamp, without a branch on who is in: nobody could predict it.
func (h *header) ramp(s *Subject) int32 {
	if s.key == "" {
		return h.serves[0]
	}
	return h.serves[bit(bucket.Hash(s.unit, h.lane) <= h.limit)&1]
}
