package webhook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/guidon-go/guidon/rollout"
)

// ErrGone is a receiver that has answered 410: it wants nothing any more.
var ErrGone = errors.New("the receiver wants nothing any more: 410 Gone")

// Options say where to, and how. URL and Secrets are required; every other zero is
// right for most.
type Options struct {
	// URL is where to, of http or https.
	URL string
	// Secrets sign, each of them, so that one can take the place of another. One is
	// enough.
	Secrets []Secret
	// Cursor is the file that says how far it has come. It belongs to one journal and
	// one URL: a good place is the journal's folder, which keeps them together. Empty
	// is for a journal that is gone with the process: then each Run begins anew. With
	// another journal, or one that was begun anew, Run starts over, and OnProblem is
	// told; so it does with one that was restored from a backup, but no sooner than that
	// has as many records again: remove the cursor then.
	Cursor string
	// Since is the time from which on notices are sent if there is no Cursor yet, or it
	// is of another journal. Zero sends everything that the journal has.
	Since time.Time
	// Wants says which notices to send, and soon. Nil is all of them.
	Wants func(rollout.Notice) bool
	// Header goes with each request: an Authorization, say. The map is copied.
	Header http.Header
	// Client sends the requests, but follows no redirects. Nil is one without a proxy.
	// The client is copied.
	Client *http.Client
	// Timeout is how long one attempt may take. Zero means 20 s.
	Timeout time.Duration
	// Pause is the longest time between two attempts, unless the receiver asks for
	// more. Zero means 5 minutes.
	Pause time.Duration
	// GiveUp is after how long a notice that this process has tried to deliver is left
	// out, and the next one is sent at once, whatever the receiver has asked for;
	// OnProblem is told of each. Zero means never.
	GiveUp time.Duration
	// OnProblem is told when something cannot be delivered, the journal cannot be read,
	// or the cursor cannot be written, of each once. It is tried again, and when a notice
	// gets through and all is well OnProblem is told with a nil error. It is also told of
	// what is not sent or sent twice: a notice that is given up, records that are no
	// longer in the journal, and a journal that is another one than the cursor's. Nil
	// means that slog.Default is told.
	OnProblem func(error)
}

const (
	defaultTimeout = 20 * time.Second
	defaultPause   = 5 * time.Minute
	firstPause     = time.Second
	maxAfter       = time.Hour // of what a receiver may ask for
)

// Run sends notices until the context ends, whose error it then returns, or what it
// follows does, and then nil. follow returns the records of one journal from the oldest
// on, each time that it is called: [rollout.Memory.Follow], or a function that calls
// [rollout.Follow]. What will not be better later is an error: options, with everything
// that is wrong with them, a cursor that is none, a journal that is corrupt both times
// it was read, or [ErrGone]. It starts no goroutine but those of net/http for its own
// client, whose connections are closed when it returns.
func Run(ctx context.Context, follow func(context.Context) iter.Seq2[rollout.Record, error], options Options) error {
	s, err := newSender(options)
	if err != nil {
		return s.error(err)
	}
	if options.Client == nil {
		defer s.client.CloseIdleConnections()
	}
	defer s.save() // what told nothing since the last notice, too
	for unread := 0; ; {
		begun := s.cursor
		notice, err := s.pass(ctx, follow(ctx))
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case notice != nil:
			// Nothing is read meanwhile, so that no file of the journal is held open.
			if err := s.insist(ctx, *notice, err); ctx.Err() != nil {
				return ctx.Err()
			} else if err != nil {
				return s.error(err)
			}
			unread = 0
			continue
		case err == nil:
			return nil
		case errors.Is(err, errOther):
			s.cursor, s.since = cursor{}, s.options.Since
			s.failing[ofJournal] = true
			s.tell(err)
			continue
		case s.cursor != begun:
			unread = 0
		}
		if unread++; errors.Is(err, rollout.ErrVersion) || errors.Is(err, rollout.ErrCorrupt) && unread > 1 {
			return s.error(err)
		}
		s.problem(ofJournal, err)
		if err := s.rest(ctx, s.backoff(unread)); err != nil {
			return err
		}
	}
}

// sender is one Run.
type sender struct {
	options Options
	name    string // of the URL, with nothing in it that may be secret
	keys    [][]byte
	client  http.Client
	cursor  cursor
	saved   cursor // what its file has
	reads   place  // the record that is being told
	since   time.Time
	failing [3]bool // whether OnProblem was told of a problem
}

// What there may be a problem with.
const (
	ofReceiver = iota
	ofJournal
	ofCursor
)

func newSender(o Options) (*sender, error) {
	s := &sender{options: o, name: "URL"}
	var problems []error
	u, err := url.Parse(o.URL)
	switch {
	case err != nil: // it says what it stumbled over, which may be half a password
		problems = append(problems, errors.New("URL: found none, want http or https, and a host"))
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		problems = append(problems, fmt.Errorf("URL: found scheme %q and host %q, want http or https, and a host", u.Scheme, u.Host))
	default:
		s.name = u.Scheme + "://" + u.Host
	}
	if s.keys, err = keysOf(o.Secrets); err != nil {
		problems = append(problems, err)
	}
	if min(o.Timeout, o.Pause, o.GiveUp) < 0 {
		problems = append(problems, fmt.Errorf("timeout, pause, give up: found %v, %v and %v, want no negative time", o.Timeout, o.Pause, o.GiveUp))
	}
	if len(problems) > 0 {
		return s, fmt.Errorf("%w: %w", rollout.ErrInvalid, errors.Join(problems...))
	}
	if s.cursor, err = readCursor(o.Cursor); err != nil {
		return s, err
	}
	if s.cursor == (cursor{}) {
		s.since = o.Since
	}
	s.saved = s.cursor
	s.client = http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true, MaxConnsPerHost: 1, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}}
	if o.Client != nil {
		s.client = *o.Client
	}
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s.options.Header = o.Header.Clone()
	s.options.Timeout, s.options.Pause = cmp.Or(o.Timeout, defaultTimeout), cmp.Or(o.Pause, defaultPause)
	return s, nil
}

func (s *sender) error(err error) error {
	return &rollout.Error{Op: "webhook", Key: s.name, Err: err}
}

// pass reads and sends, up to the first notice that cannot be delivered.
func (s *sender) pass(ctx context.Context, records iter.Seq2[rollout.Record, error]) (*rollout.Notice, error) {
	for n, err := range rollout.Notices(s.watch(records)) {
		switch {
		case err != nil:
			return nil, err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !s.cursor.before(n.Seq, n.ID) || n.At.Before(s.since) || s.options.Wants != nil && !s.options.Wants(n):
			continue
		}
		if err := s.send(ctx, n); err != nil {
			return &n, err
		}
		s.delivered(n)
	}
	return nil, nil
}

// insist sends a notice, of which one attempt has failed, until it is delivered, or
// given up.
func (s *sender) insist(ctx context.Context, n rollout.Notice, err error) error {
	began := time.Now()
	for failures := 1; ; failures++ {
		if errors.Is(err, ErrGone) {
			return err
		}
		s.problem(ofReceiver, err)
		var no refusal
		errors.As(err, &no)
		pause, left := max(s.backoff(failures), no.after), s.options.GiveUp-time.Since(began)
		last := s.options.GiveUp > 0 && left <= pause
		if last {
			pause = left
		}
		if err := s.rest(ctx, pause); err != nil {
			return err
		}
		if last {
			s.failing[ofReceiver] = true
			s.tell(fmt.Errorf("notice %s of rollout %s is given up: %w", n.ID, n.Rollout, err))
			s.forward(n)
			return nil
		}
		if err = s.send(ctx, n); err == nil {
			s.delivered(n)
			return nil
		} else if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// delivered keeps how far it has come, and says that all is well.
func (s *sender) delivered(n rollout.Notice) {
	was := s.failing
	s.failing[ofReceiver], s.failing[ofJournal] = false, false
	s.forward(n)
	if s.failing == [3]bool{} && was != s.failing {
		s.tell(nil)
	}
}

// forward moves the cursor on, also where it cannot be written: then a restart sends
// something again.
func (s *sender) forward(n rollout.Notice) {
	p := place{Seq: n.Seq, ID: n.ID}
	if p.ID == s.reads.ID { // otherwise it is in a checkpoint
		p = s.reads
	}
	s.cursor.place = p
	err := s.save()
	if err != nil {
		s.problem(ofCursor, fmt.Errorf("the cursor cannot be written: %w", err))
	}
	s.failing[ofCursor] = err != nil
}

// save writes the cursor if it has moved.
func (s *sender) save() error {
	if s.cursor == s.saved || s.cursor.ID == "" {
		return nil
	}
	err := s.cursor.write(s.options.Cursor)
	if err == nil {
		s.saved = s.cursor
	}
	return err
}

// problem tells once that something is wrong.
func (s *sender) problem(of int, err error) {
	if !s.failing[of] {
		s.failing[of] = true
		s.tell(err)
	}
}

// tell says that something is wrong, or that nothing is any more.
func (s *sender) tell(err error) {
	if err != nil {
		err = s.error(err)
	}
	switch {
	case s.options.OnProblem != nil:
		s.options.OnProblem(err)
	case err != nil:
		slog.Default().Error("rollout: a webhook is in trouble, and goes on trying", "url", s.name, "error", err)
	default:
		slog.Default().Info("rollout: the webhook gets through", "url", s.name)
	}
}

// backoff is how long to wait after failures in a row.
func (s *sender) backoff(failures int) time.Duration {
	whole := min(firstPause<<min(failures-1, 20), s.options.Pause)
	return whole - rand.N(whole/2+1)
}

func (s *sender) rest(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
