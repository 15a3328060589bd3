package flag

import (
	"context"
	"sync/atomic"
)

// View is one request's sight of the flags: a subject and the snapshot that was
// current when the request began, so that all its decisions agree although the
// flags change meanwhile. It is safe for concurrent use. A nil View gives
// defaults.
type View struct {
	set     *Set
	subject Subject
	watched atomic.Pointer[Exposure]
}

// View returns the subject's view of the newest snapshot.
func (s *Store) View(subject Subject) *View { return s.snapshot().View(subject) }

// View returns the subject's view of the set.
func (s *Set) View(subject Subject) *View { return &View{set: s, subject: subject} }

// Subject returns whom the view is for.
func (v *View) Subject() Subject {
	if v == nil {
		return Subject{}
	}
	return v.subject
}

type viewKey struct{}

// NewContext returns a context that carries the view; package flaghttp does it
// for every request.
func NewContext(ctx context.Context, view *View) context.Context {
	return context.WithValue(ctx, viewKey{}, view)
}

// FromContext returns the view that the context carries, or nil.
func FromContext(ctx context.Context) *View {
	view, _ := ctx.Value(viewKey{}).(*View)
	return view
}

// Exposure notes whether a view evaluated one flag. It is how a guarded rollout
// knows which requests took either side of a change.
type Exposure struct {
	id   int
	seen atomic.Bool
	next *Exposure
}

// Seen says whether the flag was evaluated, by whatever entrance takes the view
// or its context. A nil Exposure saw nothing.
func (e *Exposure) Seen() bool { return e != nil && e.seen.Load() }

// Watch notes evaluations of the flag through the view from now on. A nil view
// gives nil.
func (r Ref[T]) Watch(view *View) *Exposure {
	if view == nil {
		return nil
	}
	e := &Exposure{id: r.id}
	for {
		e.next = view.watched.Load()
		if view.watched.CompareAndSwap(e.next, e) {
			return e
		}
	}
}

func (v *View) expose(id int) {
	for e := v.watched.Load(); e != nil; e = e.next {
		if e.id == id && !e.seen.Load() {
			e.seen.Store(true)
		}
	}
}
