package flag

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
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

	loading  sync.Mutex // held while a document is read and accepted, so that an older one never wins
	mu       sync.Mutex // guards what follows, and every write to now
	document *Set       // the newest good document, without overlay
	overlay  map[string]overlay
	revision uint64
	last     []byte // what the source said last
	declared int    // how many flags were declared then
	err      error  // what was wrong with it
}

// Options tune a Store. Every zero is right for most.
type Options struct {
	// Every is how often Run asks the source. Zero means once a second.
	Every time.Duration
	// OnLoad is told of every document that was loaded or refused, outside any
	// lock. Nil logs those that Run refuses to slog's default logger.
	OnLoad func(LoadInfo)
}

// LoadInfo says how a document fared.
type LoadInfo struct {
	Source   string // the source's name
	Revision uint64 // of the snapshot that serves now
	Err      error  // why the document was refused; nil if it serves
}

// New returns a store that will follow the source. It loads nothing yet.
func New(source Source, options Options) *Store {
	return &Store{source: source, options: options}
}

// Open returns a store that follows a file, with the document loaded. The error
// lists everything that is wrong with it.
func Open(path string) (*Store, error) {
	store := New(File(path), Options{})
	return store, store.Load(context.Background())
}

// Load reads the document once. If it is refused, the last good one goes on
// serving and the error says why; errors.As finds the [Problems].
func (s *Store) Load(ctx context.Context) error {
	if s.source == nil {
		return &Error{"load", "document", errors.New("the store has no source")}
	}
	info, news := s.read(ctx)
	if news && s.options.OnLoad != nil {
		s.options.OnLoad(info)
	}
	return info.Err
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
	before := s.Err()
	err := s.Load(ctx)
	if err != nil && err != before && ctx.Err() == nil && s.options.OnLoad == nil {
		slog.Default().Error("flags: document refused, the last good one goes on serving", "error", err)
	}
}

// Err is what was wrong with the newest document, or nil if it serves.
func (s *Store) Err() error {
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

// accept makes the document serve, or keeps what is wrong with it. It says
// whether that is news.
func (s *Store) accept(data []byte, err error) (LoadInfo, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && s.last != nil && bytes.Equal(data, s.last) && s.declared == declared() {
		return LoadInfo{s.name(), s.revision, s.err}, false
	}
	var set *Set
	if err == nil {
		s.last, s.declared = bytes.Clone(data), declared()
		set, err = s.compile(data)
	} else {
		s.last = nil
	}
	if err != nil {
		err = &Error{"load", s.name(), err}
		if s.err != nil && s.err.Error() == err.Error() {
			return LoadInfo{s.name(), s.revision, s.err}, false
		}
		s.err = err
		return LoadInfo{s.name(), s.revision, err}, true
	}
	s.err, s.document = nil, set
	s.publish()
	return LoadInfo{s.name(), s.revision, nil}, true
}

// compile also refuses a document that the overlay no longer fits: dropping what
// an operator or a guard set would be worse than keeping the old document.
func (s *Store) compile(data []byte) (*Set, error) {
	set, root, problems := read(data)
	if len(problems) > 0 {
		return nil, problems
	}
	for key, over := range s.overlay {
		if f := set.byKey[key]; f == nil {
			problems.add(jsontree.Join("flags", key), "missing, but %s changed it at run time (%s): clear it first", over.change.Actor, over.change.Reason)
		} else if _, err := over.apply(f); err != nil {
			problems.add(jsontree.Join("flags", key), "%v", err)
		}
	}
	if len(problems) > 0 {
		problems.locate(root)
		return nil, problems
	}
	return set, nil
}

// publish lays the overlay over the document and makes the result serve.
func (s *Store) publish() {
	s.revision++
	next := &Set{byKey: maps.Clone(s.document.byKey), revision: s.revision}
	for key, over := range s.overlay {
		// It fits: a document or a change that makes it misfit was refused.
		if changed, err := over.apply(next.byKey[key]); err == nil {
			next.byKey[key] = changed
		}
	}
	next.index()
	s.now.Store(next)
}
