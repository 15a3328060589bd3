package flag

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/internal/instant"
)

// lazyHash is a set's hash, taken when somebody asks for it.
type lazyHash struct {
	once sync.Once
	text string
}

// sums are the hashes of definitions, which most sets share with the set before them.
type sums struct {
	keys     []string // of the last set, in order
	flags    map[string]flagSum
	segments map[*segmentState]sum
}

type sum [sha256.Size]byte

type flagSum struct {
	flag *compiled
	sum  sum
}

// Hash is SHA-256, in hexadecimal, of all that decides: every flag's definition as it
// serves, with the segments that it names, its place in a layer, and what lies over it at
// run time. It is the same for the same definitions in every process, whatever the order
// in which a document has them and however it is laid out; the revision is no part of
// it. It is taken at the first call. A nil set has none.
func (s *Set) Hash() string {
	if s == nil {
		return ""
	}
	if s.hash == nil { // the zero Set
		return s.digest(&accounts{})
	}
	s.hash.once.Do(func() { s.hash.text = s.digest(s.accounts) })
	return s.hash.text
}

func (s *Set) digest(a *accounts) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sums.flags == nil {
		a.sums.flags, a.sums.segments = make(map[string]flagSum, len(s.byKey)), map[*segmentState]sum{}
	}
	keys := a.sums.ordered(s)
	all := make([]byte, 0, 64*len(keys))
	for _, key := range keys {
		all = append(binary.BigEndian.AppendUint64(all, uint64(len(key))), key...)
		h := s.header(key)
		if h == nil { // it has no definition
			all = append(all, 0)
			continue
		}
		known := a.sums.flags[key]
		if known.flag != h.flag {
			known = flagSum{h.flag, a.sums.flag(h.flag)}
			a.sums.flags[key] = known
		}
		all = append(append(all, 1), known.sum[:]...)
	}
	sum := sha256.Sum256(all)
	return hex.EncodeToString(sum[:])
}

// ordered is the set's keys in order, which most often are those of the set before it.
func (known *sums) ordered(s *Set) []string {
	other := func(key string) bool { return s.header(key) == nil && !s.dropped[key] }
	if len(known.keys) != len(s.byKey)+len(s.dropped) || slices.ContainsFunc(known.keys, other) {
		known.keys = slices.Sorted(maps.Keys(s.keys()))
	}
	return known.keys
}

func (known *sums) flag(f *compiled) sum {
	d := digest{sha256.New()}
	d.value(reflect.ValueOf(f.definition()))
	if f.more != nil {
		for _, p := range f.more.serves { // what is left out of the definition is as it was then
			d.text(p.key)
			d.value(reflect.ValueOf(p.serves))
		}
	}
	l := f.linked()
	known.named(d, l.segments)
	if p := l.place; p != nil {
		d.text(attributeName(p.by))
		d.number(p.lane, p.holdout, uint64(p.held))
		d.value(reflect.ValueOf(p.ranges))
	}
	d.value(reflect.ValueOf(f.killed))
	d.value(reflect.ValueOf(f.disabled)) // Toggle may have said otherwise than the definition
	if d.text(f.name(f.override)); f.main != nil && f.main.laid {
		d.value(reflect.ValueOf(f.ramp()))
		d.number(bucket.Lane(f.main.salt, bucket.Ramp), f.main.lane)
	}
	return d.sum()
}

func (known *sums) segment(s *segmentState) sum {
	if sum, ok := known.segments[s]; ok {
		return sum
	}
	d := digest{sha256.New()}
	d.value(reflect.ValueOf(s.definition()))
	known.named(d, s.use.segments)
	known.segments[s] = d.sum()
	return known.segments[s]
}

func (known *sums) named(d digest, segments map[string]segmentUse) {
	for _, name := range slices.Sorted(maps.Keys(segments)) {
		d.text(name)
		sum := known.segment(segments[name].segmentState)
		d.Write(sum[:])
	}
}

// digest hashes what documents consist of, each part with its length before it.
type digest struct{ hash.Hash }

func (d digest) sum() (out sum) {
	d.Sum(out[:0])
	return out
}

func (d digest) number(numbers ...uint64) {
	for _, n := range numbers {
		d.Write(binary.BigEndian.AppendUint64(nil, n))
	}
}

func (d digest) text(s string) {
	d.number(uint64(len(s)))
	d.Write([]byte(s))
}

// value hashes what a definition says: fields in their order, maps in that of their
// keys. An empty list or map is as if it were left out, as it means.
func (d digest) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		d.number(bit(v.Bool()))
	case reflect.Int32:
		d.number(uint64(v.Int()))
	case reflect.String:
		d.text(v.String())
	case reflect.Interface:
		d.any(v.Interface())
	case reflect.Pointer:
		if d.number(bit(!v.IsNil())); !v.IsNil() {
			d.value(v.Elem())
		}
	case reflect.Slice:
		d.number(uint64(v.Len()))
		for i := range v.Len() {
			d.value(v.Index(i))
		}
	case reflect.Map:
		d.number(uint64(v.Len()))
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return order(a.String() < b.String(), a.String() > b.String()) })
		for _, key := range keys {
			d.text(key.String())
			d.value(v.MapIndex(key))
		}
	case reflect.Struct:
		if at, ok := v.Interface().(time.Time); ok {
			d.number(bit(at.IsZero()), uint64(instant.Of(at)))
			return
		}
		if c, ok := v.Interface().(Condition); ok {
			d.number(bit(c.All != nil), bit(c.Any != nil)) // both mean something when empty
		}
		for i := range v.NumField() {
			d.value(v.Field(i))
		}
	}
}

// any hashes a value that a person wrote, the same for a literal and for a Go number.
func (d digest) any(x any) {
	v, err := scalar(x)
	if err != nil {
		v, _ = variantValue(x) // what neither can be was refused
	}
	if v.kind == kindFloat {
		v.str = ""
	}
	d.number(uint64(v.kind), v.num)
	d.text(v.str)
}

// frozen is a copy of a definition that nobody can change, values of its own types
// apart.
func frozen[T any](def T) *T {
	out := reflect.New(reflect.TypeFor[T]()).Elem()
	out.Set(copied(reflect.ValueOf(def)))
	return out.Addr().Interface().(*T)
}

func copied(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			break
		}
		inner := copied(v.Elem())
		if v.Kind() == reflect.Interface {
			out.Set(inner)
			break
		}
		out.Set(reflect.New(v.Type().Elem()))
		out.Elem().Set(inner)
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(copied(v.Index(i)))
			}
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for _, key := range v.MapKeys() {
				out.SetMapIndex(key, copied(v.MapIndex(key)))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if out.Field(i).CanSet() { // not those of a time
				out.Field(i).Set(copied(v.Field(i)))
			}
		}
	}
	return out
}
