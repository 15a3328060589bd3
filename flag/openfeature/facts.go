package openfeature

import (
	"encoding/json"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/guidon-go/guidon/flag"
)

const (
	maxNames = 1000 // different names of attributes in a process; package flag never forgets one
	maxName  = 256  // bytes; no document has a longer one
	maxDepth = 8    // structures within one another: a map may have itself in it
)

// facts appends what a context says about the subject. Of facts with the same name the
// last counts, so what stands in structures comes first, always in the same order.
func facts(list []flag.Fact, prefix string, values map[string]any, depth int) []flag.Fact {
	first, nested := len(list), false
	for key, v := range values {
		if _, ok := plain(v).(map[string]any); ok {
			nested = true
			continue
		}
		list = tell(list, prefix+key, v)
	}
	if !nested || depth == maxDepth {
		return list
	}
	here := slices.Clone(list[first:])
	list = list[:first]
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if inner, ok := plain(values[key]).(map[string]any); ok {
			list = facts(list, prefix+key+".", inner, depth+1)
		}
	}
	return append(list, here...)
}

// tell appends what an attribute is, if it can be one.
func tell(list []flag.Fact, name string, v any) []flag.Fact {
	switch v.(type) {
	case string, bool, int, int64, uint64, float64, time.Time: // most are, and stay as they are
	default:
		v = plain(v)
	}
	switch v := v.(type) {
	case nil, map[string]any:
	case []string:
		if a := lists.of(name); a != nil {
			list = append(list, a.Is(v))
		}
	default:
		if a := scalars.of(name); a != nil {
			list = append(list, a.is(v))
		}
	}
	return list
}

// scalar is an attribute of one name, by the types that it may have.
type scalar struct {
	text    flag.Attribute[string]
	boolean flag.Attribute[bool]
	whole   flag.Attribute[int64]
	large   flag.Attribute[uint64]
	number  flag.Attribute[float64]
	time    flag.Attribute[time.Time]
}

// is says what the attribute is: something that plain returns. NaN says nothing.
func (a *scalar) is(v any) flag.Fact {
	switch v := v.(type) {
	case string:
		return a.text.Is(v)
	case bool:
		return a.boolean.Is(v)
	case int:
		return a.whole.Is(int64(v))
	case int64:
		return a.whole.Is(v)
	case uint64:
		return a.large.Is(v)
	case float64:
		return a.number.Is(v)
	default:
		return a.time.Is(v.(time.Time))
	}
}

// plain returns a value as one of few types, or nil if it cannot be an attribute. Types
// that have a place among these are not converted, which would allocate.
func plain(v any) any {
	switch v := v.(type) {
	case string, bool, int, int64, uint64, float64, time.Time, []string, map[string]any:
		return v
	case json.Number:
		return number(string(v))
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.String:
		return r.String()
	case reflect.Bool:
		return r.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return r.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return r.Uint()
	case reflect.Float32, reflect.Float64:
		return r.Float()
	case reflect.Slice, reflect.Array:
		return texts(r)
	case reflect.Map:
		return structure(r)
	}
	return nil
}

// number reads a number of JSON without loss, or as the nearest float64.
func number(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		return f
	}
	return nil
}

// texts is a list of strings, or nil.
func texts(list reflect.Value) any {
	out := make([]string, list.Len())
	for i := range out {
		v := list.Index(i)
		if v.Kind() == reflect.Interface {
			v = v.Elem()
		}
		if v.Kind() != reflect.String {
			return nil
		}
		out[i] = v.String()
	}
	return out
}

// structure is a map by strings, or nil.
func structure(m reflect.Value) any {
	if m.Type().Key().Kind() != reflect.String {
		return nil
	}
	out := make(map[string]any, m.Len())
	for i := m.MapRange(); i.Next(); {
		out[i.Key().String()] = i.Value().Interface()
	}
	return out
}

// What contexts have named so far. Lists are apart, since an attribute that the code never
// says to be a list can be reasoned about more sharply.
var (
	scalars = table[scalar]{declare: func(name string) scalar {
		return scalar{
			flag.Attr[string](name), flag.Attr[bool](name), flag.Attr[int64](name),
			flag.Attr[uint64](name), flag.Attr[float64](name), flag.Attr[time.Time](name),
		}
	}}
	lists = table[flag.Attribute[[]string]]{declare: flag.Attr[[]string]}
)

// wanted are the names that documents ask for, which always have a place.
var wanted sync.Map

// table declares attributes when their names are first met. Readers take no lock.
type table[T any] struct {
	declare func(name string) T
	known   atomic.Pointer[map[string]*T]
	mu      sync.Mutex // of who adds to it
	said    atomic.Bool
}

// of returns the attribute, or nil if no document can ask for it, or if there are too many.
func (t *table[T]) of(name string) *T {
	if known := t.known.Load(); known != nil {
		if a := (*known)[name]; a != nil {
			return a
		}
	}
	if len(name) > maxName {
		return nil
	}
	return t.add(strings.Clone(name)) // it may be a part of something large
}

func (t *table[T]) add(name string) *T {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := map[string]*T{}
	if known := t.known.Load(); known != nil {
		if a := (*known)[name]; a != nil {
			return a
		}
		if _, asked := wanted.Load(name); !asked && len(*known) >= maxNames {
			if t.said.CompareAndSwap(false, true) {
				slog.Default().Error("openfeature: contexts have too many different attributes; this one, and those to come that no flag has asked for yet, are as if they were missing",
					"attribute", name, "most", maxNames)
			}
			return nil
		}
		next = maps.Clone(*known)
	}
	a := new(T)
	*a = t.declare(name)
	next[name] = a
	t.known.Store(&next)
	return a
}
