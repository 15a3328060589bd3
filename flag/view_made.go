package flag

import (
	"log/slog"
	"runtime/debug"
	"time"
)

// At returns the same view at another moment: what has a time in it is decided as of
// then. The view it is made from stays as it is; a nil one is a view of no document.
func (v *View) At(t time.Time) *View {
	out := v.made()
	out.subject = out.subject.At(t)
	return out
}

// Tell returns a view that tells of the key of each flag that is evaluated through it, or
// through views made from it, before it is decided, and each time. Flags that are looked
// at because others have them as a prerequisite are not told of. The function is called by
// whoever evaluates, so by several at once, and must return soon. It is for tests, and for
// the log line of a request; if it panics, that is logged and the request goes on. A nil
// one is not told. The view it is made from stays as it is; a nil one is a view of no
// document.
func (v *View) Tell(read func(key string)) *View {
	out := v.made()
	if read == nil {
		return out
	}
	if out.extra == nil {
		out.extra = &extra{}
	}
	out.extra.reader = &reader{read, out.extra.reader}
	return out
}

// reader is who is told of every evaluation.
type reader struct {
	read func(key string)
	next *reader
}

// tell contains panics: the request goes on.
func (r *reader) tell(key string) {
	defer func() {
		if p := recover(); p != nil {
			slog.Default().Error("flags: the function of View.Tell panicked", "panic", p, "flag", key, "stack", string(debug.Stack()))
		}
	}()
	r.read(key)
}

// made returns a view that is made from another.
func (v *View) made() *View {
	if v == nil {
		return &View{}
	}
	out := &View{set: v.set, subject: v.subject, watched: v.exposures()}
	if v.extra != nil {
		more := *v.extra
		out.extra = &more
	}
	return out
}
