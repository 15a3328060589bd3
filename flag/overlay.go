package flag

import (
	"cmp"
	"fmt"
	"slices"
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
	killed bool
	ramp   *Ramp
	change Change
}

// apply returns a copy of the flag with the overlay laid over it.
func (o overlay) apply(f *compiled) (*compiled, error) {
	out := *f
	out.killed = o.killed
	if o.ramp == nil {
		return &out, nil
	}
	serve, salt := f.yes, f.salt
	if f.ramp != nil {
		serve, salt = f.ramp.serve, f.ramp.salt
	}
	if o.ramp.Serve != "" {
		var ok bool
		if serve, ok = slices.BinarySearch(f.variants, o.ramp.Serve); !ok {
			return nil, fmt.Errorf("unknown variant %q, want one of %q: %s set a ramp to it (%s)", o.ramp.Serve, f.variants, o.change.Actor, o.change.Reason)
		}
	}
	if serve < 0 {
		return nil, fmt.Errorf("a ramp must name its variant, want one of %q", f.variants)
	}
	if serve == f.serve && o.ramp.Share < All {
		return nil, fmt.Errorf("serves %q to everybody, so a ramp to it at %v would mean nothing: %s set it (%s)", f.variants[serve], o.ramp.Share, o.change.Actor, o.change.Reason)
	}
	out.ramp = newRamp(o.ramp.Share, serve, cmp.Or(o.ramp.Salt, salt))
	return &out, nil
}

// Status is one flag as it serves now.
type Status struct {
	Key      string   // the flag's
	Disabled bool     // by its document
	Killed   bool     // by Kill
	Ramp     Ramp     // the ramp that serves; zero if there is none
	Serve    string   // the variant for those whom neither rule nor ramp decides
	True     string   // the only variant that is true; empty if there is none
	Salts    []string // of the rules' ramps
	Overlaid bool     // whether something was changed at run time
	Change   Change   // who did, and why
	Revision uint64   // of the snapshot that serves
}

// Status returns a flag as it serves now, or [ErrNotFound].
func (s *Store) Status(key string) (Status, error) {
	if s.snapshot() == nil {
		return Status{}, &Error{"status", key, errNoDocument}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	set := s.snapshot()
	f := set.byKey[key]
	if f == nil {
		return Status{}, &Error{"status", key, ErrNotFound}
	}
	over, overlaid := s.overlay[key]
	st := Status{Key: key, Disabled: f.disabled, Killed: f.killed, Overlaid: overlaid, Change: over.change, Revision: set.revision}
	if f.serve >= 0 {
		st.Serve = f.variants[f.serve]
	}
	if f.yes >= 0 {
		st.True = f.variants[f.yes]
	}
	for _, r := range f.rules {
		if r.ramp != nil {
			st.Salts = append(st.Salts, r.ramp.salt)
		}
	}
	if f.ramp != nil {
		st.Ramp = Ramp{Share: f.ramp.share, Serve: f.variants[f.ramp.serve], Salt: f.ramp.salt}
	}
	return st, nil
}

// SetRamp lays a ramp over the flag's own. An empty Serve or Salt keeps what serves
// now, so that nobody changes sides. When it returns, every new evaluation sees it.
func (s *Store) SetRamp(key string, ramp Ramp, change Change) error {
	if ramp.Share < 0 || ramp.Share > All {
		return &Error{"set ramp", key, fmt.Errorf("found %v, want 0 to 100 %%", ramp.Share)}
	}
	return s.change("set ramp", key, change, func(o *overlay) {
		if before := o.ramp; before != nil {
			ramp.Serve, ramp.Salt = cmp.Or(ramp.Serve, before.Serve), cmp.Or(ramp.Salt, before.Salt)
		}
		o.ramp = &ramp
	})
}

// Kill is the emergency rollback: when it returns, every new evaluation serves
// Off to everybody, rules included, until [Store.Clear] or the end of the process;
// to make it last, disable the flag in its document. If a guarded rollout moves the
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
	f := s.document.byKey[key]
	if f == nil {
		return &Error{op, key, ErrNotFound}
	}
	over := s.overlay[key]
	edit(&over)
	over.change = change
	if _, err := over.apply(f); err != nil {
		return &Error{op, key, err}
	}
	if s.overlay == nil {
		s.overlay = map[string]overlay{}
	}
	s.overlay[key] = over
	if !over.killed && over.ramp == nil {
		delete(s.overlay, key)
	}
	if s.err != nil {
		s.last = nil // a document that did not fit the overlay may fit it now
	}
	s.publish()
	return nil
}
