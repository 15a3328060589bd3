package flag

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// Change says who changed a flag at run time, and why. Both are required.
type Change struct {
	Actor  string `json:"actor"`  // who
	Reason string `json:"reason"` // why
	// Revision, if it is not zero, is what the change was decided by, a
	// [Status.Revision] for example: if the flag has changed after it, at run time or
	// by a document, nothing changes and the error is [ErrConflict]. What a document
	// says of a flag is its definition and its place in its layer; that of the segments
	// and the flags it names does not count, nor does a variable of the environment.
	// Revisions go up by one from the microsecond of the clock in which the store was
	// made, and from above those that [Options.State] has seen; so whoever saw the flag
	// before a restart, or in another process, gets ErrConflict, too.
	Revision uint64 `json:"revision,omitzero"`
}

func (c Change) check() error {
	if c.Actor == "" || c.Reason == "" {
		return fmt.Errorf("found actor %q and reason %q, want both", c.Actor, c.Reason)
	}
	return nil
}

// ChangeInfo is a change that was made at run time.
type ChangeInfo struct {
	Op       string `json:"op"`           // "create", "put", "set ramp", "advance", "override", "toggle", "kill", "revive", "rebalance" or "clear"
	Key      string `json:"key"`          // the flag's
	To       string `json:"to,omitempty"` // the share, variant or state that it was changed to; empty if Op says it all
	Change   Change `json:"change"`       // who made it, and why
	Revision uint64 `json:"revision"`     // of the first snapshot that has it
}

// newest is the newest change of a flag, be it by a document.
type newest struct {
	change   Change // without a revision
	revision uint64
	at       time.Time
}

// changed returns the newest change of a flag. It is called with mu held.
func (s *Store) changed(key string) newest {
	if n := s.changes[key]; n != nil {
		return *n
	}
	return s.first
}

// compare is the comparison before a change; it is called with mu held.
func (s *Store) compare(op, key string, change Change) error {
	last := s.changed(key)
	switch {
	case change.Revision > s.revision:
		return &Error{Op: op, Key: key, Revision: last.revision, Err: fmt.Errorf("%w: revision %d has not been yet, the newest is %d", ErrConflict, change.Revision, s.revision)}
	case change.Revision != 0 && change.Revision < last.revision:
		return &Error{Op: op, Key: key, Revision: last.revision, Err: fmt.Errorf("%w: %s changed it at revision %d, after %d: %s", ErrConflict, last.change.Actor, last.revision, change.Revision, last.change.Reason)}
	}
	return nil
}

// note makes a change the newest of a flag, and remembers whom to tell. It is called
// with mu held, after the change was published.
func (s *Store) note(op, key, to string, change Change) {
	by := Change{Actor: change.Actor, Reason: change.Reason}
	at := time.Now()
	over, overlaid := s.overlay[key]
	if overlaid {
		at = over.at // as a restart will know it
	}
	if overlaid || s.snapshot().has(key) {
		s.noted(key, &newest{by, s.revision, at})
	} else {
		delete(s.changes, key) // it was aside
	}
	s.untold = append(s.untold, ChangeInfo{op, key, to, change, s.revision})
}

func (s *Store) noted(key string, n *newest) {
	if s.changes == nil {
		s.changes = map[string]*newest{}
	}
	s.changes[key] = n
}

// tell tells of all changes that nobody was told of yet, one at a time, in their
// order. Whoever changes something while another is told leaves it to that call, so
// that OnChange can change flags itself.
func (s *Store) tell() {
	for {
		s.mu.Lock()
		if s.telling || len(s.untold) == 0 {
			s.mu.Unlock()
			return
		}
		info := s.untold[0]
		if s.untold = s.untold[1:]; len(s.untold) == 0 {
			s.untold = nil
		}
		s.telling = true
		s.mu.Unlock()
		s.tellOf(info)
	}
}

// tellOf contains panics, and ends whatever OnChange does.
func (s *Store) tellOf(info ChangeInfo) {
	defer func() {
		s.mu.Lock()
		s.telling = false
		s.mu.Unlock()
	}()
	defer func() {
		if p := recover(); p != nil {
			slog.Default().Error("flags: OnChange panicked", "panic", p, "op", info.Op, "flag", info.Key)
		}
	}()
	if s.options.OnChange != nil {
		s.options.OnChange(info)
		return
	}
	level := slog.LevelInfo
	if info.Op == opKill || info.Op == opRevive {
		level = slog.LevelWarn
	}
	slog.Default().LogAttrs(context.Background(), level, "flags: changed at run time", info.LogValue().Group()...)
}
