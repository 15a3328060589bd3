package flag

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	opKill   = "kill"
	opRevive = "revive"
)

// SetRamp lays a ramp over the flag's own, with a schedule or without. An empty Serve,
// Salt or By keeps what serves now, so that nobody changes sides. When SetRamp
// returns, every new evaluation sees it.
func (s *Store) SetRamp(key string, ramp Ramp, change Change) error {
	if _, err := ramp.schedule(); err != nil {
		return &Error{Op: "set ramp", Key: key, Err: err}
	}
	ramp.Schedule = slices.Clone(ramp.Schedule)
	for i := range ramp.Schedule {
		ramp.Schedule[i].At = ramp.Schedule[i].At.UTC() // JSON cannot write every zone
	}
	return s.change("set ramp", key, laidRamp, change, func(o *overlay, _ *compiled) (string, error) {
		o.lay(ramp)
		return ramp.to(), nil
	})
}

// lay keeps what the ramp before it says, and this one does not.
func (o *overlay) lay(ramp Ramp) {
	if before := o.ramp; before != nil {
		ramp.Serve, ramp.Salt, ramp.By = cmp.Or(ramp.Serve, before.Serve), cmp.Or(ramp.Salt, before.Salt), cmp.Or(ramp.By, before.By)
	}
	o.ramp = &ramp
}

func (r Ramp) to() string {
	if r.Schedule != nil {
		return fmt.Sprintf("%v, then by schedule", r.Share)
	}
	return r.Share.String()
}

// Advance moves the flag's ramp by at most a step towards a target, from below or from
// above, and never past it. It returns the share that the ramp has then. A flag that is
// killed is [ErrConflict]: it does not climb unseen. A flag without a
// ramp is at 0 %; a ramp with a schedule is where that is now, and stays where Advance
// moves it.
func (s *Store) Advance(key string, step, target Share, change Change) (Share, error) {
	switch {
	case step <= 0:
		return 0, &Error{Op: "advance", Key: key, Err: fmt.Errorf("found a step of %v, want more than 0 %%", step)}
	case target < 0 || target > All:
		return 0, &Error{Op: "advance", Key: key, Err: fmt.Errorf("found a target of %v, want 0 to 100 %%", target)}
	}
	share := Share(0)
	err := s.change("advance", key, laidRamp, change, func(o *overlay, serves *compiled) (string, error) {
		if o.killed { // whoever advances it by the clock must not undo what a kill is for
			return "", fmt.Errorf("%w: it is killed (by %s: %s); revive it first", ErrConflict, o.by[laidKill].Change.Actor, o.by[laidKill].Change.Reason)
		}
		if d := serves.main; d != nil && d.cuts == nil {
			share = d.shareAt(time.Now().UnixNano())
		}
		if share < target {
			share += min(step, target-share)
		} else {
			share -= min(step, share-target)
		}
		o.lay(Ramp{Share: share})
		return share.String(), nil
	})
	if err != nil && !errors.Is(err, ErrNotKept) {
		return 0, err
	}
	return share, err
}

// Override serves one variant to everybody in this process, rules included, until
// [Store.Clear]; an empty variant takes that back alone. A kill wins over it.
func (s *Store) Override(key, variant string, change Change) error {
	return s.change("override", key, laidOverride, change, func(o *overlay, _ *compiled) (string, error) {
		o.variant = variant
		return variant, nil
	})
}

// Toggle disables a flag that is enabled, and enables one that is disabled, whatever
// its document says now and later, until [Store.Clear]. It says whether the flag is
// enabled now; a kill or an override wins over that.
func (s *Store) Toggle(key string, change Change) (on bool, err error) {
	err = s.change("toggle", key, laidToggle, change, func(o *overlay, serves *compiled) (string, error) {
		on = serves.disabled
		off := !on
		o.disabled = &off
		return map[bool]string{true: "enabled", false: "disabled"}[on], nil
	})
	return on && (err == nil || errors.Is(err, ErrNotKept)), err
}

// Kill is the emergency rollback: when it returns, every new evaluation serves
// Off to everybody, rules included, until [Store.Revive], [Store.Clear] or, without
// [Options.State], the end of the process. It waits for no
// document. A flag whose definition has always
// been broken leaves it to its callers' defaults, and is killed once there is a better
// one. So it is before the first document has loaded, for a flag that code declares, and
// where a document of a strict store drops the flag: the kill waits until one has it. If a guarded rollout moves the
// flag, that is over: its ramp goes back, and stays back after a restart.
func (s *Store) Kill(key string, change Change) error {
	return s.change(opKill, key, laidKill, change, func(o *overlay, _ *compiled) (string, error) {
		o.killed = true
		return "", nil
	})
}

// Revive takes back a kill alone. Where there is none it changes nothing, and nobody is
// told.
func (s *Store) Revive(key string, change Change) error {
	return s.change(opRevive, key, laidKill, change, func(o *overlay, _ *compiled) (string, error) {
		o.killed = false
		return "", nil
	})
}

// change makes a change that needs no compiling, and tells of it. The edit is handed
// the flag as it serves, unless its definition is broken and has never been any better.
func (s *Store) change(op, key string, what int, change Change, edit func(*overlay, *compiled) (to string, err error)) error {
	if s == nil {
		return &Error{Op: op, Key: key, Err: errNoDocument}
	}
	return s.finish(op, key, s.lay(op, key, what, change, edit))
}

func (s *Store) lay(op, key string, what int, change Change, edit func(*overlay, *compiled) (string, error)) error {
	if err := change.check(); err != nil {
		return &Error{Op: op, Key: key, Err: err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	over, aside := s.overlay[key]
	f, serves := s.document.defined(key), &compiled{}
	switch {
	case f != nil:
		serves = s.snapshot().defined(key)
	case s.document.has(key) || aside:
	case s.document != nil:
		return &Error{Op: op, Key: key, Err: ErrNotFound}
	case op != opKill || s.source == nil:
		return &Error{Op: op, Key: key, Err: errNoDocument}
	case len(declaredAs(key)) == 0: // it may be a slip of the pen
		return &Error{Op: op, Key: key, Err: fmt.Errorf("%w, and before that only a flag that code declares can be killed", errNoDocument)}
	}
	if err := s.compare(op, key, change); err != nil {
		return err
	}
	to, err := edit(&over, serves)
	if err != nil {
		return &Error{Op: op, Key: key, Err: err}
	}
	if op == opRevive && over == s.overlay[key] {
		return nil // nobody has killed it
	}
	over.sign(what, change, time.Now())
	next := s.snapshot()
	bare := s.overlay[key] // more than a kill, if an earlier process laid it there
	bare.killed, bare.by, bare.change, bare.at = over.killed, over.by, over.change, over.at
	switch {
	case f == nil && over != bare && !over.empty() && !s.document.has(key):
		return &Error{Op: op, Key: key, Err: fmt.Errorf("%w; what waits for it can be killed, revived and cleared", ErrNotFound)}
	case f == nil && over != bare && !over.empty():
		return &Error{Op: op, Key: key, Err: errors.New("its definition is broken and has never been any better, so there is nothing to serve; it can be killed")}
	case f == nil && next == nil: // it waits for the first document
	case f == nil:
		again := *next
		again.planned = s.revision + 1 // so that watchers see who changed it
		next = &again
	case over.empty():
		bare := *f // another one, even if nothing lay over it, so that watchers see who changed it
		next = next.with(map[string]*compiled{key: &bare})
	default:
		changed, err := over.apply(f)
		if err != nil {
			return &Error{Op: op, Key: key, Err: err}
		}
		next = next.with(map[string]*compiled{key: changed})
	}
	s.keep(key, over)
	s.retry = s.retry || s.err != nil // a document that did not fit the overlay may fit it now
	s.serve(next)
	s.note(op, key, to, change)
	return nil
}

// keep remembers what lies over the document; it is called with mu held.
func (s *Store) keep(key string, over overlay) {
	if s.overlay == nil {
		s.overlay = map[string]overlay{}
	}
	if s.overlay[key] = over; over.empty() {
		delete(s.overlay, key)
	}
}
