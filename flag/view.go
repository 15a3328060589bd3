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
	set     *Set
	subject Subject
	extra   *extra                    // nil if there is none
	watched *atomic.Pointer[Exposure] // of the view that this one was made from; nil is own
	own     atomic.Pointer[Exposure]
	carried atomic.Bool
	context viewContext // for the first context that carries the view, to save an allocation
	first   Exposure    // likewise, for the first that watches it
	used    atomic.Bool // first is
}

// extra is what most views do without, in one place, so that they ask for it once.
type extra struct {
	overrides *override
	teller    *teller // nil if nobody is told of exposures
	reader    *reader // nil if nobody is told of evaluations
}

// View returns the subject's view of the newest snapshot.
func (s *Store) View(subject Subject) *View {
	v := s.snapshot().View(subject)
	if s != nil && s.options.OnExposure != nil {
		v.extra = &extra{teller: &teller{on: s.options.OnExposure}}
	}
	return v
}

// View returns the subject's view of the set.
func (s *Set) View(subject Subject) *View {
	v := &View{set: s, subject: subject}
	if s != nil && s.timed && subject.at == 0 {
		v.subject = subject.At(time.Now())
	}
	return v
}

// plain says that nobody watches the view or is told of it, and that nothing is
// overridden in it.
func (v *View) plain() bool { return v.extra == nil && v.exposures().Load() == nil }

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

// Of says whether the view, or the one that it was made from, is of a snapshot of this
// store, be it an old one.
func (v *View) Of(store *Store) bool {
	return v != nil && v.set != nil && store != nil && v.set.store == store
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
	view.teller().began(ctx)
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
