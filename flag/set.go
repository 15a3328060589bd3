package flag

import "github.com/guidon-go/guidon/internal/bucket"

// Set is a compiled document: immutable, and safe for any number of readers.
//
// Its flags stand in chunks of headers, the declared ones at their dense index, so
// that changing one flag copies one chunk and the list of chunks, however many
// flags there are.
type Set struct {
	chunks   []*chunk
	declared int               // declarations that have their place here
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
	mode    mode
	timed   bool
	killed  bool
	variant int32 // of modeStatic; of modeRamp, for those who are out
	in      int32 // of modeRamp
	count   int32 // the counter of the caller's default; the variants' follow
	lane    uint64
	limit   uint64
	values  any // a *variants[T]
	flag    *compiled
	counts  *counts // nil if nobody counts
}

// mode is how a header decides.
type mode uint8

const (
	modeNone   mode = iota // the document does not have the flag
	modeStatic             // always the same variant
	modeRamp               // a ramp over everybody, and nothing else
	modeSplit              // a split over everybody, and nothing else
	modeFull               // the flag's program
)

// variants are the values of a flag's variants, by index.
type variants[T any] struct{ list []T }

// at finds the header of a declared flag, or of one by its key. It is nil if the
// document does not have the flag.
func (s *Set) at(id int, key string) *header {
	i := uint(id - 1) // the zero Ref has none
	if i >= uint(s.declared) {
		return s.header(key)
	}
	return &s.chunks[i>>chunkBits][i%chunkSize]
}

// header finds a flag by its key.
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
func (h *header) pick(set *Set, s *Subject, now int64) int32 {
	switch h.mode {
	case modeStatic:
		return h.variant
	case modeRamp:
		return h.ramp(s)
	case modeSplit:
		return h.split(s)
	case modeFull:
		v, _ := h.flag.run(set, s, now)
		return v
	}
	return -1
}

// ramp is modeRamp.
func (h *header) ramp(s *Subject) int32 {
	if s.key != "" && bucket.Below(s.unit, h.lane, h.limit) {
		return h.in
	}
	return h.variant
}

// split is modeSplit.
func (h *header) split(s *Subject) int32 {
	if s.key == "" {
		return h.variant
	}
	return h.flag.main.cut(s.unit)
}

// newSet places compiled flags.
func newSet(flags map[string]*compiled) *Set {
	all := declarations()
	set := &Set{declared: len(all), byKey: make(map[string]uint32, len(flags))}
	total := len(all)
	for id, d := range all {
		if _, twice := set.byKey[d.key]; !twice && flags[d.key] != nil {
			set.byKey[d.key] = uint32(id)
		}
	}
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
	for key, f := range flags {
		*set.header(key) = f.header()
		set.timed = set.timed || f.timed
	}
	return set
}

// with returns a set in which one flag is another.
func (s *Set) with(key string, f *compiled) *Set {
	out := *s
	at := s.byKey[key]
	out.chunks = make([]*chunk, len(s.chunks))
	copy(out.chunks, s.chunks)
	changed := *s.chunks[at>>chunkBits]
	changed[at%chunkSize] = f.header()
	out.chunks[at>>chunkBits] = &changed
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
