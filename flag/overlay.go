package flag

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/guidon-go/guidon/internal/bucket"
)

// Change says who changed a flag at run time, and why. Both are required.
type Change struct {
	Actor  string // who
	Reason string // why
}

func (c Change) check() error {
	if c.Actor == "" || c.Reason == "" {
		return fmt.Errorf("found actor %q and reason %q, want both", c.Actor, c.Reason)
	}
	return nil
}

// overlay is what was changed of one flag; it wins over the document.
type overlay struct {
	killed  bool
	variant string
	ramp    *Ramp
	change  Change
}

// apply returns a copy of the flag with the overlay laid over it.
func (o overlay) apply(f *compiled) (*compiled, error) {
	out := *f
	out.killed = o.killed
	if o.variant != "" {
		i, ok := slices.BinarySearch(f.names, o.variant)
		if !ok {
			return nil, fmt.Errorf("unknown variant %q, want one of %q", o.variant, f.names)
		}
		out.override = int32(i)
	}
	if o.ramp == nil {
		return &out, nil
	}
	over := draw{serve: f.yes, salt: f.salt, layer: f.linked().place}
	if f.main != nil && f.main.cuts != nil {
		return nil, errors.New("has a split, over which no ramp can lie")
	} else if f.main != nil {
		over.serve, over.salt, over.by, over.lane = f.main.serve, f.main.salt, f.main.by, f.main.lane
	}
	if o.ramp.Serve != "" {
		i, ok := slices.BinarySearch(f.names, o.ramp.Serve)
		if !ok {
			return nil, fmt.Errorf("unknown variant %q, want one of %q", o.ramp.Serve, f.names)
		}
		over.serve = int32(i)
	}
	switch {
	case over.serve < 0:
		return nil, fmt.Errorf("a ramp must name its variant, want one of %q", f.names)
	case over.serve == f.serve && o.ramp.Share < All:
		return nil, fmt.Errorf("serves %q to everybody, so a ramp to it at %v would mean nothing", f.names[over.serve], o.ramp.Share)
	}
	if o.ramp.Salt != "" && o.ramp.Salt != over.salt || over.lane == 0 {
		over.salt = cmp.Or(o.ramp.Salt, over.salt)
		over.lane = bucket.Lane(over.salt, bucket.Ramp)
	}
	if o.ramp.By != "" {
		over.by = attribute(o.ramp.By)
	}
	over.setShare(o.ramp.Share)
	out.main = &over
	out.exits = slices.Clone(f.exits)
	out.exits[exitServe].draw, out.exits[exitServe].reason = &over, ReasonRamp
	return &out, nil
}

// Status is one flag as it serves now.
type Status struct {
	Key         string            // the flag's
	Disabled    bool              // by its document
	Killed      bool              // by Kill
	Override    string            // the variant that Override serves to everybody, or empty
	Quarantined bool              // whether the newest document is wrong about it, so that an older one serves
	Ramp        Ramp              // the ramp that serves; zero if there is none
	Split       bool              // whether a split serves in a ramp's place
	Serve       string            // the variant for those whom neither rule nor ramp decides
	True        string            // the only variant that is true; empty if there is none
	Salts       []string          // of the rules' ramps
	Overlaid    bool              // whether something was changed at run time
	Change      Change            // who did, and why
	Counts      map[string]uint64 // evaluations by variant since the store has the flag, "" is the caller's default; nil if there are none. Overrides of one request, and prerequisites of other flags, do not count
	Revision    uint64            // of the snapshot that serves
}

// Status returns a flag as it serves now, or [ErrNotFound].
func (s *Store) Status(key string) (Status, error) {
	if s.snapshot() == nil {
		return Status{}, &Error{"status", key, errNoDocument}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	set := s.snapshot()
	h := set.header(key)
	over, overlaid := s.overlay[key]
	switch {
	case h == nil && set.dropped[key]:
		return Status{Key: key, Quarantined: true, Killed: over.killed, Overlaid: overlaid, Change: over.change, Revision: set.revision}, nil
	case h == nil:
		return Status{}, &Error{"status", key, ErrNotFound}
	}
	f := h.flag
	st := Status{
		Key: key, Disabled: f.disabled, Killed: f.killed, Overlaid: overlaid, Change: over.change, Override: over.variant,
		Serve: f.name(f.serve), True: f.name(f.yes), Counts: f.total(), Revision: set.revision,
		Quarantined: slices.Contains(s.quarantined, key),
	}
	for _, e := range f.exits {
		if e.rule >= 0 && e.draw != nil && e.draw.cuts == nil {
			st.Salts = append(st.Salts, e.draw.salt)
		}
	}
	switch d := f.main; {
	case d == nil:
	case d.cuts != nil:
		st.Split = true
	default:
		st.Ramp = Ramp{Share: d.share, Serve: f.name(d.serve), Salt: d.salt, By: attributeName(d.by), Linear: d.schedule != nil && d.schedule.linear}
		if d.schedule != nil {
			for _, p := range d.schedule.points {
				st.Ramp.Schedule = append(st.Ramp.Schedule, Point{time.Unix(0, p.at).UTC(), p.share})
			}
		}
	}
	return st, nil
}

// All returns every flag as it serves now, in the order of their keys.
func (s *Store) All() iter.Seq[Status] {
	return func(yield func(Status) bool) {
		set := s.snapshot()
		if set == nil {
			return
		}
		for _, key := range slices.Sorted(maps.Keys(set.keys())) {
			if status, err := s.Status(key); err == nil && !yield(status) {
				return
			}
		}
	}
}

func (f *compiled) name(variant int32) string {
	if variant < 0 {
		return ""
	}
	return f.names[variant]
}

// SetRamp lays a ramp over the flag's own. An empty Serve, Salt or By keeps what
// serves now, so that nobody changes sides. It has no Schedule. When SetRamp
// returns, every new evaluation sees it.
func (s *Store) SetRamp(key string, ramp Ramp, change Change) error {
	if ramp.Schedule != nil || ramp.Linear {
		return &Error{"set ramp", key, errors.New("found schedule or linear, want a share alone: what is set at run time stays as it is")}
	}
	if ramp.Share < 0 || ramp.Share > All {
		return &Error{"set ramp", key, fmt.Errorf("found %v, want 0 to 100 %%", ramp.Share)}
	}
	return s.change("set ramp", key, change, func(o *overlay) {
		if before := o.ramp; before != nil {
			ramp.Serve, ramp.Salt, ramp.By = cmp.Or(ramp.Serve, before.Serve), cmp.Or(ramp.Salt, before.Salt), cmp.Or(ramp.By, before.By)
		}
		o.ramp = &ramp
	})
}

// Override serves one variant to everybody in this process, rules included, until
// [Store.Clear]; an empty variant takes that back alone. A kill wins over it.
func (s *Store) Override(key, variant string, change Change) error {
	return s.change("override", key, change, func(o *overlay) { o.variant = variant })
}

// Kill is the emergency rollback: when it returns, every new evaluation serves
// Off to everybody, rules included, until [Store.Clear] or the end of the process;
// to make it last, disable the flag in its document. A flag whose definition has always
// been broken leaves it to its callers' defaults, and is killed once there is a better
// one. If a guarded rollout moves the
// flag, that is over: its ramp goes back, and stays back after a restart.
func (s *Store) Kill(key string, change Change) error {
	return s.change("kill", key, change, func(o *overlay) { o.killed = true })
}

// Clear takes away everything that was laid over the flag: its document decides
// again.
func (s *Store) Clear(key string, change Change) error {
	return s.change("clear", key, change, func(o *overlay) { *o = overlay{} })
}

func (s *Store) change(op, key string, change Change, edit func(*overlay)) error {
	if err := change.check(); err != nil {
		return &Error{op, key, err}
	}
	if s.snapshot() == nil {
		return &Error{op, key, errNoDocument}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.document.header(key)
	over := s.overlay[key]
	edit(&over)
	over.change = change
	var changed *compiled
	switch {
	case h != nil:
		var err error
		if changed, err = over.apply(h.flag); err != nil {
			return &Error{op, key, err}
		}
	case !s.document.dropped[key]:
		return &Error{op, key, ErrNotFound}
	case over.ramp != nil || over.variant != "":
		return &Error{op, key, errors.New("its definition is broken and has never been any better, so there is nothing to serve; it can be killed")}
	}
	if s.overlay == nil {
		s.overlay = map[string]overlay{}
	}
	s.overlay[key] = over
	if !over.killed && over.ramp == nil && over.variant == "" {
		delete(s.overlay, key)
		if h != nil {
			changed = h.flag
		}
	}
	if s.err != nil {
		s.retry = true // a document that did not fit the overlay may fit it now
	}
	if next := s.snapshot(); changed != nil {
		s.serve(next.with(key, changed))
	} else {
		s.serve(next)
	}
	return nil
}
