package flag

import (
	"context"

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

// Bool declares a boolean flag. Like every declaration it can say who answers for the
// flag, and until when, by one [Life]. If several are given, or the same flag is declared
// with different ones in several places, all of them are kept, and [Store.Review] reports
// them; where they differ, the earliest Expires counts.
//
//go:noinline
func Bool(key string, def bool, life ...Life) Switch {
	return Switch{Ref[bool]{declare(key, def, asBool, life), &ref[bool]{key, def}}}
}

// Int declares an integer flag. A variant with a fraction is a problem of the
// document, never a truncation.
//
//go:noinline
func Int(key string, def int64, life ...Life) Ref[int64] {
	return Ref[int64]{declare(key, def, asInt, life), &ref[int64]{key, def}}
}

// Float declares a number flag.
//
//go:noinline
func Float(key string, def float64, life ...Life) Ref[float64] {
	return Ref[float64]{declare(key, def, asFloat, life), &ref[float64]{key, def}}
}

// String declares a string flag.
//
//go:noinline
func String(key, def string, life ...Life) Ref[string] {
	return Ref[string]{declare(key, def, asString, life), &ref[string]{key, def}}
}

// JSON declares a flag whose variants are decoded into T, once, when the document
// is compiled: from T's zero value, not from the default. A field that T does not
// have is a problem of the document. All readers share the decoded values: what they
// point to must not be changed.
func JSON[T any](key string, def T, life ...Life) Ref[T] {
	return Ref[T]{declare(key, def, asJSON[T], life), &ref[T]{key, def}}
}

// ByKey returns a flag that is not declared: it is looked up by its key in each
// evaluation, for keys that are known only at run time. T is the type that the
// document suggests (bool, string, int64 if every variant is a whole number,
// float64), the one that the code declares for the key, float64 for whole numbers as
// well, or any. With another T it gives the default, by [ReasonWrongType].
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
	if flags == nil {
		return r.Default()
	}
	set := flags.now.Load()
	if set == nil {
		return r.Default()
	}
	var h *header
	if at := r.id >> chunkBits; at < uint(len(set.refs)) {
		h = &set.refs[at][r.id%chunkSize]
	} else if h = r.find(set); h == nil || subject == nil {
		return r.value(set, subject)
	}
	// What most flags need is done here, so that nearly everything stays in registers.
	if h.hot == hotStatic {
		return *(*T)(h.values[0]) // it is a T: see header
	}
	if h.hot == hotRamp && subject != nil {
		if subject.key != "" {
			return *(*T)(h.values[bit(bucket.Hash(subject.unit, h.lane) <= h.limit)&1])
		}
		return *(*T)(h.values[0])
	}
	if subject == nil {
		return r.value(set, subject)
	}
	switch h.hot {
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
		if subject.key == "" {
			break
		}
		hash, parts := bucket.Hash(subject.unit, h.lane), (*four)(h.values[0])
		beyond := bit(hash > parts.limits[0]) + bit(hash > parts.limits[1]) + bit(hash > parts.limits[2]) // nobody could predict which
		return *(*T)(parts.values[beyond&3])
	case hotTable:
		rule, ok := h.flag.table.first(subject)
		switch {
		case !ok:
		case rule >= 0:
			return *(*T)(h.flag.values.at[h.flag.served(rule)])
		default:
			return *(*T)(h.values[bit(subject.key != "" && bucket.Hash(subject.unit, h.lane) <= h.limit)&1])
		}
	case hotTargets:
		return r.targets(h, subject)
	}
	return r.at(h, set, subject)
}

// Decide is [Ref.Value] with the reason.
func (r Ref[T]) Decide(flags *Store, subject *Subject) Decision[T] {
	return r.decide(flags.snapshot(), subject, nil, true)
}

// DecideFrom is [Ref.From] with the reason.
func (r Ref[T]) DecideFrom(view *View) Decision[T] {
	if view == nil {
		return r.decide(nil, &nobody, nil, true)
	}
	view.expose(r.Key())
	d := r.decide(view.set, &view.subject, view.override(r.Key()), true)
	if t := view.teller(); t != nil && r.decl != nil && t.first(r.Key()) {
		t.tell(ExposureInfo{
			Key: r.Key(), Variant: d.Variant, Reason: d.Reason, Rule: d.Rule, Revision: d.Revision,
			Subject: view.subject.key, Unit: d.Unit, Overridden: view.overridden() != nil,
		})
	}
	return d
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

// targets evaluates modeTargets.
func (r Ref[T]) targets(h *header, s *Subject) T {
	v := h.flag.target(s)
	if v < 0 {
		v = h.ramp(s)
	}
	if h.counts != nil {
		h.counts.add(h.count + v)
	}
	if v < 0 {
		return r.decl.def
	}
	return *(*T)(h.flag.values.at[v])
}

// find finds a flag by its key if its values are of a usual type, and this one is it.
func (r Ref[T]) find(set *Set) *header {
	if r.decl == nil {
		return nil
	}
	i, ok := set.byKey[r.decl.key]
	if !ok {
		return nil
	}
	if h := &set.chunks[i>>chunkBits][i%chunkSize]; h.typ == typOf[T]() && h.typ != typOther {
		return h
	}
	return nil
}

// byKey evaluates a flag that is not declared, or was not when the document was
// compiled.
func (r Ref[T]) byKey(set *Set, s *Subject) T {
	if r.decl == nil {
		return r.Default()
	}
	h := set.header(r.decl.key)
	if h == nil {
		return r.decl.def
	}
	v := h.pick(set, s)
	value, ok := valueOf[T](h.flag.values, v)
	if !ok {
		v, value = -1, r.decl.def
	}
	if h.counts != nil {
		h.counts.add(h.count + v)
	}
	return value
}

// decide is value with the reason, counted or not.
func (r Ref[T]) decide(set *Set, s *Subject, over *override, count bool) Decision[T] {
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
	if over != nil && (h == nil || !h.flag.killed) && d.overridden(over, h) {
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
	value, ok := valueOf[T](h.flag.values, v.variant)
	if h.counts != nil && count {
		counted := v.variant
		if !ok {
			counted = -1
		}
		h.counts.add(h.count + counted)
	}
	if v.variant >= 0 {
		if !ok {
			d.Reason = ReasonWrongType
			return d
		}
		d.Value, d.Variant = value, h.flag.names[v.variant]
	}
	d.Reason, d.Rule, d.Slot, d.Ramp, d.Unit = v.reason, v.rule, v.slot, v.ramp, v.unit
	return d
}
