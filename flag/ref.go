package flag

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/guidon-go/guidon/internal/bucket"
)

// Ref is a flag as the code knows it: its key, its type, and the value that
// counts when in doubt. It is declared once, by [Bool], [Int], [Float],
// [String] or [JSON], usually in a package-level variable, and is safe for
// concurrent use. The zero Ref serves T's zero value. See [ByKey] for flags that are
// not declared.
type Ref[T any] struct {
	id   uint    // the dense index, from 1, or undeclared
	decl *ref[T] // nil in the zero Ref
}

// ref is behind a pointer, so that an evaluation is handed two words.
type ref[T any] struct {
	key string
	def T
}

// Switch is a boolean flag.
type Switch struct{ Ref[bool] }

// Declarations are not inlined, so that a problem can name the line they stand in.

// Bool declares a boolean flag.
//
//go:noinline
func Bool(key string, def bool) Switch {
	return Switch{Ref[bool]{declare(key, asBool), &ref[bool]{key, def}}}
}

// Int declares an integer flag. A variant with a fraction is a problem of the
// document, never a truncation.
//
//go:noinline
func Int(key string, def int64) Ref[int64] {
	return Ref[int64]{declare(key, asInt), &ref[int64]{key, def}}
}

// Float declares a number flag.
//
//go:noinline
func Float(key string, def float64) Ref[float64] {
	return Ref[float64]{declare(key, asFloat), &ref[float64]{key, def}}
}

// String declares a string flag.
//
//go:noinline
func String(key, def string) Ref[string] {
	return Ref[string]{declare(key, asString), &ref[string]{key, def}}
}

// JSON declares a flag whose variants are decoded into T, once, when the document
// is compiled: from T's zero value, not from the default. A field that T does not
// have is a problem of the document. All
// readers share the decoded values: what they point to must not be changed.
func JSON[T any](key string, def T) Ref[T] {
	return Ref[T]{declare(key, asJSON[T]), &ref[T]{key, def}}
}

// ByKey returns a flag that is not declared: it is looked up by its key in each
// evaluation, for keys that are known only at run time. T is the type that the
// document suggests (bool, string, int64 if every variant is a whole number,
// float64), the one that the code declares for the key, or any.
func ByKey[T any](key string, def T) Ref[T] { return Ref[T]{undeclared, &ref[T]{key, def}} }

// undeclared is an index that no declaration has.
const undeclared = ^uint(0)

// On says whether the flag is on for the request whose view is in the context.
func (s Switch) On(ctx context.Context) bool { return s.In(ctx) }

// Key returns the flag's key.
func (r Ref[T]) Key() string {
	if r.decl == nil {
		return ""
	}
	return r.decl.key
}

// Default returns the value that counts when in doubt.
func (r Ref[T]) Default() T {
	if r.decl == nil {
		var zero T
		return zero
	}
	return r.decl.def
}

// In evaluates for the request whose view is in the context; see [NewContext].
func (r Ref[T]) In(ctx context.Context) T { return r.From(FromContext(ctx)) }

// From evaluates for a view. A nil view gives the default.
func (r Ref[T]) From(view *View) T {
	if view == nil {
		return r.Default()
	}
	if view.plain() {
		return r.value(view.set, &view.subject)
	}
	return r.DecideFrom(view).Value
}

// Value evaluates for a subject against the store's newest snapshot. A nil store
// gives the default.
func (r Ref[T]) Value(flags *Store, subject *Subject) T {
	if flags == nil || subject == nil {
		return r.value(flags.snapshot(), subject)
	}
	set := flags.now.Load()
	if set == nil {
		return r.value(set, subject)
	}
	if r.id>>chunkBits >= uint(len(set.refs)) {
		return r.byKey(set, subject)
	}
	// The hot path does what most flags need. No call returns into it, so that
	// everything stays in registers.
	h := &set.refs[r.id>>chunkBits][r.id%chunkSize]
	switch h.hot {
	case hotRamp:
		if subject.key != "" {
			return *(*T)(h.values[bit(bucket.Hash(subject.unit, h.lane) <= h.limit)&1]) // it is a T: see header
		}
		return *(*T)(h.values[0])
	case hotStatic:
		return *(*T)(h.values[0])
	case hotCount:
		side := uint64(0)
		if h.mode == modeRamp && subject.key != "" {
			side = bit(bucket.Hash(subject.unit, h.lane) <= h.limit)
		}
		if counter := h.counts.at(h.count + h.serves[side&1]); counter != nil {
			counter.Add(1)
			return *(*T)(h.values[side&1])
		}
	case hotSplit:
		return r.split(h, subject)
	case hotTable:
		return r.table(h, subject)
	}
	return r.at(h, set, subject)
}

// Decide is [Ref.Value] with the reason.
func (r Ref[T]) Decide(flags *Store, subject *Subject) Decision[T] {
	return r.decide(flags.snapshot(), subject, nil)
}

// DecideFrom is [Ref.From] with the reason.
func (r Ref[T]) DecideFrom(view *View) Decision[T] {
	if view == nil {
		return r.decide(nil, &nobody, nil)
	}
	view.expose(r.Key())
	return r.decide(view.set, &view.subject, view.override(r.Key()))
}

// value evaluates every flag of a set.
func (r Ref[T]) value(set *Set, s *Subject) T {
	if set == nil || r.decl == nil {
		return r.Default()
	}
	if s == nil {
		s = &nobody
	}
	if r.id>>chunkBits < uint(len(set.refs)) {
		return r.at(&set.refs[r.id>>chunkBits][r.id%chunkSize], set, s)
	}
	return r.byKey(set, s)
}

// at evaluates the flag whose place the header has, if the document has it.
func (r Ref[T]) at(h *header, set *Set, s *Subject) T {
	if h.mode == modeNone {
		return r.byKey(set, s)
	}
	v := h.pick(set, s)
	if h.counts != nil {
		h.counts.add(h.count + v)
	}
	if v < 0 {
		return r.decl.def
	}
	return *(*T)(h.flag.values.at[v]) // it is a T: see header
}

// split evaluates modeSplit in the place of a declared flag.
func (r Ref[T]) split(h *header, s *Subject) T {
	v := h.serves[0]
	if s.key != "" {
		v = h.flag.main.cut(s.unit)
	}
	if h.counts != nil {
		h.counts.add(h.count + v)
	}
	if v < 0 {
		return r.decl.def
	}
	return *(*T)(h.flag.values.at[v])
}

// table evaluates modeTable in the place of a declared flag, if what follows the
// rules is simple.
func (r Ref[T]) table(h *header, s *Subject) T {
	f := h.flag
	left := f.table.left(s)
	rule := -1
	if left != 0 {
		rule = f.table.match(left, s)
	}
	var v int32
	switch {
	case rule < 0:
		v = h.ramp(s)
	case f.plain:
		v = f.exits[int(f.firstRule)+rule].serve
	default:
		v, _ = f.among(left, s, s.moment(false))
	}
	if h.counts != nil {
		h.counts.add(h.count + v)
	}
	if v < 0 {
		return r.decl.def
	}
	return *(*T)(h.flag.values.at[v])
}

// byKey evaluates a flag that is not declared, or was not when the document was
// compiled.
func (r Ref[T]) byKey(set *Set, s *Subject) T {
	if r.decl == nil {
		return r.Default()
	}
	i, ok := set.byKey[r.decl.key]
	if !ok {
		return r.decl.def
	}
	h := &set.chunks[i>>chunkBits][i%chunkSize]
	v := h.serves[0]
	switch h.mode {
	case modeStatic:
	case modeRamp:
		v = h.ramp(s)
	default:
		v = h.pick(set, s)
	}
	if h.counts != nil {
		h.counts.add(h.count + v)
	}
	if list, ok := h.flag.values.list.([]T); ok && uint(v) < uint(len(list)) {
		return list[v]
	}
	if value, ok := valueOf[T](h.flag.values, v); ok {
		return value
	}
	return r.decl.def
}

// decide is value with the reason.
func (r Ref[T]) decide(set *Set, s *Subject, over any) Decision[T] {
	d := Decision[T]{Value: r.Default(), Rule: -1, Slot: -1}
	if s == nil {
		s = &nobody
	}
	if set == nil && over == nil {
		d.Reason = ReasonNoDocument
		return d
	}
	var h *header
	if set != nil {
		d.Revision = set.revision
		if r.decl != nil {
			h = set.header(r.decl.key)
		}
	}
	if value, ok := over.(T); ok && (h == nil || !h.flag.killed) {
		d.Value, d.Reason = value, ReasonOverride
		return d
	}
	switch {
	case h != nil:
	case set != nil && set.dropped[r.Key()]:
		d.Reason = ReasonQuarantined
		return d
	default:
		d.Reason = ReasonUnknownFlag
		return d
	}
	v := h.flag.decide(set, s, s.moment(h.timed))
	if h.counts != nil {
		h.counts.add(h.count + v.variant)
	}
	if v.variant >= 0 {
		value, ok := valueOf[T](h.flag.values, v.variant)
		if !ok {
			d.Reason = ReasonWrongType
			return d
		}
		d.Value, d.Variant = value, h.flag.names[v.variant]
	}
	d.Reason, d.Rule, d.Slot, d.Ramp, d.Unit = v.reason, v.rule, v.slot, v.ramp, v.unit
	return d
}

// valueOf returns a variant's value as a T, unless there is none. One that was
// compiled to another type, because nobody had declared T for it, is converted where
// that loses nothing.
func valueOf[T any](values *values, variant int32) (value T, ok bool) {
	if variant < 0 {
		return value, false
	}
	if list, ok := values.list.([]T); ok {
		return list[variant], true
	}
	switch to := any(&value).(type) {
	case *float64:
		if list, whole := values.list.([]int64); whole && int64(float64(list[variant])) == list[variant] {
			*to = float64(list[variant])
			return value, true
		}
	case *any:
		*to = reflect.ValueOf(values.list).Index(int(variant)).Interface()
		return value, true
	}
	return value, false
}

func asBool(v value) (bool, error) {
	if v.kind != kindBool {
		return false, fmt.Errorf("found %v, want a boolean", v)
	}
	return v.num == 1, nil
}

func asString(v value) (string, error) {
	if v.kind != kindString {
		return "", fmt.Errorf("found %v, want a string", v)
	}
	return v.str, nil
}

func asInt(v value) (int64, error) {
	if v.kind != kindInt {
		return 0, fmt.Errorf("found %v, want a 64-bit integer", v)
	}
	return int64(v.num), nil
}

func asFloat(v value) (float64, error) {
	if !v.isNumber() {
		return 0, fmt.Errorf("found %v, want a number", v)
	}
	return v.float(), nil
}

func asJSON[T any](v value) (T, error) {
	var out T
	text := v.String()
	if v.kind == kindString {
		quoted, _ := json.Marshal(v.str) // a string always marshals
		text = string(quoted)
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&out); err != nil {
		return out, fmt.Errorf("does not fit %T: %w", out, err)
	}
	return out, nil
}
