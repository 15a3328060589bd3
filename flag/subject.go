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

// inline is how many attributes a Subject holds without an allocation.
const inline = 6

// Subject is whom a flag is decided for: a unit (a user, a tenant, a session)
// and what is known about it. It is built once per request by [For], which
// hashes the unit; it lives on the caller's stack and evaluation never writes to
// it, so any number of goroutines may share one. The zero Subject has no unit
// and no attributes: no ramp ever admits it.
type Subject struct {
	unit  uint64
	key   string
	at    int64        // nanoseconds since the earliest moment there is; 0 is any
	facts [inline]Fact // each from the place that home names, or the next free one
	more  *[]Fact      // what found no place
}

// nobody is what a nil subject means.
var nobody Subject

// For returns the subject with this key and these facts, of which later ones win.
// An empty key is no unit. Up to six different attributes take no allocation.
func For(key string, facts ...Fact) (s Subject) {
	s.key = key
	if key != "" {
		s.unit = bucket.Unit(key)
	}
	for i := range facts {
		f := &facts[i]
		if at := &s.facts[f.home()]; at.about == 0 {
			*at = *f
		} else {
			s.learn(f)
		}
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

// learn is for a fact whose home is taken.
func (s *Subject) learn(f *Fact) {
	if f.attr() == 0 {
		return
	}
	for i := range uint32(inline) {
		at := &s.facts[(f.home()+i)%inline]
		if at.about == 0 || at.attr() == f.attr() {
			*at = *f
			return
		}
	}
	var more []Fact
	if s.more != nil {
		more = *s.more
	}
	for i := range more {
		if more[i].attr() == f.attr() {
			more[i] = *f
			return
		}
	}
	more = append(more, *f)
	s.more = &more
}

// nothing is a fact that is missing.
var nothing Fact

// fact returns what is known about an attribute whose home is known; its kind is 0
// if that is nothing.
func (s *Subject) fact(attr uint32, home uint8) *Fact {
	if f := &s.facts[home%inline]; f.attr() == attr {
		return f
	}
	return s.look(attr)
}

func (s *Subject) look(attr uint32) *Fact {
	for i := range uint32(inline) {
		f := &s.facts[(home(attr)+i)%inline]
		if f.attr() == attr {
			return f
		}
		if f.about == 0 {
			return &nothing
		}
	}
	if s.more != nil {
		for i := range *s.more {
			if f := &(*s.more)[i]; f.attr() == attr {
				return f
			}
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

// home is the place where an attribute is looked for first.
func home(attr uint32) uint32 { return attr % inline }

func about(attr uint32, k kind, length int) uint64 {
	return uint64(attr)<<40 | uint64(k)<<32 | uint64(uint32(length))
}

func (f *Fact) attr() uint32 { return uint32(f.about >> 40) }

func (f *Fact) home() uint32 { return home(f.attr()) }

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
