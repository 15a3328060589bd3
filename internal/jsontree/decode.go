package jsontree

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
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
// uint and float, [time.Duration] (written "10m"), [time.Time] (RFC 3339),
// [json.RawMessage], any (see [Node.Any]), [json.Unmarshaler] and, for strings,
// [encoding.TextUnmarshaler].
// null is decoded into pointers, any and RawMessage only. A tag like
// want:"a number" makes a field required or, beside omitempty or omitzero, refuses its
// zero value; keys of maps have at most [MaxKey] bytes. Problems that an
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
	d := &decoder{base: path, problems: duplicates, known: make(map[int]bool)}
	for _, p := range duplicates {
		d.known[p.Pos.Offset] = true
	}
	d.value(n, target.Elem(), planOf(target.Type().Elem()))
	d.problems.sort()
	return d.problems.Err()
}

type decoder struct {
	base     string
	trail    trail
	problems Problems
	known    map[int]bool // offsets of duplicate keys, which an Unmarshaler will find again
	lent     []byte       // the text that an Unmarshaler is looking at
}

func (d *decoder) value(n *Node, v reflect.Value, p *plan) {
	if p.kind != n.Kind && p.kind != 0 || n.Kind == Null && !p.null {
		d.fail(n, "found %s, want %s", n.Describe(), p.want)
		return
	}
	p.decode(d, n, v, p)
}

// under decodes what is one step further down.
func (d *decoder) under(s step, n *Node, v reflect.Value, p *plan) {
	d.trail = append(d.trail, s)
	d.value(n, v, p)
	d.trail = d.trail[:len(d.trail)-1]
}

func decodeRaw(_ *decoder, n *Node, v reflect.Value, _ *plan) { v.SetBytes(n.Raw()) }

func decodeAny(_ *decoder, n *Node, v reflect.Value, _ *plan) {
	v.SetZero()
	if plain := n.Any(); plain != nil {
		v.Set(reflect.ValueOf(plain))
	}
}

func decodePointer(d *decoder, n *Node, v reflect.Value, p *plan) {
	if n.Kind == Null {
		v.SetZero()
		return
	}
	fresh := reflect.New(v.Type().Elem())
	d.value(n, fresh.Elem(), p.elem)
	v.Set(fresh)
}

func decodeUnmarshaler(d *decoder, n *Node, v reflect.Value, _ *plan) {
	d.lent = append(d.lent[:0], n.RawString()...)
	d.adopt(n, v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(d.lent))
}

func decodeText(d *decoder, n *Node, v reflect.Value, _ *plan) {
	d.lent = append(d.lent[:0], n.Text()...)
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(d.lent); err != nil {
		d.fail(n, "%s", err)
	}
}

func decodeDuration(d *decoder, n *Node, v reflect.Value, p *plan) {
	duration, err := time.ParseDuration(n.Text())
	if err != nil {
		d.fail(n, "found %s, want %s", n.Describe(), p.want)
	}
	v.SetInt(int64(duration))
}

// decodeTime does without what package time says, which is for who knows Go's
// layouts, unless a part is out of range.
func decodeTime(d *decoder, n *Node, v reflect.Value, p *plan) {
	err := v.Addr().Interface().(*time.Time).UnmarshalText([]byte(n.Text()))
	if err == nil {
		return
	}
	reason := ""
	var wrong *time.ParseError
	if errors.As(err, &wrong) {
		reason = wrong.Message
	}
	d.fail(n, "found %s, want %s%s", n.Describe(), p.want, reason)
}

// MaxKey is how many bytes a key of a map may have. What stands under a longer one is
// not decoded: its path would be repeated in every problem there.
const MaxKey = 256

func decodeMap(d *decoder, n *Node, v reflect.Value, p *plan) {
	t := v.Type()
	v.Set(reflect.MakeMapWithSize(t, len(n.Items)))
	key, item := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
	for i := range n.Items {
		m := &n.Items[i]
		item.SetZero()
		if s := (step{key: m.Key, index: -1}); len(m.Key) <= MaxKey {
			d.under(s, m, item, p.elem)
		} else {
			path := append(d.trail, s).under(d.base)
			d.problems = append(d.problems, Problem{Path: path, Pos: m.doc.pos(m.key), Text: fmt.Sprintf("found %d bytes, want at most %d", len(m.Key), MaxKey)})
		}
		key.SetString(m.Key)
		v.SetMapIndex(key, item)
	}
}

func decodeSlice(d *decoder, n *Node, v reflect.Value, p *plan) {
	list := reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items))
	for i := range n.Items {
		d.under(step{index: i}, &n.Items[i], list.Index(i), p.elem)
	}
	v.Set(list)
}

func decodeString(_ *decoder, n *Node, v reflect.Value, _ *plan) { v.SetString(n.Text()) }

func decodeBool(_ *decoder, n *Node, v reflect.Value, _ *plan) { v.SetBool(n.Bool) }

func decodeNothing(d *decoder, n *Node, v reflect.Value, _ *plan) {
	d.fail(n, "no value can be decoded into a %s", v.Type())
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
	d.problems = append(d.problems, Problem{Path: d.trail.under(d.base), Pos: n.Pos(), Text: fmt.Sprintf(format, args...)})
}
