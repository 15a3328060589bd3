package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/guidon-go/guidon/strategy/split"
)

// Fleet runs versions of a program as children of its own, and sends HTTP requests to
// them. It is an [http.Handler] and a strategy.Target, with all that a target can have:
// Prepare, Scale, Shift, Mirror, Promote and Keeps. All methods are safe for concurrent
// use; those that change something wait for one another. Make it with [Open].
type Fleet struct {
	options Options
	lock    *os.File
	front   *split.Splitter
	running atomic.Bool
	seen    atomic.Pointer[[]seen]         // for Children
	serving atomic.Pointer[string]         // for Serving
	wanted  atomic.Pointer[map[string]int] // for pins; what it points to never changes

	turn chan struct{} // whoever has put something in may use what follows

	closed   bool
	state    state // as the file has it, but for the children
	unsaved  bool  // it could not be written
	children []*child
	pools    map[string]*pool
	retries  map[string]retry
	exits    []Exit // that nobody was told of
}

// Open reads the state file, or makes one, and finds the children again that it speaks
// of. It starts none: see [Fleet.Start] and [Fleet.Run]. A file that another tool has
// open is [ErrLocked], and one that is damaged [ErrDamaged]. There are fleets on Linux
// only; elsewhere the error is errors.ErrUnsupported.
func Open(options Options) (*Fleet, error) {
	if err := options.check(); err != nil {
		return nil, &Error{"open", cmp.Or(options.State, "a fleet"), err}
	}
	options.Instances = cmp.Or(options.Instances, 1)
	options.Grace = cmp.Or(options.Grace, 10*time.Second)
	options.Within = cmp.Or(options.Within, time.Minute)
	f := &Fleet{options: options, turn: make(chan struct{}, 1), pools: map[string]*pool{}, retries: map[string]retry{}}
	if err := f.open(); err != nil {
		return nil, &Error{"open", options.State, err}
	}
	return f, nil
}

func (f *Fleet) open() (err error) {
	if err := supported(); err != nil {
		return err
	}
	path, err := place(f.options.State)
	if err != nil {
		return err
	}
	f.options.State = path
	if f.lock, err = os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	}
	if err := lockFile(f.lock); err != nil {
		return errors.Join(err, f.lock.Close())
	}
	if err := f.read(); err != nil {
		return errors.Join(err, unlockFile(f.lock))
	}
	return nil
}

// place is where a state file really is, whatever links lead there: its lock is beside
// it. The host may change its folder.
func place(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return filepath.EvalSymlinks(path)
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	return filepath.Join(folder, filepath.Base(path)), err
}

// read takes over what the state file says.
func (f *Fleet) read() error {
	path := f.options.State
	now, err := boot()
	if err != nil {
		return err
	}
	s, found, err := readState(path)
	if err != nil {
		return err
	}
	if !found {
		s = state{Serving: f.options.Serving, Old: f.options.Serving, Wanted: map[string]int{f.options.Serving: f.options.Instances}}
	}
	if s.Wanted == nil {
		s.Wanted = map[string]int{}
	}
	if s.Boot != now { // the machine has started since, and they are no more
		for _, r := range s.Children {
			_ = os.Remove(f.outputFile(r))
		}
		s.Children = nil
	}
	s.Format, s.Boot = stateVersion, now
	f.state = s
	if err := f.adopt(s.Children); err != nil {
		return err
	}
	if err := f.route(); err != nil {
		return err
	}
	f.publish()
	if err := f.save(); err != nil && !found { // otherwise the children can be served without
		return err
	}
	return nil
}

// adopt finds children of an earlier tool again.
func (f *Fleet) adopt(records []record) error {
	for _, r := range records {
		c := f.child(r)
		if r.PID == 0 { // the tool died before it could write down which process it is
			all, err := marked(c.mark())
			if err != nil {
				return err
			}
			i := slices.IndexFunc(all, leader)
			if i < 0 { // it never was, or only what it has started still is
				for _, p := range all {
					end(p)
				}
				_ = os.Remove(c.output)
				continue
			}
			c.PID, c.Start = all[i].pid, all[i].start
		}
		f.children = append(f.children, c)
	}
	return f.sweep()
}

// route lets requests go where the state says.
func (f *Fleet) route() (err error) {
	s, options := f.state, f.options.Split
	if options.Pin != nil {
		options.Pin = f.pin
	}
	if f.front, err = split.New(options, split.Backend{Name: s.Old, Handler: f.handler(s.Old)}); err != nil {
		return err
	}
	f.publish()
	if s.New == "" {
		return nil
	}
	ctx := context.Background()
	return errors.Join(
		f.front.Add(split.Backend{Name: s.New, Handler: f.handler(s.New)}),
		f.front.Prepare(ctx, s.Old, s.New),
		f.front.Shift(ctx, s.Share),
		f.front.Mirror(ctx, s.Mirror))
}

// pin leaves requests for versions that are not to run to the weights.
func (f *Fleet) pin(r *http.Request) string {
	if version := f.options.Split.Pin(r); (*f.wanted.Load())[version] > 0 {
		return version
	}
	return ""
}

// handler serves requests of a version by its children, those to come included.
func (f *Fleet) handler(version string) http.Handler {
	p := &pool{version: version}
	p.children.Store(new([]*child))
	f.pools[version] = p
	return split.Upstream(&url.URL{Scheme: "http", Host: "127.0.0.1"}, p) // the pool says which port
}

// ServeHTTP sends the request to a child of the version whose share of the traffic it
// belongs to. If that version has none that is ready, the answer is 503.
func (f *Fleet) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.front.ServeHTTP(w, r) }

// Children lists the children, in the order they were started.
func (f *Fleet) Children() iter.Seq[Child] {
	return func(yield func(Child) bool) {
		for _, s := range *f.seen.Load() {
			s.Busy = int(s.of.busy.Load())
			if !yield(s.Child) {
				return
			}
		}
	}
}

// Serving is the version that was promoted last: the old one of the next plan.
func (f *Fleet) Serving() string { return *f.serving.Load() }

// Close lets go of the state file. The children live on, and the next [Open] finds
// them; requests still reach them, but nothing can be changed any more. Who wants them
// to end calls [Fleet.Stop] before. This process is still the parent of those that it
// started, so one that ends stays in the system's list of processes until this one ends.
func (f *Fleet) Close() error {
	done, err := f.take(context.Background(), "close", f.options.State)
	if err != nil {
		return err
	}
	defer done()
	f.closed = true
	for _, c := range f.children {
		c.release()
		c.transport.CloseIdleConnections()
	}
	return errors.Join(f.front.Close(context.Background()), unlockFile(f.lock))
}

// seen is a child as Children has it.
type seen struct {
	Child
	of *child
}

// take waits for its turn. Done ends it, and tells of children that have died.
func (f *Fleet) take(ctx context.Context, op, key string) (done func(), err error) {
	select {
	case f.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, &Error{op, key, ctx.Err()}
	}
	if f.closed || ctx.Err() != nil {
		<-f.turn
		return nil, &Error{op, key, cmp.Or(ctx.Err(), os.ErrClosed)}
	}
	return func() {
		exits := f.exits
		f.exits = nil
		<-f.turn
		for _, e := range exits {
			if f.options.OnExit != nil {
				f.options.OnExit(e)
				continue
			}
			slog.Default().Error("process: a child died", "version", e.Child.Version, "pid", e.Child.PID, "status", e.Status, "output", e.Output)
		}
	}, nil
}

// save writes the state file.
func (f *Fleet) save() error {
	f.state.Children = make([]record, len(f.children))
	for i, c := range f.children {
		f.state.Children[i] = c.record
	}
	err := f.state.write(f.options.State)
	f.unsaved = err != nil
	if err != nil {
		return fmt.Errorf("the state file: %w", err)
	}
	f.publish()
	return nil
}

// publish lets everybody see which children there are.
func (f *Fleet) publish() {
	f.serving.Store(new(f.state.Serving))
	f.wanted.Store(new(f.state.Wanted))
	children := make([]seen, len(f.children))
	for i, c := range f.children {
		children[i] = seen{c.seen(), c}
	}
	f.seen.Store(&children)
	for _, version := range slices.Sorted(maps.Keys(f.pools)) {
		f.pools[version].children.Store(new(f.of(version, (*child).serves)))
	}
}

// of lists the children of a version that are so.
func (f *Fleet) of(version string, so func(*child) bool) []*child {
	var all []*child
	for _, c := range f.children {
		if c.Version == version && so(c) {
			all = append(all, c)
		}
	}
	return all
}
