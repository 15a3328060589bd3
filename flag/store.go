package flag

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Store holds the flags that serve now: the newest good document, with what was
// changed at run time laid over it. Readers take no lock; changes are seen by
// everybody when the call that made them returns. The nil and the zero Store give
// defaults.
type Store struct {
	source  Source
	options Options
	now     atomic.Pointer[Set]
	wake    atomic.Pointer[chan struct{}] // closed when another set serves; nil if nobody waits for that
	running atomic.Bool
	born    time.Time
	reviews reviews

	// Whoever takes more than one takes them in this order.
	loading   chan struct{} // has one while a document is read and accepted, so that an older one never wins; nobody waits for that longer than its context
	compiling sync.Mutex    // held while a document is compiled and begins to serve
	mu        sync.Mutex    // guards what follows, and every write to now; nobody compiles while holding it

	// Written with compiling held, too.
	document    *Set       // what documents and Put say, without the rest of the overlay
	text        string     // the document's
	textAt      time.Time  // when it began to serve
	earlier     []outdated // those before it that some flags are still served from, the newest last
	restored    time.Time  // textAt, if an earlier process kept the document and the source has given none since
	misfits     error      // what is wrong with that
	quarantined []string
	problems    Problems // in the text, and of what lies over it
	counts      *counts  // with room for more flags

	overlay  map[string]overlay
	revision uint64
	first    newest             // the first document
	changes  map[string]*newest // of the flags that have changed since then
	untold   []ChangeInfo
	telling  bool // whether somebody is told

	last     string // what the source said last, if known
	known    bool
	retry    bool  // whether what it said may be right by now
	declared int   // how many flags were declared then
	err      error // what was wrong with it

	env   environment // written with compiling held, too
	state state
	told  string // what OnLoad was told last about the state; guarded by loading
}

// Options tune a Store. Every zero is right for most.
type Options struct {
	// Every is how often Run asks the source. Zero means once a second.
	Every time.Duration
	// OnLoad is told of every document that was loaded or refused, outside any
	// lock. Nil logs what Run finds to slog's default logger.
	OnLoad func(LoadInfo)
	// OnChange is told of every change that was made at run time, once it serves and
	// State has it (or cannot), in order and outside any lock. The call that made the
	// change tells of it before it returns, or leaves that to another that is telling
	// already; so it may change flags itself, and ought to return soon. Nil logs to
	// slog's default logger: Kill and Revive as warnings, everything else as information.
	OnChange func(ChangeInfo)
	// OnExposure is told of each flag that a request evaluates through its [View], or
	// through those made from it, once: by [Ref.In], [Ref.From] or [Ref.DecideFrom],
	// whatever decides. It is called by the goroutine that evaluates, which waits for
	// it, outside any lock, and from several at once; a panic harms nobody and is
	// logged. Nil tells nobody, and views cost less.
	OnExposure func(ExposureInfo)
	// Strict refuses a document as a whole if anything in it is wrong. Otherwise
	// only the flags with a problem, and those that depend on them, stay as they
	// were. That a document drops a flag over which something was laid at run time is
	// wrong, too, but of a strict store if that is only a kill or an override: then the
	// flag is gone and serves its callers' defaults, and what lay over it waits for a
	// document that has it again, or for Clear.
	Strict bool
	// State is the path of a file that keeps over restarts what serves: the last good
	// document, and those before it that quarantined flags still serve; and what was
	// changed at run time (kills, overrides, toggles, ramps, definitions that were
	// put), with who, why and when. Empty keeps nothing.
	//
	// The first Load reads it before it asks the source: if that is away, Load returns
	// the source's error, and the last good copy serves. Each change is in the file,
	// and synced, when its call returns; it serves before that, and also if it could
	// not be written, which is [ErrNotKept]. Whatever is wrong with the file is in
	// what Load and Err return: a damaged one is renamed ([ErrDamaged]), one that no store has
	// written is left alone, and then nothing is kept. The file has mode 0600; a symbolic
	// link stays, and the file that it leads to is replaced. It is for one store: where
	// another has kept a change there, this one leaves it alone, and says [ErrShared]; of
	// two that write in the same moment, one may still lose what it kept.
	State string
	// Env is what the names of environment variables begin with that override flags in
	// this process: with "FLAG_", FLAG_NEW_CHECKOUT=off serves the variant off of the
	// flag new-checkout to everybody, rules included. The rest of the name is the
	// flag's key in upper case, with an underscore for whatever is no letter or digit
	// of ASCII. Empty overrides nothing, as does a variable that is empty.
	//
	// Each Load looks at them. What is no flag's name, the name of several, or no
	// variant is in its error, all at once, and everything else serves. A kill, and
	// [Store.Override], win over a variable. State does not keep them.
	Env string
	// NoCounts does without [Status.Counts], which saves about two nanoseconds an
	// evaluation.
	NoCounts bool
}

// LoadInfo says how a document fared.
type LoadInfo struct {
	Source   string // the source's name
	Revision uint64 // of the snapshot that serves now; 0 if there is none
	Err      error  // what is wrong with the document; nil if all of it serves
	// Quarantined are the keys of the flags that go on serving what they did before,
	// or their callers' defaults if that is nothing.
	Quarantined []string
	// Refused says that the document changed nothing.
	Refused bool
	// Restored is not zero as long as what serves is the copy in [Options.State], of
	// an earlier process: when that began to serve there.
	Restored time.Time
}

// New returns a store that will follow the source. It loads nothing yet.
func New(source Source, options Options) *Store {
	now := time.Now()
	return &Store{source: source, options: options, born: now, revision: uint64(max(now.UnixMicro(), 0)), loading: make(chan struct{}, 1)}
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
// were. Loads follow one another; one whose context is over waits for no other.
func (s *Store) Load(ctx context.Context) error {
	if s == nil || s.source == nil && s.options.State == "" {
		return &Error{Op: "load", Key: "document", Err: errNoSource}
	}
	info, _ := s.load(ctx)
	return info.Err
}

// load tells of news outside the locks.
func (s *Store) load(ctx context.Context) (LoadInfo, bool) {
	info, news := s.read(ctx)
	s.rouse()
	if news && s.options.OnLoad != nil {
		s.options.OnLoad(info)
	}
	return info, news
}

func (s *Store) read(ctx context.Context) (LoadInfo, bool) {
	select {
	case s.loading <- struct{}{}:
	default:
		select {
		case s.loading <- struct{}{}:
		case <-ctx.Done():
			return LoadInfo{Err: &Error{Op: "load", Key: s.name(), Err: ctx.Err()}}, false
		}
	}
	defer func() { <-s.loading }()
	wrong := s.restore()
	if s.source == nil {
		return s.stored(LoadInfo{Source: s.name()}, false, wrong)
	}
	data, err := s.source.Read(ctx)
	if err != nil {
		err = s.instead(err)
	}
	if ctx.Err() != nil && err != nil {
		return s.stored(LoadInfo{Err: err}, false, wrong)
	}
	info, news := s.accept(data, err)
	return s.stored(info, news, wrong)
}

// Run follows the source until the context is cancelled, and then returns nil. A
// second Run at the same time is [ErrRunning].
func (s *Store) Run(ctx context.Context) error {
	if s == nil || s.source == nil {
		return &Error{Op: "run", Key: "document", Err: errNoSource}
	}
	if !s.running.CompareAndSwap(false, true) {
		return &Error{Op: "run", Key: s.name(), Err: ErrRunning}
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
	default:
		slog.Default().LogAttrs(ctx, slog.LevelError, "flags: "+info.String(), info.LogValue().Group()...)
	}
}

// Err is what was wrong with the newest document, or nil if it serves; and why
// [Options.State] does not have it, if that is so.
func (s *Store) Err() error {
	if s == nil {
		return nil
	}
	unkept := s.unkept()
	if unkept != nil {
		unkept = &Error{Op: "keep", Key: s.options.State, Err: unkept}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return joined(s.err, unkept)
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
