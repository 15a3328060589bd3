package flag

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Seen is an attribute that was asked for, as the subject has it.
type Seen struct {
	Name string // as documents name it
	// Value is a string, bool, int64, uint64 (beyond an int64), float64 (if it is no
	// whole number), time.Time (in UTC) or []string, whatever Go type it came from; nil
	// if the subject does not have it, or if it is hidden.
	Value  any
	Hidden bool // whether [Explanation.Redact] hid the value
}

// String is `country is "SE"`.
func (s Seen) String() string {
	name := plainName(s.Name)
	switch v := s.Value.(type) {
	case nil:
		if s.Hidden {
			return name + " is hidden"
		}
		return "attribute " + name + " is missing"
	case string:
		return name + " is " + shorten(strconv.Quote(v))
	case time.Time:
		return name + " is " + stamp(v)
	case []string:
		return name + " is " + shorten(spellNames(v))
	default:
		return fmt.Sprintf("%s is %v", name, v)
	}
}

func (s Seen) redact(keep []string) Seen {
	if s.Value == nil || slices.Contains(keep, s.Name) {
		return s
	}
	return Seen{Name: s.Name, Hidden: true}
}

// fact is the value of an attribute as a subject has it; its kind is 0 if it is missing.
func (s Seen) fact(attr uint32) (Fact, error) {
	switch v := s.Value.(type) {
	case nil:
		if s.Hidden {
			return Fact{}, errRedacted
		}
		return Fact{}, nil
	case string:
		return Attribute[string]{about: about(attr, kindString, 0)}.Is(v), nil
	case bool:
		return Attribute[bool]{about: about(attr, kindFloat, 0)}.Is(v), nil
	case int64:
		return Attribute[int64]{about: about(attr, kindInt, 0)}.Is(v), nil
	case uint64:
		return Attribute[uint64]{about: about(attr, kindFloat, 0)}.Is(v), nil
	case float64:
		return Attribute[float64]{about: about(attr, kindFloat, 0)}.Is(v), nil
	case time.Time:
		return Attribute[time.Time]{about: about(attr, kindFloat, 0)}.Is(v), nil
	case []string:
		return Attribute[[]string]{about: about(attr, kindList, 0)}.Is(v), nil
	default:
		return Fact{}, fmt.Errorf("attribute %q: found a %T, which none can be", s.Name, v)
	}
}

// saw looks an attribute up, once.
func (x *explainer) saw(a *account, seen []Seen, attr int) *Seen {
	at := &seen[attr]
	if at.Name == "" {
		at.Name = a.attrs[attr].name
		at.Value = x.subject.look(a.attrs[attr].id).any()
	}
	return at
}

// any is the value for those who do not know its type.
func (f *Fact) any() any {
	switch f.kind() {
	case kindString:
		return f.text()
	case kindList:
		return append(make([]string, 0, len(f.list())), f.list()...)
	case kindBool:
		return f.num == 1
	case kindInt:
		return int64(f.num)
	case kindUint:
		return f.num
	case kindFloat:
		return f.value().float()
	case kindTime:
		return time.Unix(0, int64(f.num)).UTC()
	}
	return nil
}

// attributes are what the subject was asked for.
func (x *explainer) attributes() []Seen {
	asked := func(s Seen) bool { return s.Name != "" }
	all := x.first
	if i := slices.IndexFunc(all, func(s Seen) bool { return !asked(s) }); i >= 0 || x.more != nil {
		all = nil
		for _, seen := range append(x.more, x.first) {
			for _, s := range seen {
				if asked(s) {
					all = append(all, s)
				}
			}
		}
		slices.SortFunc(all, func(a, b Seen) int { return strings.Compare(a.Name, b.Name) })
		all = slices.CompactFunc(all, func(a, b Seen) bool { return a.Name == b.Name })
	}
	if len(all) == 0 {
		return nil
	}
	return slices.Clip(all)
}
