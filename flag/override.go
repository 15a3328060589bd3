package flag

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// override is what a view gives a flag.
type override struct {
	key     string
	value   any   // a pointer to the Ref's type, or nil if it is a variant
	variant int32 // of the view's set
	next    *override
}

// Override returns a view in which the flag has this value, whatever the document
// says, unless the flag is killed. Flags that have it as a prerequisite do not see
// it. The view it is made from stays as it is; a nil one is a view of no document.
func (r Ref[T]) Override(view *View, value T) *View {
	return view.over(override{key: r.Key(), value: &value})
}

// With is [Ref.Override] by the names of a flag and one of its variants, as a tester
// has them. An unknown flag is [ErrNotFound], and an unknown variant an error, too; both
// say what there is.
func (v *View) With(key, variant string) (*View, error) {
	if v == nil || v.set == nil {
		return nil, &Error{Op: "with", Key: key, Err: errNoDocument}
	}
	h := v.set.header(key)
	switch {
	case h == nil && v.set.dropped[key]:
		return nil, &Error{Op: "with", Key: key, Err: errors.New("its definition is broken and has never been any better, so it has no variants")}
	case h == nil:
		return nil, &Error{Op: "with", Key: key, Err: fmt.Errorf("%w, want one of %s", ErrNotFound, shorten(fmt.Sprintf("%q", slices.Sorted(maps.Keys(v.set.byKey)))))}
	}
	i, ok := slices.BinarySearch(h.flag.names, variant)
	if !ok {
		return nil, &Error{Op: "with", Key: key, Err: fmt.Errorf("unknown variant %q, want one of %q", variant, h.flag.names)}
	}
	return v.over(override{key: key, variant: int32(i)}), nil
}

// over returns a view with one override more; v may be nil.
func (v *View) over(o override) *View {
	out := v.made()
	if out.extra == nil {
		out.extra = &extra{}
	}
	o.next = out.extra.overrides
	out.extra.overrides = &o
	return out
}

// overridden are the view's overrides, the newest first.
func (v *View) overridden() *override {
	if v.extra == nil {
		return nil
	}
	return v.extra.overrides
}

// override returns what the view gives a flag, or nil.
func (v *View) override(key string) *override {
	for o := v.overridden(); o != nil; o = o.next {
		if o.key == key {
			return o
		}
	}
	return nil
}

// overridden decides by an override, unless that is a value of another type.
func (d *Decision[T]) overridden(over *override, h *header) bool {
	if over.value == nil {
		value, ok := valueOf[T](h.flag.values, over.variant)
		if !ok {
			d.Reason = ReasonWrongType
			return true
		}
		d.Value, d.Variant, d.Reason = value, h.flag.names[over.variant], ReasonOverride
		return true
	}
	value, ok := over.value.(*T)
	if ok {
		d.Value, d.Reason = *value, ReasonOverride
	}
	return ok
}
