package flag

import (
	"math"
	"math/bits"
	"strconv"
	"time"
	"unsafe"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/internal/instant"
)

// Subject is whom a flag is decided for: a unit (a user, a tenant, a session)
// and what is known about it. It is built once per request by [For], which
// hashes the unit, and evaluation never writes to it, so any number of goroutines
// may share one. The zero Subject has no unit and no attributes: no ramp ever admits
// it.
type Subject struct {
	unit  uint64
	key   string
	at    int64  // nanoseconds since the earliest moment there is; 0 is any
	facts []Fact // of those about one attribute, the last
	first uint32 // the attribute of the first, or unordered
}

// nobody is what a nil subject means.
var nobody Subject

// unordered is so great that no fact is looked for behind it.
const unordered = 1 << 31

// For returns the subject with this key and these facts, of which later ones win.
// An empty key is no unit. The facts are not copied: whoever hands over a slice of
// his own and changes it changes the subject. Where the subject is used in the function
// that builds it, that takes no allocation; where it is returned, one. Facts are found
// fastest in the order in which their attributes are declared.
func For(key string, facts ...Fact) Subject {
	s := Subject{key: key, facts: facts}
	if key != "" {
		s.unit = bucket.Unit(key)
	}
	last := uint32(0)
	for i := range facts {
		attr := facts[i].attr()
		if attr <= last {
			s.first = unordered
			return s
		}
		last = attr
	}
	if len(facts) > 0 {
		s.first = facts[0].attr()
	}
	return s
}

// ForInt is [For] with an integer key. The unit is its decimal text, so ForInt(42)
// and For("42") are the same unit.
func ForInt(key int64, facts ...Fact) Subject {
	return For(strconv.FormatInt(key, 10), facts...)
}

// At returns the same subject at another moment: what has a time in it is decided
// as of then, in every entrance.
func (s Subject) At(t time.Time) Subject {
	// Moments before 1678 and after 2261 are told from no document's, so a nanosecond
	// at either end can mean that there is no moment, or no end to a window.
	s.at = min(max(instant.Of(t), math.MinInt64+1), math.MaxInt64-1) ^ math.MinInt64
	return s
}

// moment is the subject's, or else, for what looks at the clock, now.
func (s *Subject) moment(timed bool) int64 {
	if timed && s.at == 0 {
		return time.Now().UnixNano()
	}
	return s.at ^ math.MinInt64
}

// Key returns the key it was built with.
func (s *Subject) Key() string {
	if s == nil {
		return ""
	}
	return s.key
}

// nothing is a fact that is missing.
var nothing Fact

// look returns what is known about an attribute; its kind is 0 if that is nothing.
func (s *Subject) look(attr uint32) *Fact {
	if i := uint64(attr - s.first); i < uint64(len(s.facts)) {
		if f := &s.facts[i]; f.attr() == attr {
			return f // no attribute between them is missing
		}
	}
	return s.search(attr)
}

func (s *Subject) search(attr uint32) *Fact {
	for i := len(s.facts) - 1; i >= 0; i-- {
		if f := &s.facts[i]; f.attr() == attr {
			return f
		}
	}
	return &nothing
}

// Fact is one attribute of a subject with its value, made by [Attribute.Is].
type Fact struct {
	// about is the attribute, the kind, and the length of what is at data, so that
	// comparing it compares all three: 24, 8 and 32 bits.
	about uint64
	num   uint64         // as in a value
	data  unsafe.Pointer // the bytes of a string, or the strings of a list
}

func about(attr uint32, k kind, length int) uint64 {
	return uint64(attr)<<40 | uint64(k)<<32 | uint64(uint32(length))
}

func (f *Fact) attr() uint32 { return uint32(f.about >> 40) }

func (f *Fact) kind() kind { return kind(f.about >> 32) }

// text is what a string says.
func (f *Fact) text() string { return unsafe.String((*byte)(f.data), uint32(f.about)) }

// list is what a list has in it.
func (f *Fact) list() []string { return unsafe.Slice((*string)(f.data), uint32(f.about)) }

func (f *Fact) value() value {
	v := value{kind: f.kind(), num: f.num}
	if v.kind == kindString {
		v.str = f.text()
	}
	return v
}

// Kind is what an attribute can be.
type Kind interface {
	string | bool | int | int32 | int64 | uint32 | uint64 | float32 | float64 | time.Time | []string
}

// Attribute is something a subject can have, declared once by [Attr]. Attributes
// with the same name are the same attribute.
type Attribute[T Kind] struct {
	about uint64 // as in a Fact, with the kind of T
	name  string
}

// Attr declares an attribute by the name that documents use for it:
//
//	var Country = flag.Attr[string]("country")
func Attr[T Kind](name string) Attribute[T] {
	k := kindFloat // all that need a closer look
	switch any(*new(T)).(type) {
	case string:
		k = kindString
	case int64:
		k = kindInt
	case int:
		if bits.UintSize == 64 {
			k = kindInt
		}
	case []string:
		k = kindList
	}
	return Attribute[T]{about(declareAttribute(name, k == kindList), k, 0), name}
}

// Name returns the name that documents use.
func (a Attribute[T]) Name() string { return a.name }

// Is says what a subject's attribute is. NaN and the zero time say nothing. A list
// is not copied: whoever changes it changes the subject.
func (a Attribute[T]) Is(v T) Fact {
	// The kind of T was found out once, by Attr, because asking it each time takes
	// longer than all the rest.
	switch kind(a.about >> 32) {
	case kindString:
		s := *(*string)(unsafe.Pointer(&v))
		if len(s) > packed { // as in pack, without a call
			return Fact{a.about | uint64(uint32(len(s))), longer | uint64(len(s)), unsafe.Pointer(unsafe.StringData(s))}
		}
		return Fact{a.about | uint64(uint32(len(s))), pack(s), unsafe.Pointer(unsafe.StringData(s))}
	case kindInt:
		return Fact{about: a.about, num: *(*uint64)(unsafe.Pointer(&v))}
	}
	return a.is(v)
}

func (a Attribute[T]) is(v T) Fact {
	var is value
	switch v := any(v).(type) {
	case int: // of 32 bits
		is = intValue(int64(v))
	case bool:
		is = boolValue(v)
	case int32:
		is = intValue(int64(v))
	case uint32:
		is = uintValue(uint64(v))
	case uint64:
		is = uintValue(v)
	case float32:
		is = floatValue(float64(v))
	case float64:
		is = floatValue(v)
	case time.Time:
		if !v.IsZero() {
			is = value{kind: kindTime, num: uint64(instant.Of(v))}
		}
	case []string:
		return Fact{about: a.about | uint64(uint32(len(v))), data: unsafe.Pointer(unsafe.SliceData(v))}
	}
	return Fact{about: a.about&^(0xff<<32) | uint64(is.kind)<<32, num: is.num}
}
