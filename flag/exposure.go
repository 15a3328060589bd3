package flag

import (
	"context"
	"hash/maphash"
	"log/slog"
	"math/bits"
	"runtime/debug"
	"strings"
	"sync/atomic"
)

// Exposure notes whether a view evaluated one flag. It is how a guarded rollout
// knows which requests took either side of a change.
type Exposure struct {
	key        string
	seen       atomic.Bool
	overridden atomic.Bool
	next       *Exposure
}

// Seen says whether the flag was evaluated, by whatever entrance takes the view
// or its context. A nil Exposure saw nothing.
func (e *Exposure) Seen() bool { return e != nil && e.seen.Load() }

// Overridden says whether it was evaluated through a view that overrides a flag, be it
// this one or another ([View.With], [Ref.Override]): what becomes of such a request
// says nothing about the users.
func (e *Exposure) Overridden() bool { return e != nil && e.overridden.Load() }

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
	if v.extra != nil {
		for r := v.extra.reader; r != nil; r = r.next {
			r.tell(key)
		}
	}
	for e := v.exposures().Load(); e != nil; e = e.next {
		if e.key != key {
			continue
		}
		if v.overridden() != nil && !e.overridden.Load() {
			e.overridden.Store(true) // before it is seen
		}
		if !e.seen.Load() {
			e.seen.Store(true)
		}
	}
}

// ExposureInfo is the first evaluation of a flag by one request. Its strings are
// copies, so it may be kept.
type ExposureInfo struct {
	Key      string // the flag's
	Variant  string // the variant's name; empty if the caller's default won
	Reason   Reason // what decided
	Rule     int    // index of the rule that decided, or -1
	Revision uint64 // of the snapshot that decided
	Subject  string // the subject's key; empty if it has none
	Unit     uint64 // as in a Decision: whom to count by, where a ramp or split is by an attribute
	// Overridden says that the view overrides a flag, be it this one or another, as a
	// tester's does: leave it out of statistics.
	Overridden bool
	// Context is the one that the request's view was first put into, where tracing
	// finds its span; it does not carry the view. It is never nil.
	Context context.Context
}

// teller tells of the flags that a view and those made from it evaluate, each once.
type teller struct {
	on      func(ExposureInfo)
	told    atomic.Pointer[told]
	context atomic.Pointer[context.Context]
}

// told is a flag that was told of, in a tree, for one request may ask for thousands.
type told struct {
	key  string
	next [4]atomic.Pointer[told] // by two bits of the key's hash
}

var seed = maphash.MakeSeed()

// teller is the view's, or nil.
func (v *View) teller() *teller {
	if v == nil || v.extra == nil {
		return nil
	}
	return v.extra.teller
}

// began notes the first context.
func (t *teller) began(ctx context.Context) {
	if t != nil {
		first := ctx // so that other views' contexts stay off the heap
		t.context.CompareAndSwap(nil, &first)
	}
}

// first says whether a flag is to be told of, to one caller.
func (t *teller) first(key string) bool {
	at, hash := &t.told, maphash.String(seed, key)
	for {
		other := at.Load()
		switch {
		case other == nil:
			if at.CompareAndSwap(nil, &told{key: key}) {
				return true
			}
		case other.key == key:
			return false
		default:
			at, hash = &other.next[hash&3], bits.RotateLeft64(hash, -2)
		}
	}
}

// tell contains panics: the request goes on.
func (t *teller) tell(info ExposureInfo) {
	defer func() {
		if p := recover(); p != nil {
			slog.Default().Error("flags: OnExposure panicked", "panic", p, "flag", info.Key, "stack", string(debug.Stack()))
		}
	}()
	info.Key, info.Variant, info.Subject = strings.Clone(info.Key), strings.Clone(info.Variant), strings.Clone(info.Subject)
	info.Context = context.Background()
	if ctx := t.context.Load(); ctx != nil {
		info.Context = *ctx
	}
	t.on(info)
}
