package flag

import (
	"context"
	"sync/atomic"
	"time"
)

// View is one request's sight of the flags: a subject and the snapshot that was
// current when the request began, so that all its decisions agree although the
// flags, and the time, change meanwhile. It is safe for concurrent use. A nil View
// gives defaults.
type View struct {
	set       *Set
	subject   Subject
	overrides *override
	watched   *atomic.Pointer[Exposure] // of the view that this one was made from; nil is own
	own       atomic.Pointer[Exposure]
	carried   atomic.Bool
	context   viewContext // for the first context that carries the view, to save an allocation
	first     Exposure    // likewise, for the first that watches it
	used      atomic.Bool // first is
}

// override is a value that a view gives a flag.
type override struct {
	key   string
	value any // a pointer to the Ref's type
	next  *override
}

// View returns the subject's view of the newest snapshot.
func (s *Store) View(subject Subject) *View { return s.snapshot().View(subject) }

// View returns the subject's view of the set.
func (s *Set) View(subject Subject) *View {
	v := &View{set: s, subject: subject}
	if s != nil && s.timed && subject.at == 0 {
		v.subject = subject.At(time.Now())
	}
	return v
}

// Override returns a view in which the flag has this value, whatever the document
// says, unless the flag is killed. Flags that have it as a prerequisite do not see
// it. The view it is made from stays as it is; a nil one is a view of no document.
func (r Ref[T]) Override(view *View, value T) *View {
	out := &View{overrides: &override{key: r.Key(), value: &value}}
	if view != nil {
		out.set, out.subject, out.watched, out.overrides.next = view.set, view.subject, view.exposures(), view.overrides
	}
	return out
}

// override returns what the view gives a flag, or nil.
func (v *View) override(key string) any {
	for o := v.overrides; o != nil; o = o.next {
		if o.key == key {
			return o.value
		}
	}
	return nil
}

// plain says that nobody watches the view and nothing is overridden in it.
func (v *View) plain() bool { return v.overrides == nil && v.exposures().Load() == nil }

// exposures are the view's own, unless it was made from another.
func (v *View) exposures() *atomic.Pointer[Exposure] {
	if v.watched == nil {
		return &v.own
	}
	return v.watched
}

// Subject returns whom the view is for.
func (v *View) Subject() Subject {
	if v == nil {
		return Subject{}
	}
	return v.subject
}

type viewKey struct{}

// viewContext is a context that carries a view.
type viewContext struct {
	context.Context
	view *View
}

// Value returns the view, or what the context around it carries.
func (c *viewContext) Value(key any) any {
	if key == (viewKey{}) {
		return c.view
	}
	return c.Context.Value(key)
}

// NewContext returns a context that carries the view; package flaghttp does it
// for every request.
func NewContext(ctx context.Context, view *View) context.Context {
	if view == nil || !view.carried.CompareAndSwap(false, true) {
		return &viewContext{ctx, view}
	}
	view.context = viewContext{ctx, view}
	return &view.context
}

// FromContext returns the view that the context carries, or nil.
func FromContext(ctx context.Context) *View {
	if ctx == nil {
		return nil
	}
	view, _ := ctx.Value(viewKey{}).(*View)
	return view
}

// Exposure notes whether a view evaluated one flag. It is how a guarded rollout
// knows which requests took either side of a change.
type Exposure struct {
	key  string
	seen atomic.Bool
	next *Exposure
}

// Seen says whether the flag was evaluated, by whatever entrance takes the view
// or its context. A nil Exposure saw nothing.
func (e *Exposure) Seen() bool { return e != nil && e.seen.Load() }

// Watch notes evaluations of the flag through the view, and through those made from
// it, from now on. A nil view gives nil.
func (r Ref[T]) Watch(view *View) *Exposure {
	if view == nil {
		return nil
	}
	e := &view.first
	if view.watched != nil || !view.used.CompareAndSwap(false, true) {
		e = new(Exposure)
	}
	e.key = r.Key()
	for {
		e.next = view.exposures().Load()
		if view.exposures().CompareAndSwap(e.next, e) {
			return e
		}
	}
}

func (v *View) expose(key string) {
	for e := v.exposures().Load(); e != nil; e = e.next {
		if e.key == key && !e.seen.Load() {
			e.seen.Store(true)
		}
	}
}
