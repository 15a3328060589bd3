package flag

import (
	"cmp"
	"context"
	"iter"
	"reflect"
	"time"
)

// Watch yields the flag as it serves now, and again whenever it has changed: by a call,
// by a document, or because the newest document is wrong about it or no longer is. It
// ends with the context. A flag that the store does not have, not yet or not any more,
// is yielded with Missing, so the first comes at once in any case.
//
// Changes that came while the loop was at work are left out, but the newest: nothing is
// queued, and a slow loop harms nobody. Nothing is yielded because another flag, a
// segment, or the counts have changed, or because of the time; [Ref.Follow] tells what
// all of that means for one subject.
func (s *Store) Watch(ctx context.Context, key string) iter.Seq[Status] {
	return func(yield func(Status) bool) {
		var last Status
		var seen *Set // no newer than last
		for first := true; ctx.Err() == nil; first = false {
			news := s.news()
			// Who changes another flag does not wait until all watchers had the lock.
			if set := s.snapshot(); first || !set.same(key, seen) {
				status := s.watched(key)
				if seen = set; first || !status.like(last) {
					if last = status; !yield(status) {
						return
					}
				}
			}
			select {
			case <-ctx.Done():
			case <-news:
			}
		}
	}
}

// watched is the flag's status, if it is missing, too.
func (s *Store) watched(key string) Status {
	status, err := s.Status(key)
	if err != nil {
		status = Status{Key: key, Missing: true}
		if set := s.snapshot(); set != nil {
			status.Revision = set.revision
		}
	}
	return status
}

// same says whether the flag is for certain as in a set that served before.
func (s *Set) same(key string, before *Set) bool {
	return s != nil && before != nil && s.planned == before.planned && !s.dropped[key] && s.defined(key) == before.defined(key)
}

// like says whether two statuses are of the same flag, unchanged.
func (st Status) like(other Status) bool {
	st.Counts, st.Revision, other.Counts, other.Revision = nil, 0, nil, 0
	return reflect.DeepEqual(st, other)
}

// Follow yields what is decided for the subject now, and again whenever its value or
// its variant is another; the reason may change without that. It ends with the context.
// What the flag names counts, too: its segments, its prerequisites, and, unless the
// subject has a moment ([Subject.At]), the time, which it looks at every
// [Options.Every]. Values are compared by reflect.DeepEqual.
//
// As with [Store.Watch], a slow loop misses what lies between and harms nobody. What is
// yielded counts neither in [Status.Counts] nor as an exposure.
func (r Ref[T]) Follow(ctx context.Context, flags *Store, subject Subject) iter.Seq[Decision[T]] {
	return func(yield func(Decision[T]) bool) {
		var last Decision[T]
		for first := true; ctx.Err() == nil; first = false {
			news := flags.news()
			set := flags.snapshot()
			d := r.decide(set, &subject, nil, false)
			if first || d.Variant != last.Variant || !reflect.DeepEqual(d.Value, last.Value) {
				if last = d; !yield(d) {
					return
				}
			}
			var tick <-chan time.Time
			if set != nil && subject.at == 0 {
				if h := set.header(r.Key()); h != nil && h.timed {
					tick = time.After(cmp.Or(max(flags.options.Every, 0), time.Second))
				}
			}
			select {
			case <-ctx.Done():
			case <-news:
			case <-tick:
			}
		}
	}
}

// rouse wakes whoever waits for another snapshot. It is called after one has begun to
// serve, without a lock: they may be many, and each takes the lock itself.
func (s *Store) rouse() {
	if wake := s.wake.Swap(nil); wake != nil {
		close(*wake)
	}
}

// news returns a channel that is closed when another snapshot serves. Whoever asks for
// it before he looks misses nothing.
func (s *Store) news() <-chan struct{} {
	if s == nil {
		return nil
	}
	for {
		if wake := s.wake.Load(); wake != nil {
			return *wake
		}
		wake := make(chan struct{})
		s.wake.CompareAndSwap(nil, &wake)
	}
}
