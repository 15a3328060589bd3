package flag

import (
	"fmt"
	"maps"
)

// Snapshot returns the set that serves now, or nil if there is none yet.
func (s *Store) Snapshot() *Set { return s.snapshot() }

// Preview returns the set that would serve after some changes. The edit makes them to
// a copy of the store that has the same document and the same overlay, and follows no
// source; nobody is told of them, and the store itself stays as it is. An error of the
// edit is returned as it is. Evaluations of the set are not counted.
func (s *Store) Preview(edit func(*Store) error) (*Set, error) {
	if s == nil || s.snapshot() == nil && s.source != nil {
		return nil, &Error{Op: "preview", Key: "document", Err: errNoDocument}
	}
	preview := s.copied()
	if err := edit(preview); err != nil {
		return nil, err
	}
	return preview.snapshot(), nil
}

// PreviewDocument returns the set that would serve after a [Store.Load] of a document,
// and everything that is wrong with that, as Load would: what was changed at run time
// lies over it, flags with a problem stay as they are, and if it would be refused, the set
// is as the one that serves now, or nil. The store itself stays as it is, and nobody is
// told. Evaluations of the set are not counted. A store that keeps a state must have been
// loaded once.
func (s *Store) PreviewDocument(data []byte) (*Set, error) {
	switch {
	case s == nil:
		return nil, &Error{Op: "preview", Key: "document", Err: errNoDocument}
	case s.snapshot() == nil && s.options.State != "" && !s.state.restored():
		return nil, &Error{Op: "preview", Key: "document", Err: fmt.Errorf("%s: %w", s.options.State, errUnread)}
	}
	preview := s.copied()
	info, _ := preview.accept(data, nil)
	return preview.snapshot(), info.Err
}

// copied returns a store with the same document and the same overlay, of which nobody
// else has anything.
func (s *Store) copied() *Store {
	s.compiling.Lock()
	s.mu.Lock()
	preview := &Store{
		options:  Options{Strict: s.options.Strict, Env: s.options.Env, NoCounts: true, OnChange: func(ChangeInfo) {}},
		env:      s.env,
		document: s.document, text: s.text, quarantined: s.quarantined, problems: s.problems,
		overlay: maps.Clone(s.overlay), revision: s.revision, first: s.first, changes: maps.Clone(s.changes),
	}
	s.mu.Unlock()
	s.compiling.Unlock()
	preview.uncount()
	return preview
}

// uncount takes the counters from a store that nobody else has yet, and makes it serve.
func (s *Store) uncount() {
	if s.document == nil {
		return
	}
	flags := s.document.flags()
	for key, f := range flags {
		flags[key] = f.uncounted()
	}
	set := newSet(flags)
	set.dropped, set.layers = s.document.dropped, s.document.layers
	s.document = set
	s.revision-- // serve counts this one again
	s.serve(s.laid(set))
}
