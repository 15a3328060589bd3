package flag

import (
	"strconv"

	"github.com/guidon-go/guidon/internal/bucket"
)

// inline is how many attributes a Subject holds without an allocation.
const inline = 6

// Subject is whom a flag is decided for: a unit (a user, a tenant, a session)
// and what is known about it. It is built once per request by [For], which
// hashes the unit; it lives on the caller's stack and evaluation never writes to
// it, so any number of goroutines may share one. The zero Subject has no unit
// and no attributes: no ramp ever admits it.
type Subject struct {
	key   string
	unit  uint64
	count int
	attrs [inline]Fact
	more  []Fact
}

// For returns the subject with this key and these facts, of which later ones win.
// An empty key is no unit.
func For(key string, facts ...Fact) Subject {
	s := Subject{key: key}
	if key != "" {
		s.unit = bucket.Unit(key)
	}
	s.count = copy(s.attrs[:], facts)
	if len(facts) > inline {
		s.more = append([]Fact(nil), facts[inline:]...)
	}
	return s
}

// ForInt is [For] with an integer key. The unit is its decimal text, so ForInt(42)
// and For("42") are the same unit.
func ForInt(key int64, facts ...Fact) Subject {
	return For(strconv.FormatInt(key, 10), facts...)
}

// Key returns the key it was built with.
func (s *Subject) Key() string {
	if s == nil {
		return ""
	}
	return s.key
}

// fact returns what is known about an attribute.
func (s *Subject) fact(attr uint32) (value, bool) {
	if s == nil {
		return value{}, false
	}
	for i := len(s.more) - 1; i >= 0; i-- {
		if s.more[i].attr == attr {
			return s.more[i].value, s.more[i].value.kind != 0
		}
	}
	for i := s.count - 1; i >= 0; i-- {
		if s.attrs[i].attr == attr {
			return s.attrs[i].value, s.attrs[i].value.kind != 0
		}
	}
	return value{}, false
}

// Fact is one attribute of a subject with its value, made by [Attribute.Is].
type Fact struct {
	attr  uint32
	value value
}

// Kind is what an attribute can be.
type Kind interface {
	string | bool | int | int32 | int64 | uint32 | uint64 | float32 | float64
}

// Attribute is something a subject can have, declared once by [Attr]. Attributes
// with the same name are the same attribute.
type Attribute[T Kind] struct {
	name string
	id   uint32
}

// Attr declares an attribute by the name that documents use for it:
//
//	var Country = flag.Attr[string]("country")
func Attr[T Kind](name string) Attribute[T] { return Attribute[T]{name, attribute(name)} }

// Name returns the name that documents use.
func (a Attribute[T]) Name() string { return a.name }

// Is says what a subject's attribute is. NaN says nothing.
func (a Attribute[T]) Is(v T) Fact {
	switch v := any(v).(type) {
	case string:
		return Fact{a.id, stringValue(v)}
	case bool:
		return Fact{a.id, boolValue(v)}
	case int:
		return Fact{a.id, intValue(int64(v))}
	case int32:
		return Fact{a.id, intValue(int64(v))}
	case int64:
		return Fact{a.id, intValue(v)}
	case uint32:
		return Fact{a.id, uintValue(uint64(v))}
	case uint64:
		return Fact{a.id, uintValue(v)}
	case float32:
		return Fact{a.id, floatValue(float64(v))}
	case float64:
		return Fact{a.id, floatValue(v)}
	}
	panic("unreachable: Kind lists every case")
}
