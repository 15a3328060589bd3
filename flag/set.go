package flag

import (
	"unsafe"

	"github.com/guidon-go/guidon/internal/bucket"
)

// Set is a compiled document: immutable, and safe for any number of readers.
//
// Its flags stand in chunks of headers, the declared ones at their dense index, so
// that changing one flag copies one chunk and the list of chunks, however many
// flags there are.
type Set struct {
	chunks   []*chunk
	refs     []*chunk          // those of the declared flags, by their index, which come first
	byKey    map[string]uint32 // where the flags of the document stand
	timed    bool              // whether any flag looks at the clock
	revision uint64

	dropped map[string]bool // flags of the document that have never had a definition that compiles
	layers  map[string]Layer
}

const (
	chunkBits = 5
	chunkSize = 1 << chunkBits
)

type chunk [chunkSize]header

// header is what most evaluations need of a flag, in one cache line.
type header struct {
	hot    hot
	mode   mode
	timed  bool     // whether deciding takes the time
	simple bool     // of modeTable: what follows the rules is as in modeRamp
	count  int32    // the counter of the caller's default; the variants' follow
	serves [2]int32 // of modeStatic, the first variant; of modeRamp, those for who is out and in
	// values are those of serves: pointers to a T, if the header stands where a flag is
	// declared as a T. They are nil everywhere else.
	values [2]unsafe.Pointer
	lane   uint64
	limit  uint64
	flag   *compiled
	counts *counts // nil if nobody counts
}

// hot says what of a header's mode [Ref.Value] does by itself.
type hot uint8

const (
	hotRamp   hot = iota + 1 // modeRamp, and nobody counts
	hotStatic                // modeStatic, and nobody counts
	hotCount                 // one of the two, and count it
	hotSplit                 // modeSplit
	hotTable                 // modeTable, and what follows the rules is simple
)

// mode is how a header decides.
type mode uint8

const (
	modeNone    mode = iota // the document does not have the flag
	modeStatic              // always the same variant
	modeRamp                // a ramp over everybody, and nothing else
	modeSplit               // a split over everybody, and nothing else
	modeTargets             // the flag's targets, then as in modeRamp
	modeTable               // the flag's table, then its ramp or split or serve
	modeFull                // the flag's program
)

// header finds a flag by its key. It is nil if the document does not have it.
func (s *Set) header(key string) *header {
	i, ok := s.byKey[key]
	if !ok {
		return nil
	}
	return &s.chunks[i>>chunkBits][i%chunkSize]
}

// pick is the whole evaluation: the index of the variant that the flag serves, or
// negative for the caller's default. It allocates nothing, locks nothing, and
// writes nothing.
func (h *header) pick(set *Set, s *Subject) (v int32) {
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
		left := h.flag.table.left(s)
		if left == 0 && h.simple {
			return h.ramp(s)
		}
		v, _ = h.flag.among(left, s, s.moment(h.timed))
		return v
	case modeSplit:
		if s.key == "" {
			return h.serves[0]
		}
		return h.flag.main.cut(s.unit)
	}
	v, _ = h.flag.run(set, s, s.moment(h.timed))
	return v
}

// ramp is modeRamp, without a branch on who is in: nobody could predict it.
func (h *header) ramp(s *Subject) int32 {
	if s.key == "" {
		return h.serves[0]
	}
	return h.serves[bit(bucket.Hash(s.unit, h.lane) <= h.limit)&1]
}

// newSet places compiled flags.
func newSet(flags map[string]*compiled) *Set {
	all := declarations()
	set := &Set{byKey: make(map[string]uint32, len(flags))}
	for id, d := range all {
		if f := flags[d.key]; f != nil && f.values.typ == d.typ {
			set.byKey[d.key] = uint32(id)
		}
	}
	refs := (len(all) + chunkSize - 1) / chunkSize
	total := refs * chunkSize // so that no flag stands where one will be declared
	for key := range flags {
		if _, placed := set.byKey[key]; !placed {
			set.byKey[key] = uint32(total)
			total++
		}
	}
	set.chunks = make([]*chunk, (total+chunkSize-1)/chunkSize)
	for i := range set.chunks {
		set.chunks[i] = new(chunk)
	}
	set.refs = set.chunks[:refs]
	for key, f := range flags {
		set.put(key, f)
		set.timed = set.timed || f.timed
	}
	return set
}

// put gives a flag its header, in a set that nobody reads yet.
func (s *Set) put(key string, f *compiled) {
	at := s.byKey[key]
	s.chunks[at>>chunkBits][at%chunkSize] = f.header(int(at>>chunkBits) < len(s.refs))
}

// with returns a set in which one flag is another.
func (s *Set) with(key string, f *compiled) *Set {
	out := *s
	at := s.byKey[key]
	out.chunks = make([]*chunk, len(s.chunks))
	copy(out.chunks, s.chunks)
	changed := *s.chunks[at>>chunkBits]
	changed[at%chunkSize] = f.header(int(at>>chunkBits) < len(s.refs))
	out.chunks[at>>chunkBits], out.refs = &changed, out.chunks[:len(s.refs)]
	return &out
}

// flags returns every flag that has a definition.
func (s *Set) flags() map[string]*compiled {
	flags := make(map[string]*compiled, len(s.byKey))
	for key := range s.byKey {
		flags[key] = s.header(key).flag
	}
	return flags
}
