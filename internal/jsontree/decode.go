package jsontree

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"time"
)

// Unmarshal parses data and decodes it into what v points to, as strictly as the
// package says. The error is [Problems] with everything that is wrong, in
// document order. What is right is decoded all the same: a wrong field leaves
// its siblings alone.
//
// Targets are structs (fields by exact name or json tag; embedded structs are
// promoted), maps with string keys, slices, pointers, string, bool, every int,
// uint and float, [time.Duration] (written "10m"), [json.RawMessage], any (see
// [Node.Any]), [json.Unmarshaler] and, for strings, [encoding.TextUnmarshaler].
// null is decoded into pointers, any and RawMessage only. Problems that an
// Unmarshaler returns are moved to their place in the document. A whole number
// may be written 1.0 or 1e3.
//
// Unmarshal panics if v is not a pointer that points somewhere.
func Unmarshal(data []byte, v any) error {
	n, err := Parse(data)
	if n == nil {
		return err
	}
	var problems Problems
	errors.As(err, &problems)
	return n.decode("", v, problems)
}

// Decode decodes the node into what v points to, as [Unmarshal] does. Problems
// are reported under path, which says where the node stands.
func (n *Node) Decode(path string, v any) error { return n.decode(path, v, nil) }

func (n *Node) decode(path string, v any, duplicates Problems) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		panic(fmt.Sprintf("jsontree: cannot decode into %T, want a pointer", v))
	}
	d := &decoder{base: path, problems: duplicates, known: make(map[int]bool), fields: make(map[reflect.Type]*fields)}
	for _, p := range duplicates {
		d.known[p.Pos.Offset] = true
	}
	d.value(n, target.Elem())
	d.problems.sort()
	return d.problems.Err()
}

type decoder struct {
	base     string
	trail    trail
	problems Problems
	known    map[int]bool // offsets of duplicate keys, which an Unmarshaler will find again
	fields   map[reflect.Type]*fields
}

var rawType = reflect.TypeFor[json.RawMessage]()

func (d *decoder) value(n *Node, v reflect.Value) {
	switch {
	case v.Type() == rawType:
		v.SetBytes(n.Raw())
	case v.Kind() == reflect.Interface && v.NumMethod() == 0:
		v.SetZero()
		if plain := n.Any(); plain != nil {
			v.Set(reflect.ValueOf(plain))
		}
	case v.Kind() == reflect.Pointer && n.Kind == Null:
		v.SetZero()
	case v.Kind() == reflect.Pointer:
		fresh := reflect.New(v.Type().Elem())
		d.value(n, fresh.Elem())
		v.Set(fresh)
	default:
		d.concrete(n, v)
	}
}

// concrete decodes into what null cannot be.
func (d *decoder) concrete(n *Node, v reflect.Value) {
	kind, want := wanted(v)
	if n.Kind == Null || kind != 0 && n.Kind != kind {
		d.fail(n, "found %s, want %s", n.describe(), want)
		return
	}
	switch u := v.Addr().Interface().(type) {
	case json.Unmarshaler:
		d.adopt(n, u.UnmarshalJSON(n.Raw()))
		return
	case encoding.TextUnmarshaler:
		if err := u.UnmarshalText([]byte(n.Text)); err != nil {
			d.fail(n, "%s", err)
		}
		return
	case *time.Duration:
		var err error
		if *u, err = time.ParseDuration(n.Text); err != nil {
			d.fail(n, "found %s, want %s", n.describe(), want)
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v)
	case reflect.Map:
		d.mapping(n, v)
	case reflect.Slice:
		list := reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items))
		for i, item := range n.Items {
			d.under(step{index: i}, item, list.Index(i))
		}
		v.Set(list)
	case reflect.String:
		v.SetString(n.Text)
	case reflect.Bool:
		v.SetBool(n.Bool)
	default:
		d.number(n, v)
	}
}

// wanted says which kind of value a target takes, 0 for any, and its name in a
// message.
func wanted(v reflect.Value) (Kind, string) {
	switch v.Addr().Interface().(type) {
	case json.Unmarshaler:
		return 0, "a value"
	case encoding.TextUnmarshaler:
		return String, "a string"
	case *time.Duration:
		return String, `a duration like "10m"`
	}
	switch v.Kind() {
	case reflect.Struct, reflect.Map:
		return Object, "an object"
	case reflect.Slice:
		return Array, "an array"
	case reflect.String:
		return String, "a string"
	case reflect.Bool:
		return Bool, "true or false"
	}
	switch {
	case v.CanFloat():
		return Number, "a number"
	case v.CanInt() || v.CanUint():
		return Number, "a whole number"
	}
	return 0, "nothing: no value can be decoded into a " + v.Type().String()
}

func (d *decoder) number(n *Node, v reflect.Value) {
	switch {
	case v.CanFloat():
		f, err := json.Number(n.Text).Float64()
		if err != nil || v.OverflowFloat(f) {
			d.fail(n, "%s is out of range of a %s", cut(n.Text), v.Kind())
			return
		}
		v.SetFloat(f)
	case v.CanInt() || v.CanUint():
		negative, magnitude, whole, fits := integer(n.Text)
		if !whole {
			d.fail(n, "found number %s, want a whole number", cut(n.Text))
			return
		}
		var least int64
		most := uint64(math.MaxUint64) >> (64 - v.Type().Bits())
		if v.CanInt() {
			most >>= 1
			least = -int64(most) - 1
		}
		if !fits || !negative && magnitude > most || negative && magnitude > uint64(-least) {
			d.fail(n, "%s is out of range, want %d to %d", cut(n.Text), least, most)
			return
		}
		if v.CanUint() {
			v.SetUint(magnitude)
		} else if negative {
			v.SetInt(-int64(magnitude))
		} else {
			v.SetInt(int64(magnitude))
		}
	default:
		d.fail(n, "no value can be decoded into a %s", v.Type())
	}
}

func (d *decoder) mapping(n *Node, v reflect.Value) {
	if v.Type().Key().Kind() != reflect.String {
		d.fail(n, "no value can be decoded into a %s", v.Type())
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.Members)))
	for _, m := range n.Members {
		item := reflect.New(v.Type().Elem()).Elem()
		d.under(step{key: m.Key, index: -1}, m.Value, item)
		v.SetMapIndex(reflect.ValueOf(m.Key).Convert(v.Type().Key()), item)
	}
}

func (d *decoder) under(s step, n *Node, v reflect.Value) {
	d.trail = append(d.trail, s)
	d.value(n, v)
	d.trail = d.trail[:len(d.trail)-1]
}

// adopt reports the error of an Unmarshaler at the node it was given.
func (d *decoder) adopt(n *Node, err error) {
	if err == nil {
		return
	}
	var inner Problems
	var single Problem
	switch {
	case errors.As(err, &inner):
	case errors.As(err, &single):
		inner = Problems{single}
	default:
		d.fail(n, "%s", err)
		return
	}
	for _, p := range inner {
		if p = p.rebase(d.trail.under(d.base), n); !d.known[p.Pos.Offset] {
			d.problems = append(d.problems, p)
		}
	}
}

func (d *decoder) fail(n *Node, format string, args ...any) {
	d.problems = append(d.problems, Problem{Path: d.trail.under(d.base), Pos: n.Pos, Text: fmt.Sprintf(format, args...)})
}
