package flag

import (
	"strings"
	"unsafe"

	"github.com/guidon-go/guidon/internal/bucket"
)

// keySet is many keys, found by the hash that each subject has already. A tag is a
// byte of a key's hash and never zero; where it is zero there is no key. The tags
// stand by themselves, so that most of who is not in the set is found out in the
// nearest cache, and the keys one behind the other.
type keySet struct {
	tags  []uint8
	spots []spot
	text  string
}

// spot is where a key stands in the text.
type spot struct{ from, to uint32 }

func tagOf(unit uint64) uint8 { return uint8(unit>>56) | 1 }

func newKeySet(keys []string) *keySet {
	size := 4
	for size < 2*len(keys) {
		size *= 2
	}
	set := &keySet{tags: make([]uint8, size), spots: make([]spot, size), text: strings.Join(keys, "")}
	end := uint32(0)
	for _, key := range keys {
		from := end
		end += uint32(len(key)) // a document has less than 2 GiB
		unit := bucket.Unit(key)
		if set.has(unit, key) {
			continue
		}
		i := int(unit) & (size - 1)
		for set.tags[i] != 0 {
			i = (i + 1) & (size - 1)
		}
		set.tags[i], set.spots[i] = tagOf(unit), spot{from, end}
	}
	return set
}

// has finds a key by its hash.
func (k *keySet) has(unit uint64, key string) bool {
	tag, tags, spots := tagOf(unit), k.tags, k.spots
	for i := int(unit); ; i++ {
		at := i & (len(tags) - 1)
		switch tags[at] {
		case tag:
			if s := spots[at]; k.text[s.from:s.to] == key {
				return true
			}
		case 0:
			return false
		}
	}
}

// test says whether a subject's unit is in the set.
func (k *keySet) test(by uint32, s *Subject) truth {
	if by == 0 {
		if s.key == "" {
			return unknown
		}
		return truly(k.has(s.unit, s.key))
	}
	f := s.look(by)
	if f.kind() == kindString && f.text() != "" {
		return truly(k.has(bucket.Unit(f.text()), f.text()))
	}
	var digits [20]byte
	text, ok := f.decimal(digits[:0])
	if !ok {
		return unknown
	}
	return truly(k.hasText(bucket.UnitBytes(text), text))
}

// hasText is has without making a string.
func (k *keySet) hasText(unit uint64, key []byte) bool {
	return k.has(unit, unsafe.String(unsafe.SliceData(key), len(key)))
}
