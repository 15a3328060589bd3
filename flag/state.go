package flag

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"
)

// state is the store's file of what it keeps over restarts, [Options.State].
type state struct {
	mu    sync.Mutex // guards the rest, is held while the file is written, and taken before Store.mu
	ready bool       // whether what was in the file is known, so that it may be replaced
	saved uint64     // the revision that the file has
	laid  [2]string  // remains.laid of the file as it was read or written, and as it was tried to be written last
	err   error      // why it has not the newest one; guarded by Store.mu, so that nobody waits for the disk
	fault fault      // nil except in tests
}

var errUnread = errors.New("what it has was not read yet, want Load first")

// remains is what is to be kept now; it is called with mu held.
func (s *Store) remains() remains {
	r := remains{Revision: s.revision, Source: s.name(), At: s.textAt, Changes: make(map[string]remnant, len(s.overlay))}
	for _, e := range s.earlier {
		r.Earlier, r.texts = append(r.Earlier, len(e.text)), append(r.texts, e.text)
	}
	r.texts = append(r.texts, s.text)
	for key, over := range s.overlay {
		left := remnant{
			Killed: over.killed, Override: over.variant, Disabled: over.disabled, Ramp: over.ramp,
			By: over.laid(), Actor: over.change.Actor, Reason: over.change.Reason, At: over.at,
		}
		if over.put != nil {
			left.Put = json.RawMessage(over.put.text)
		}
		r.Changes[key] = left
	}
	return r
}

// restore makes serve what an earlier process kept, before the source is asked for the
// first time. It is called with loading held, and says what is wrong with the file.
func (s *Store) restore() error {
	path := s.options.State
	if path == "" || s.state.restored() {
		return nil
	}
	path, err := behind(path)
	kept := remains{}
	if err == nil {
		removeTemps(path)
		kept, err = readState(path)
	}
	switch {
	case errors.Is(err, ErrDamaged):
		if name, wrong := setAside(path); wrong != nil {
			err = errors.Join(err, wrong)
		} else {
			defer s.begin(s.blank(), unchanged)
			return fmt.Errorf("%w: it is kept as %s, and begun anew", err, name)
		}
	case errors.Is(err, fs.ErrNotExist):
		s.begin(s.blank(), unchanged)
		return nil
	case err == nil:
		s.begin(s.resume(kept), kept.laid)
		return nil
	}
	s.unkeep(err)
	return err
}

func (st *state) restored() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.ready
}

// begin allows the file to be replaced, which has a revision, or none.
func (s *Store) begin(saved uint64, laid string) {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	s.state.ready, s.state.saved, s.state.laid = true, saved, [2]string{laid, laid}
	s.unkeep(nil)
}

// blank is the revision if there is nothing to keep of it yet, or zero.
func (s *Store) blank() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.document != nil || len(s.overlay) > 0 {
		return 0
	}
	return s.revision
}

func (s *Store) unkeep(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.err = err
}

// resume lays what was kept over the documents that were. It returns the revision that
// then serves, or zero if that is more than what was kept.
func (s *Store) resume(kept remains) uint64 {
	s.mu.Lock()
	s.revision = max(s.revision, kept.Revision) // the clock may have been set back
	for key, left := range kept.Changes {
		newer, is := s.overlay[key]
		if is && newer.has() != [laidKinds]bool{laidKill: true} {
			continue
		}
		over := overlay{
			killed: left.Killed, variant: left.Override, disabled: left.Disabled, ramp: left.Ramp,
			change: Change{Actor: left.Actor, Reason: left.Reason}, at: left.At,
		}
		if left.Put != nil {
			over.put = readDefinition(key, left.Put)
		}
		over.signed(left.By)
		if is { // it was killed before it was known what lies there
			over.killed, over.by[laidKill], over.change, over.at = true, newer.by[laidKill], newer.change, newer.at
		}
		s.keep(key, over)
	}
	texts, late := kept.texts, s.document != nil
	switch {
	case s.source == nil:
		texts = []string{emptyDocument}
	case late: // the file could be read only after a newer document, which goes on serving
		texts, s.retry = []string{s.text}, true
	}
	s.mu.Unlock()
	var info LoadInfo
	for _, text := range texts {
		if text != "" {
			info, _ = s.accept([]byte(text), nil)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !late {
		s.misfits = info.Err
	}
	for key := range kept.Changes {
		over := s.overlay[key]
		s.noted(key, &newest{over.change, s.revision, over.at})
	}
	switch {
	case s.document == nil: // there was none, or none of it compiles any more
		s.text, s.textAt = texts[len(texts)-1], kept.At
	case s.source != nil && !late:
		s.textAt, s.restored = kept.At, kept.At
	}
	more := late || len(s.overlay) != len(kept.Changes) // made in this process, before or meanwhile
	for key, over := range s.overlay {
		more = more || !over.at.Equal(kept.Changes[key].At)
	}
	if more {
		return 0
	}
	return s.revision
}

// instead says of a source's error what serves in its place: the document that an
// earlier process kept, and what is wrong with that.
func (s *Store) instead(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.restored.IsZero():
		err = fmt.Errorf("%w; what serves is the document of %s, as %s has it", err, s.restored.UTC().Format(time.RFC3339), s.options.State)
	case s.document == nil && s.misfits != nil:
		err = fmt.Errorf("%w; the document that %s has serves no more", err, s.options.State)
	default:
		return err
	}
	var problems Problems
	if errors.As(s.misfits, &problems) {
		err = fmt.Errorf("%w; %w", err, problems)
	}
	return err
}

// stored keeps what a load has brought, and adds to its news what is wrong with that,
// and with the file before. It is called with loading held.
func (s *Store) stored(info LoadInfo, news bool, wrong error) (LoadInfo, bool) {
	if s.options.State == "" {
		return info, news
	}
	if s.state.restored() {
		wrong = errors.Join(wrong, s.save())
	}
	text := ""
	if wrong != nil {
		wrong = &Error{Op: "keep", Key: s.options.State, Err: wrong}
		text = wrong.Error()
	}
	news, s.told = news || text != s.told, text
	info.Err = joined(info.Err, wrong)
	return info, news
}

// joined is errors.Join that leaves a single error as it is.
func joined(a, b error) error {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return errors.Join(a, b)
}

// unkept is why the file has not what serves, or nil.
func (s *Store) unkept() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.err
}

// finish ends a change at run time that serves already, unless it was refused: first it
// is made to last, and then it is told, which may take long.
func (s *Store) finish(op, key string, refused error) error {
	s.rouse()
	if refused != nil {
		s.tell() // what others have left
		return refused
	}
	err := s.kept(op, key)
	s.tell()
	return err
}

// kept makes a change at run time last that serves already.
func (s *Store) kept(op, key string) error {
	if s.options.State == "" {
		return nil
	}
	if err := s.save(); err != nil {
		return &Error{Op: op, Key: key, Err: fmt.Errorf("%w in %s: %w", ErrNotKept, s.options.State, err)}
	}
	return nil
}

// save writes what serves, unless the file has it. Of several at once the first writes
// for those that wait.
func (s *Store) save() error {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	if !s.state.ready {
		return cmp.Or(s.unkept(), errUnread)
	}
	s.mu.Lock()
	revision, remains := s.revision, remains{}
	if revision != s.state.saved {
		remains = s.remains()
	}
	s.mu.Unlock()
	if revision == s.state.saved {
		return nil
	}
	data, err := remains.seal()
	if err == nil {
		err = s.state.shared(s.options.State)
	}
	if err == nil {
		s.state.laid[1] = remains.laid
		err = writeState(s.options.State, data, s.state.fault)
	}
	if s.unkeep(err); err == nil {
		s.state.saved, s.state.laid[0] = revision, remains.laid
	}
	return err
}

// shared says whether to replace the file would lose what was changed in another store.
// Its document does not count: that comes from the source. It is called with mu held.
func (st *state) shared(path string) error {
	switch is, err := readState(path); {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrDamaged):
		return nil // it has nothing to lose
	case err != nil:
		return err
	case is.laid != unchanged && !slices.Contains(st.laid[:], is.laid):
		return fmt.Errorf("%w, and has kept there what was changed since: give each store a file of its own, or start this one anew, which reads that", ErrShared)
	}
	return nil
}
