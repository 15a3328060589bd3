package flag

import (
	"maps"
	"slices"
	"strings"
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
	planned  uint64 // the revision since which only changes that need no compiling were made

	store *Store // whose snapshot it is or was; nil otherwise

	dropped map[string]bool // flags of the document that have never had a definition that compiles
	layers  map[string]Layer

	accounts *accounts // what explanations need of its flags
	hash     *lazyHash
}

const (
	chunkBits = 5
	chunkSize = 1 << chunkBits
)

type chunk [chunkSize]header

// header finds a flag by its key. It is nil if the document does not have it.
func (s *Set) header(key string) *header {
	i, ok := s.byKey[key]
	if !ok {
		return nil
	}
	return &s.chunks[i>>chunkBits][i%chunkSize]
}

// defined returns a flag, or nil if the set does not have it. A nil set has none.
func (s *Set) defined(key string) *compiled {
	if s == nil {
		return nil
	}
	if h := s.header(key); h != nil {
		return h.flag
	}
	return nil
}

// has says whether the set has a flag, be its definition broken or not. A nil set has none.
func (s *Set) has(key string) bool { return s.defined(key) != nil || s != nil && s.dropped[key] }

// placed is the layers that the flags were compiled with.
func (s *Set) placed() map[string]Layer {
	if s == nil {
		return map[string]Layer{}
	}
	return s.layers
}

// newSet places compiled flags.
func newSet(flags map[string]*compiled) *Set {
	all := declarations()
	set := &Set{byKey: make(map[string]uint32, len(flags)), accounts: &accounts{}, hash: &lazyHash{}}
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
	set.byKey = together(set.byKey)
	for _, f := range flags {
		set.timed = set.timed || f.timed
	}
	for key, f := range flags {
		set.put(key, f)
	}
	return set
}

// together moves the keys to one place, since looking a flag up reads its key.
func together(places map[string]uint32) map[string]uint32 {
	keys := slices.Sorted(maps.Keys(places))
	all, moved := strings.Join(keys, ""), make(map[string]uint32, len(keys))
	for _, key := range keys {
		moved[all[:len(key)]] = places[key]
		all = all[len(key):]
	}
	return moved
}

// put gives a flag its header, in a set that nobody reads yet.
func (s *Set) put(key string, f *compiled) {
	at := s.byKey[key]
	s.chunks[at>>chunkBits][at%chunkSize] = f.header(s.timed)
}

// with returns a set in which some flags are others.
func (s *Set) with(flags map[string]*compiled) *Set {
	out := *s
	out.hash = &lazyHash{}
	out.chunks = slices.Clone(s.chunks)
	out.refs = out.chunks[:len(s.refs)]
	for _, f := range flags {
		if f.timed && !out.timed {
			out.time()
		}
	}
	for key, f := range flags {
		at := s.byKey[key]
		c := &out.chunks[at>>chunkBits]
		if *c == s.chunks[at>>chunkBits] {
			own := **c
			*c = &own
		}
		(*c)[at%chunkSize] = f.header(out.timed)
	}
	return &out
}

// time makes a set one that looks at the clock, as flags that need others then have
// to.
func (s *Set) time() {
	s.timed = true
	for i, c := range s.chunks {
		changed := *c
		for j := range changed {
			if f := changed[j].flag; f != nil && f.linked().needs {
				changed[j] = f.header(true)
			}
		}
		s.chunks[i] = &changed
	}
}

// keys returns the keys of all flags, those included that have no definition.
func (s *Set) keys() map[string]bool {
	if s == nil {
		return nil
	}
	keys := maps.Clone(s.dropped)
	if keys == nil {
		keys = make(map[string]bool, len(s.byKey))
	}
	for key := range s.byKey {
		keys[key] = true
	}
	return keys
}

// flags returns every flag that has a definition.
func (s *Set) flags() map[string]*compiled {
	if s == nil {
		return map[string]*compiled{}
	}
	flags := make(map[string]*compiled, len(s.byKey))
	for key := range s.byKey {
		flags[key] = s.header(key).flag
	}
	return flags
}
