package flag

import (
	"strconv"
	"time"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/internal/instant"
)

// inline is how many attributes a Subject holds without an allocation; a power of
// two, because an attribute is looked for from the slot that its index names.
const inline = 8

// Subject is whom a flag is decided for: a unit (a user, a tenant, a session)
// and what is known about it. It is built once per request by [For], which
// hashes the unit; it lives on the caller's stack and evaluation never writes to
// it, so any number of goroutines may share one. The zero Subject has no unit
// and no attributes: no ramp ever admits it.
type Subject struct {
	unit   uint64
	key    string
	facts  [inline]Fact // by the attribute's index, the next free one if that is taken
	more   []Fact       // what found no place
	at     int64        // nanoseconds since 1970
	pinned bool         // whether at is meant
}

// nobody is what a nil subject means.
var nobody Subject

// For returns the subject with this key and these facts, of which later ones win.
// An empty key is no unit. Up to eight different attributes take no allocation.
func For(key string, facts ...Fact) (s Subject) {
	s.key = key
	if key != "" {
		s.unit = bucket.Unit(key)
	}
	for i := range facts {
		s.learn(&facts[i])
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
	s.at, s.pinned = instant.Of(t), true
	return s
}

// moment is the subject's, or else, for what looks at the clock, now.
func (s *Subject) moment(timed bool) int64 {
	if timed && !s.pinned {
		return clock()
	}
	return s.at
}

// Key returns the key it was built with.
func (s *Subject) Key() string {
	if s == nil {
		return ""
	}
	return s.key
}

func (s *Subject) learn(f *Fact) {
	if f.attr == 0 {
		return
	}
	for i, tried := f.attr, 0; tried < inline; i, tried = i+1, tried+1 {
		at := &s.facts[i%inline]
		if at.attr == f.attr || at.attr == 0 {
			*at = *f
			return
		}
	}
	for i := range s.more {
		if s.more[i].attr == f.attr {
			s.more[i] = *f
			return
		}
	}
	s.more = append(s.more, *f)
}

// nothing is a fact that is missing.
var nothing Fact

// fact returns what is known about an attribute; its kind is 0 if that is nothing.
func (s *Subject) fact(attr uint32) *Fact {
	if f := &s.facts[attr%inline]; f.attr == attr {
		return f
	}
	return s.look(attr)
}

func (s *Subject) look(attr uint32) *Fact {
	for i, tried := attr, 0; tried < inline; i, tried = i+1, tried+1 {
		switch f := &s.facts[i%inline]; f.attr {
		case attr:
			return f
		case 0:
			return &nothing
		}
	}
	for i := range s.more {
		if s.more[i].attr == attr {
			return &s.more[i]
		}
	}
	return &nothing
}

// Fact is one attribute of a subject with its value, made by [Attribute.Is].
type Fact struct {
	attr uint32
	kind kind
	num  uint64
	str  string
}

func (f *Fact) value() value { return value{f.kind, f.num, f.str} }

// Kind is what an attribute can be.
type Kind interface {
	string | bool | int | int32 | int64 | uint32 | uint64 | float32 | float64 | time.Time | []string
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
func Attr[T Kind](name string) Attribute[T] {
	_, list := any(*new(T)).([]string)
	return Attribute[T]{name, declareAttribute(name, list)}
}

// Name returns the name that documents use.
func (a Attribute[T]) Name() string { return a.name }

// Is says what a subject's attribute is. NaN and the zero time say nothing. A list
// is not copied: whoever changes it changes the subject.
func (a Attribute[T]) Is(v T) Fact {
	var is value
	switch v := any(v).(type) {
	case string:
		return Fact{a.id, kindString, pack(v), v}
	case bool:
		is = boolValue(v)
	case int:
		return Fact{attr: a.id, kind: kindInt, num: uint64(v)}
	case int32:
		is = intValue(int64(v))
	case int64:
		is = intValue(v)
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
		is = listValue(v)
	}
	return Fact{a.id, is.kind, is.num, is.str}
}
