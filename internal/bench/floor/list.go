package floor

import (
	"strings"

	"github.com/cespare/xxhash/v2"
)

// List is the flag of S4: on for the ids in a set. A tag is a byte of an id's hash
// and never zero; where it is zero there is no id. The tags stand by themselves,
// so that most of who is not in the set is found out in the first-level cache.
//
// The length of both slices is a power of two, and more than twice the ids.
type List struct {
	tags []uint8
	ids  []string
}

// NewList returns a flag with these ids. They are copied: the subject's id is
// another string with the same bytes, as it is when it came with a request.
func NewList(ids []string) List {
	size := 1
	for size < 2*len(ids) {
		size *= 2
	}
	f := List{make([]uint8, size), make([]string, size)}
	for _, id := range ids {
		hash := xxhash.Sum64String(id)
		i := int(hash) & (size - 1)
		for f.tags[i] != 0 {
			i = (i + 1) & (size - 1)
		}
		f.tags[i], f.ids[i] = tagOf(hash), strings.Clone(id)
	}
	return f
}

func tagOf(hash uint64) uint8 { return uint8(hash>>56) | 1 }

// S4Ref evaluates the i-th flag.
//
//go:noinline
func S4Ref(store *Store[List], i int, s *Subject) bool {
	f := store.ref(i)
	tag, last := tagOf(s.unit), len(f.tags)-1
	for i := int(s.unit); ; i++ {
		switch f.tags[i&last] {
		case tag:
			if f.ids[i&last] == s.id {
				return true
			}
		case 0:
			return false
		}
	}
}

// S4Key evaluates the flag with the key.
//
//go:noinline
func S4Key(store *Store[List], key string, s *Subject) bool {
	f := store.key(key)
	tag, last := tagOf(s.unit), len(f.tags)-1
	for i := int(s.unit); ; i++ {
		switch f.tags[i&last] {
		case tag:
			if f.ids[i&last] == s.id {
				return true
			}
		case 0:
			return false
		}
	}
}
