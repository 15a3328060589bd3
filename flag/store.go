package flag

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Store holds the flags that serve now: the newest good document, with what was
// changed at run time laid over it. Readers take no lock; changes are seen by
// everybody when the call that made them returns. The nil and the zero Store give
// defaults.
type Store struct {
	source  Source
	options Options
	now     atomic.Pointer[Set]
	running atomic.Bool

	loading     sync.Mutex // held while a document is read and accepted, so that an older one never wins
	mu          sync.Mutex // guards what follows, and every write to now
	document    *Set       // what documents say, without overlay
	overlay     map[string]overlay
	revision    uint64
	last        string // what the source said last, if known
	known       bool
	retry       bool    // whether what it said may be right by now
	counts      *counts // with room for more flags
	declared    int     // how many flags were declared then
	err         error   // what was wrong with it
	quarantined []string
}

// Options tune a Store. Every zero is right for most.
type Options struct {
	// Every is how often Run asks the source. Zero means once a second.
	Every time.Duration
	// OnLoad is told of every document that was loaded or refused, outside any
	// lock. Nil logs what Run finds to slog's default logger.
	OnLoad func(LoadInfo)
	// Strict refuses a document as a whole if anything in it is wrong. Otherwise
	// only the flags with a problem, and those that depend on them, stay as they
	// were.
	Strict bool
	// NoCounts does without [Status.Counts], which saves about two nanoseconds an
	// evaluation.
	NoCounts bool
}

// LoadInfo says how a document fared.
type LoadInfo struct {
	Source   string // the source's name
	Revision uint64 // of the snapshot that serves now
	Err      error  // what is wrong with the document; nil if all of it serves
	// Quarantined are the keys of the flags that go on serving what they did before,
	// or their callers' defaults if that is nothing.
	Quarantined []string
	// Refused says that the document changed nothing.
	Refused bool
}

// New returns a store that will follow the source. It loads nothing yet.
func New(source Source, options Options) *Store {
	return &Store{source: source, options: options}
}

// Open returns a store that follows a file, with the document loaded. The error
// lists everything that is wrong with it; what is right with it serves all the same.
func Open(path string) (*Store, error) {
	store := New(File(path), Options{})
	return store, store.Load(context.Background())
}

// Load reads the document once. The error is everything that is wrong with it;
// errors.As finds the [Problems]. Flags without a problem serve what it says; the
// others, or all of them if it cannot be read or the store is Strict, go on as they
// were.
func (s *Store) Load(ctx context.Context) error {
	if s == nil || s.source == nil {
		return &Error{"load", "document", errNoSource}
	}
	info, _ := s.load(ctx)
	return info.Err
}

// load tells of news outside the locks.
func (s *Store) load(ctx context.Context) (LoadInfo, bool) {
	info, news := s.read(ctx)
	if news && s.options.OnLoad != nil {
		s.options.OnLoad(info)
	}
	return info, news
}

func (s *Store) read(ctx context.Context) (LoadInfo, bool) {
	s.loading.Lock()
	defer s.loading.Unlock()
	data, err := s.source.Read(ctx)
	if ctx.Err() != nil && err != nil {
		return LoadInfo{Err: err}, false
	}
	return s.accept(data, err)
}

// Run follows the source until the context is cancelled, and then returns nil. A
// second Run at the same time is [ErrRunning].
func (s *Store) Run(ctx context.Context) error {
	if s == nil || s.source == nil {
		return &Error{"run", "document", errNoSource}
	}
	if !s.running.CompareAndSwap(false, true) {
		return &Error{"run", s.name(), ErrRunning}
	}
	defer s.running.Store(false)
	every := s.options.Every
	if every <= 0 {
		every = time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			s.follow(ctx)
		}
	}
}

// follow loads once for Run, which has nobody to return an error to.
func (s *Store) follow(ctx context.Context) {
	wrong := s.Err() != nil
	info, news := s.load(ctx)
	switch {
	case !news || ctx.Err() != nil || s.options.OnLoad != nil:
	case info.Err == nil:
		if wrong {
			slog.Default().Info("flags: the document is right again")
		}
	case info.Refused:
		slog.Default().Error("flags: document refused, the last good one goes on serving", "error", info.Err)
	default:
		slog.Default().Error("flags: some are quarantined and stay as they were", "flags", info.Quarantined, "error", info.Err)
	}
}

// Err is what was wrong with the newest document, or nil if it serves.
func (s *Store) Err() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *Store) snapshot() *Set {
	if s == nil {
		return nil
	}
	return s.now.Load()
}

func (s *Store) name() string {
	if named, ok := s.source.(fmt.Stringer); ok {
		return named.String()
	}
	return "document"
}

// accept makes serve what is right with the document, and keeps what is wrong with
// it. It says whether there is news. It is called with loading held.
func (s *Store) accept(data []byte, err error) (LoadInfo, bool) {
	s.mu.Lock()
	same := err == nil && s.known && string(data) == s.last
	if same && !s.retry && s.declared == declared() {
		defer s.mu.Unlock()
		return LoadInfo{Source: s.name(), Revision: s.revision, Err: s.err, Quarantined: s.quarantined}, false
	}
	s.known, s.retry = err == nil, false
	s.mu.Unlock()
	var found reading
	count := declared()
	if err == nil {
		found = read(data) // without the lock, so that whoever kills a flag does not wait
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var set *Set
	var quarantined []string
	if err == nil {
		s.declared, s.last = count, found.text
		set, quarantined, err = s.settle(found)
	}
	if err != nil {
		err = &Error{"load", s.name(), err}
	}
	news := (s.err == nil) != (err == nil) || !same && set != nil
	if s.err != nil && err != nil && s.err.Error() == err.Error() {
		err = s.err
	} else if err != nil {
		news = true
	}
	s.err = err
	if set == nil {
		return LoadInfo{s.name(), s.revision, err, s.quarantined, true}, news
	}
	s.document, s.quarantined = set, quarantined
	s.publish()
	return LoadInfo{s.name(), s.revision, err, quarantined, false}, news
}

// settle returns no set if nothing of the document can serve.
func (s *Store) settle(found reading) (*Set, []string, error) {
	c, problems := found.compilation, found.problems
	if found.unfit {
		return nil, nil, problems
	}
	for key, over := range s.overlay {
		at := jsontree.Join("flags", key)
		var misfit string
		if _, there := c.doc.Flags[key]; !there {
			misfit = fmt.Sprintf("missing, but %s changed it at run time (%s): clear it first", over.change.Actor, over.change.Reason)
		} else if f := c.good[key]; f != nil {
			if _, err := over.apply(f); err != nil {
				misfit = fmt.Sprintf("%v: %s changed it at run time (%s)", err, over.change.Actor, over.change.Reason)
			}
		}
		if misfit != "" {
			// Dropping what an operator or a guard set would be worse than keeping the flag.
			p := Problem{Path: at, Text: misfit}
			c.problems[at] = append(c.problems[at], p)
			problems = append(problems, p)
		}
	}
	problems.locate(found.root)
	if s.options.Strict && len(problems) > 0 {
		return nil, nil, problems
	}
	set, quarantined := c.settle(s.document)
	s.count(set)
	return set, quarantined, problems.err()
}

// count gives every flag its counters: those that it had, unless its variants have
// changed.
func (s *Store) count(set *Set) {
	if s.options.NoCounts {
		return
	}
	for key, f := range set.flags() {
		if f.counts != nil {
			continue // it is the same as before
		}
		var before *compiled
		if s.document != nil {
			if h := s.document.header(key); h != nil {
				before = h.flag
			}
		}
		if before != nil && slices.Equal(before.names, f.names) {
			f.tally, f.past = before.tally, before.past
		} else {
			f.past = before.history()
			if i := slices.IndexFunc(f.past, func(was formerly) bool { return slices.Equal(was.names, f.names) }); i >= 0 {
				f.tally = f.past[i].tally
				f.past = slices.Delete(f.past, i, i+1)
			} else {
				s.counts, f.first = s.counts.take(len(f.names) + 1)
				f.counts = s.counts
			}
		}
		set.put(key, f)
	}
}

// publish lays the overlay over the document and makes the result serve.
func (s *Store) publish() {
	next := s.document
	for key, over := range s.overlay {
		h := next.header(key)
		if h == nil {
			continue // its definition has always been broken
		}
		// It fits: a document or a change that makes it misfit was refused.
		if changed, err := over.apply(h.flag); err == nil {
			next = next.with(key, changed)
		}
	}
	s.serve(next)
}

// serve makes a set serve under the next revision.
func (s *Store) serve(set *Set) {
	s.revision++
	next := *set
	next.revision = s.revision
	s.now.Store(&next)
}
