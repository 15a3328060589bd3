package flag

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// Ref is a flag as the code knows it: its key, its type, and the value that
// counts when in doubt. It is declared once, by [Bool], [Int], [Float],
// [String] or [JSON], usually in a package-level variable, and is safe for
// concurrent use. The zero Ref serves T's zero value. See [ByKey] for flags that are
// not declared.
type Ref[T any] struct {
	id  int // one more than the dense index, so that the zero Ref has none
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
	return Switch{Ref[bool]{declare(key, asBool) + 1, key, def}}
}

// Int declares an integer flag. A variant with a fraction is a problem of the
// document, never a truncation.
//
//go:noinline
func Int(key string, def int64) Ref[int64] {
	return Ref[int64]{declare(key, asInt) + 1, key, def}
}

// Float declares a number flag.
//
//go:noinline
func Float(key string, def float64) Ref[float64] {
	return Ref[float64]{declare(key, asFloat) + 1, key, def}
}

// String declares a string flag.
//
//go:noinline
func String(key, def string) Ref[string] {
	return Ref[string]{declare(key, asString) + 1, key, def}
}

// JSON declares a flag whose variants are decoded into T, once, when the document
// is compiled: from T's zero value, not from the default. A field that T does not
// have is a problem of the document. All
// readers share the decoded values: what they point to must not be changed.
func JSON[T any](key string, def T) Ref[T] {
	return Ref[T]{declare(key, asJSON[T]) + 1, key, def}
}

// ByKey returns a flag that is not declared: it is looked up by its key in each
// evaluation, for keys that are known only at run time. T is the type that the
// document suggests (bool, string, int64 if every variant is a whole number,
// float64), the one that the code declares for the key, or any.
func ByKey[T any](key string, def T) Ref[T] { return Ref[T]{key: key, def: def} }

// On says whether the flag is on for the request whose view is in the context.
func (s Switch) On(ctx context.Context) bool { return s.In(ctx) }

// Key returns the flag's key.
func (r Ref[T]) Key() string { return r.key }

// Default returns the value that counts when in doubt.
func (r Ref[T]) Default() T { return r.def }

// In evaluates for the request whose view is in the context; see [NewContext].
func (r Ref[T]) In(ctx context.Context) T { return r.From(FromContext(ctx)) }

// From evaluates for a view. A nil view gives the default.
func (r Ref[T]) From(view *View) T {
	if view == nil {
		return r.def
	}
	view.expose(r.key)
	if view.overrides != nil {
		return r.decide(view.set, &view.subject, view.override(r.key)).Value
	}
	return r.value(view.set, &view.subject)
}

// Value evaluates for a subject against the store's newest snapshot. A nil store
// gives the default.
func (r Ref[T]) Value(flags *Store, subject *Subject) T {
	if subject == nil {
		subject = &nobody
	}
	return r.value(flags.snapshot(), subject)
}

// Decide is [Ref.Value] with the reason.
func (r Ref[T]) Decide(flags *Store, subject *Subject) Decision[T] {
	if subject == nil {
		subject = &nobody
	}
	return r.decide(flags.snapshot(), subject, nil)
}

// DecideFrom is [Ref.From] with the reason.
func (r Ref[T]) DecideFrom(view *View) Decision[T] {
	if view == nil {
		return r.decide(nil, &nobody, nil)
	}
	view.expose(r.key)
	return r.decide(view.set, &view.subject, view.override(r.key))
}

// value is the hot path: [header.pick] by hand, so that the most frequent flags
// cost no call, and the clock is read only for a flag that looks at it.
func (r Ref[T]) value(set *Set, s *Subject) T {
	if set == nil {
		return r.def
	}
	h := set.at(r.id, r.key)
	if h == nil {
		return r.def
	}
	var v int32
	switch h.mode {
	case modeStatic:
		v = h.variant
	case modeRamp:
		v = h.ramp(s)
	case modeSplit:
		v = h.split(s)
	case modeFull:
		v, _ = h.flag.run(set, s, s.moment(h.timed))
	default:
		return r.def
	}
	if h.counts != nil {
		h.counts.add(h.count + v)
	}
	if v < 0 {
		return r.def
	}
	if values, ok := h.values.(*variants[T]); ok {
		return values.list[v]
	}
	if value, ok := valueOf[T](h.values, v); ok {
		return value
	}
	return r.def
}

// decide is value with the reason.
func (r Ref[T]) decide(set *Set, s *Subject, over any) Decision[T] {
	d := Decision[T]{Value: r.def, Rule: -1, Slot: -1}
	if set == nil && over == nil {
		d.Reason = ReasonNoDocument
		return d
	}
	var h *header
	if set != nil {
		d.Revision = set.revision
		h = set.at(r.id, r.key)
	}
	if value, ok := over.(T); ok && (h == nil || !h.killed) {
		d.Value, d.Reason = value, ReasonOverride
		return d
	}
	switch {
	case h != nil && h.mode != modeNone:
	case set != nil && set.dropped[r.key]:
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
		value, ok := valueOf[T](h.values, v.variant)
		if !ok {
			d.Reason = ReasonWrongType
			return d
		}
		d.Value, d.Variant = value, h.flag.names[v.variant]
	}
	d.Reason, d.Rule, d.Slot, d.Ramp, d.Unit = v.reason, v.rule, v.slot, v.ramp, v.unit
	return d
}

// valueOf returns a variant's value as a T. One that was compiled to another type,
// because nobody had declared T for it, is converted where that loses nothing.
func valueOf[T any](values any, variant int32) (value T, ok bool) {
	switch values := values.(type) {
	case *variants[T]:
		return values.list[variant], true
	case *variants[int64]:
		if to, ok := any(&value).(*float64); ok && int64(float64(values.list[variant])) == values.list[variant] {
			*to = float64(values.list[variant])
			return value, true
		}
	}
	if to, ok := any(&value).(*any); ok {
		if plain, ok := values.(interface{ plain(int32) any }); ok {
			*to = plain.plain(variant)
			return value, true
		}
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
