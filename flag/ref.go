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
// concurrent use. The zero Ref serves T's zero value.
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

// On says whether the flag is on for the request whose view is in the context.
func (s Switch) On(ctx context.Context) bool { return s.In(ctx) }

// Key returns the flag's key.
func (r Ref[T]) Key() string { return r.key }

// Default returns the value that counts when in doubt.
func (r Ref[T]) Default() T { return r.def }

// In evaluates for the request whose view is in the context; see [NewContext].
func (r Ref[T]) In(ctx context.Context) T { return r.From(FromContext(ctx)) }

// From evaluates for a view. A nil view gives the default.
func (r Ref[T]) From(view *View) T { return r.DecideFrom(view).Value }

// Value evaluates for a subject against the store's newest snapshot. A nil store
// gives the default.
func (r Ref[T]) Value(flags *Store, subject *Subject) T { return r.Decide(flags, subject).Value }

// Decide is [Ref.Value] with the reason.
func (r Ref[T]) Decide(flags *Store, subject *Subject) Decision[T] {
	return r.decide(flags.snapshot(), subject)
}

// DecideFrom is [Ref.From] with the reason.
func (r Ref[T]) DecideFrom(view *View) Decision[T] {
	if view == nil {
		return r.decide(nil, nil)
	}
	view.expose(r.id)
	return r.decide(view.set, &view.subject)
}

func (r Ref[T]) decide(set *Set, subject *Subject) Decision[T] {
	d := Decision[T]{Value: r.def, Rule: -1, Slot: -1}
	if set == nil {
		d.Reason = ReasonNoDocument
		return d
	}
	d.Revision = set.revision
	f := set.find(r.id-1, r.key)
	if f == nil {
		d.Reason = ReasonUnknownFlag
		return d
	}
	values, ok := f.typed.([]T)
	if !ok {
		d.Reason = ReasonWrongType
		return d
	}
	v := f.decide(subject)
	d.Reason, d.Rule, d.Slot, d.Ramp = v.reason, v.rule, v.slot, v.ramp
	if v.slot >= 0 {
		d.Unit = subject.unit
	}
	if v.variant >= 0 {
		d.Value, d.Variant = values[v.variant], f.variants[v.variant]
	}
	return d
}

// find looks a flag up by its dense index, or by its key if it was declared after
// the document was compiled.
func (s *Set) find(id int, key string) *compiled {
	if uint(id) < uint(len(s.refs)) {
		return s.refs[id]
	}
	return s.byKey[key]
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
