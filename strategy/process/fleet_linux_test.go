package process_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/process"
	"github.com/stretchr/testify/require"
)

var _ interface { // all that a target can have
	strategy.Target
	strategy.Preparer
	strategy.Scaler
	strategy.Shifter
	strategy.Mirrorer
	strategy.Promoter
	strategy.Keeper
} = (*process.Fleet)(nil)

// world is a fleet under test, and all processes that come of it.
type world struct {
	options process.Options
	mark    string // in the environment of all of them
	fleet   *process.Fleet

	mu    sync.Mutex
	exits []process.Exit
}

// newWorld opens a fleet, with one child of v1. When the test ends, none is left.
func newWorld(t testing.TB, change func(*process.Options)) *world {
	t.Helper()
	w := &world{mark: "GUIDON_TEST_MARK=" + rand.Text()}
	w.options = process.Options{
		State: filepath.Join(t.TempDir(), "deploy", "state.json"), Command: w.command, Serving: "v1",
		Ready: "/healthz", Grace: 30 * time.Second,
		OnExit: func(e process.Exit) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.exits = append(w.exits, e)
		},
	}
	if change != nil {
		change(&w.options)
	}
	w.open(t)
	t.Cleanup(func() {
		if errors.Is(w.fleet.Start(context.Background()), os.ErrClosed) {
			w.open(t)
		}
		require.NoError(t, w.fleet.Stop(context.Background()))
		require.NoError(t, w.fleet.Close())
		require.Empty(t, w.processes(t))
	})
	require.NoError(t, w.fleet.Start(t.Context()))
	return w
}

func (w *world) open(t testing.TB) {
	t.Helper()
	fleet, err := process.Open(w.options)
	require.NoError(t, err)
	w.fleet = fleet
}

// reopen is a tool that starts again.
func (w *world) reopen(t testing.TB) {
	t.Helper()
	require.NoError(t, w.fleet.Close())
	w.open(t)
}

// command is this binary, as a version.
func (w *world) command(version string) *exec.Cmd {
	switch version {
	case "missing":
		return exec.Command("/no/such/server")
	case "unknown", "no-such-version":
		return nil
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asChild+"="+version, w.mark)
	return cmd
}

// processes are those that live, the children and whatever they have started.
func (w *world) processes(t testing.TB) (pids []int) {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/environ")
	require.NoError(t, err)
	for _, name := range names {
		if text, err := os.ReadFile(name); err == nil && bytes.Contains(text, []byte(w.mark)) {
			pid, err := strconv.Atoi(strings.Split(name, "/")[2])
			require.NoError(t, err)
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}

// children are the numbers of those that the fleet knows.
func (w *world) children(version string) (pids []int) {
	for c := range w.fleet.Children() {
		if version == "" || c.Version == version {
			pids = append(pids, c.PID)
		}
	}
	slices.Sort(pids)
	return pids
}

// switchTo is blue-green by hand.
func (w *world) switchTo(t testing.TB, old, new string) {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, w.fleet.Prepare(ctx, old, new))
	require.NoError(t, w.fleet.Scale(ctx, 1, 1))
	require.NoError(t, w.fleet.Shift(ctx, strategy.All))
	require.NoError(t, w.fleet.Scale(ctx, 0, 1))
	require.NoError(t, w.fleet.Promote(ctx, new))
}

// get asks the fleet, without a socket between.
func (w *world) get(t testing.TB, path string) string {
	t.Helper()
	r := httptest.NewRecorder()
	w.fleet.ServeHTTP(r, httptest.NewRequest(http.MethodGet, path, nil))
	require.Equal(t, http.StatusOK, r.Code, r.Body)
	return r.Body.String()
}

func (w *world) observe(t testing.TB) strategy.Observation {
	t.Helper()
	o, err := w.fleet.Observe(t.Context())
	require.NoError(t, err)
	return o
}

// sees waits until it is so: a process that has closed its connections has not ended yet.
func (w *world) sees(t testing.TB, want strategy.Observation) {
	t.Helper()
	for got := w.observe(t); got != want; got = w.observe(t) {
		require.NoError(t, t.Context().Err(), "found %v, want %v", got, want)
		<-time.After(time.Millisecond)
	}
}

func TestBlueGreen(t *testing.T) {
	t.Parallel()
	for _, inherit := range []bool{false, true} {
		t.Run("inherit="+strconv.FormatBool(inherit), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(o *process.Options) { o.Inherit = inherit })
			require.Equal(t, "v1", w.get(t, "/"))
			require.NoError(t, w.fleet.Prepare(t.Context(), "v1", "v2"))
			require.Equal(t, strategy.Observation{Old: 1}, w.observe(t))
			require.NoError(t, w.fleet.Scale(t.Context(), 1, 3))
			require.Equal(t, strategy.Observation{Old: 1, New: 3}, w.observe(t))
			require.Equal(t, "v1", w.get(t, "/"))
			require.NoError(t, w.fleet.Shift(t.Context(), strategy.All))
			require.Equal(t, "v2", w.get(t, "/"))
			require.NoError(t, w.fleet.Scale(t.Context(), 0, 3))
			require.Equal(t, strategy.Observation{Share: strategy.All, New: 3}, w.observe(t))
			require.NoError(t, w.fleet.Promote(t.Context(), "v2"))
			require.Equal(t, "v2", w.fleet.Serving())
			require.Equal(t, w.children("v2"), w.processes(t))
			require.Empty(t, w.exits)

			pids := map[string]bool{} // all three serve
			for range 9 {
				pids[w.get(t, "/pid")] = true
			}
			require.Len(t, pids, 3)
			require.Equal(t, "example.com", w.get(t, "/host"))
		})
	}
}

// TestAgain: every call may come twice, as after a crash, and does nothing twice.
func TestAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for range 2 {
		require.NoError(t, w.fleet.Start(t.Context()))
		require.NoError(t, w.fleet.Prepare(t.Context(), "v1", "v2"))
	}
	for range 2 {
		require.NoError(t, w.fleet.Scale(t.Context(), 2, 1))
	}
	before := w.processes(t)
	require.Len(t, before, 3)
	for range 2 {
		require.NoError(t, w.fleet.Shift(t.Context(), 10*strategy.Percent))
		require.NoError(t, w.fleet.Mirror(t.Context(), 10*strategy.Percent))
		require.NoError(t, w.fleet.Prepare(t.Context(), "v1", "v2"))
		require.NoError(t, w.fleet.Promote(t.Context(), "v1"))
		require.NoError(t, w.fleet.Keeps(t.Context(), "v1"))
	}
	require.Equal(t, strategy.Observation{Share: 10 * strategy.Percent, Mirror: 10 * strategy.Percent, Old: 2, New: 1}, w.observe(t))
	require.Equal(t, before, w.processes(t))
	for range 2 {
		require.NoError(t, w.fleet.Mirror(t.Context(), 0))
		require.NoError(t, w.fleet.Stop(t.Context()))
		require.Empty(t, w.processes(t))
	}
	for range 2 {
		require.NoError(t, w.fleet.Start(t.Context()))
		require.Equal(t, strategy.Observation{Share: 10 * strategy.Percent, Old: 2, New: 1}, w.observe(t))
	}
}

// TestReopen: a tool that starts again finds everything where it was.
func TestReopen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.NoError(t, w.fleet.Prepare(t.Context(), "v1", "v2"))
	require.NoError(t, w.fleet.Scale(t.Context(), 2, 1))
	require.NoError(t, w.fleet.Shift(t.Context(), 50*strategy.Percent))
	require.NoError(t, w.fleet.Promote(t.Context(), "v2"))
	before, seen := w.children(""), w.observe(t)
	w.reopen(t)
	require.Equal(t, before, w.children(""))
	require.Equal(t, seen, w.observe(t))
	require.Equal(t, "v2", w.fleet.Serving())
	versions := map[string]bool{}
	for len(versions) < 2 {
		versions[w.get(t, "/")] = true
	}
	require.NoError(t, w.fleet.Scale(t.Context(), 1, 0)) // those that it did not start itself go, too
	require.Len(t, w.processes(t), 1)
	require.Empty(t, w.exits)
}

// TestPrepareRefuses what would leave requests to nobody.
func TestPrepareRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.ErrorContains(t, w.fleet.Scale(t.Context(), 1, 1), "call Prepare first")
	require.ErrorContains(t, w.fleet.Shift(t.Context(), 1), "call Prepare first")
	require.ErrorContains(t, w.fleet.Prepare(t.Context(), "v1", "missing"), "process: prepare missing: missing: ")
	require.ErrorContains(t, w.fleet.Prepare(t.Context(), "v1", "unknown"), "there is no command for it")
	require.ErrorContains(t, w.fleet.Prepare(t.Context(), "v1", ""), "found no version, want a name")
	require.ErrorContains(t, w.fleet.Prepare(t.Context(), "v1", "v1"), "want two versions")
	require.ErrorIs(t, w.fleet.Prepare(t.Context(), "v2", "v3"), process.ErrServing)
	require.NoError(t, w.fleet.Prepare(t.Context(), "v1", "v2"))
	require.ErrorIs(t, w.fleet.Shift(t.Context(), strategy.All), process.ErrServing)
	require.ErrorIs(t, w.fleet.Mirror(t.Context(), strategy.All), process.ErrServing)
	require.ErrorContains(t, w.fleet.Shift(t.Context(), strategy.All+1), "want from 0 to 100 %")
	require.ErrorContains(t, w.fleet.Scale(t.Context(), 1, -1), "want no negative number")
	require.ErrorContains(t, w.fleet.Promote(t.Context(), "v3"), `want "v1" or "v2"`)
	require.Equal(t, strategy.Observation{Old: 1}, w.observe(t))

	w.switchTo(t, "v1", "v2")
	require.ErrorIs(t, w.fleet.Prepare(t.Context(), "v1", "v3"), process.ErrServing)
	require.NoError(t, w.fleet.Prepare(t.Context(), "v2", "v3"))
	require.Equal(t, strategy.Observation{Old: 1}, w.observe(t))
	require.ErrorContains(t, w.fleet.Keeps(t.Context(), "missing"), "no such file")
	require.Equal(t, "v2", w.get(t, "/"))
}

// TestDrain: a child that is sent away answers what it has begun, even one that SIGTERM
// ends at once, and gets nothing new.
func TestDrain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *process.Options) { o.Serving = "abrupt" })
	server := httptest.NewServer(w.fleet)
	defer server.Close()
	until := filepath.Join(t.TempDir(), "now")
	response, err := server.Client().Get(server.URL + "/slow?until=" + until)
	require.NoError(t, err)
	defer response.Body.Close()

	require.NoError(t, w.fleet.Prepare(t.Context(), "abrupt", "v2"))
	require.NoError(t, w.fleet.Scale(t.Context(), 1, 1))
	require.NoError(t, w.fleet.Shift(t.Context(), strategy.All))
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = w.fleet.Scale(soon, 0, 1)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, `1 requests to "abrupt" are not answered`)
	require.Len(t, w.processes(t), 2)

	scaled := make(chan error)
	go func() { scaled <- w.fleet.Scale(t.Context(), 0, 1) }()
	require.NoError(t, os.WriteFile(until, nil, 0o600))
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, "whole", string(body))
	require.NoError(t, <-scaled)
	require.Len(t, w.processes(t), 1)
}

// TestOnTheWay: a request that was sent to a version before it lost its traffic, and has
// not reached a child yet, still finds one.
func TestOnTheWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.NoError(t, w.fleet.Prepare(t.Context(), "v1", "v2"))
	require.NoError(t, w.fleet.Scale(t.Context(), 1, 1))
	way := &wayside{Context: t.Context(), reached: make(chan struct{}), leave: make(chan struct{})}
	answer := httptest.NewRecorder()
	var request sync.WaitGroup
	request.Go(func() {
		w.fleet.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/", strings.NewReader("once")).WithContext(way))
	})
	<-way.reached
	require.NoError(t, w.fleet.Shift(t.Context(), strategy.All))
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, w.fleet.Scale(soon, 0, 1), context.DeadlineExceeded)
	close(way.leave)
	require.NoError(t, w.fleet.Scale(t.Context(), 0, 1))
	request.Wait()
	require.Equal(t, "v1 once", answer.Body.String())
	require.Len(t, w.processes(t), 1)
}

// wayside is the context of a request that stops where it is first asked for its end,
// between the splitter and the child.
type wayside struct {
	context.Context
	once           sync.Once
	reached, leave chan struct{}
}

func (w *wayside) Done() <-chan struct{} {
	w.once.Do(func() {
		close(w.reached)
		<-w.leave
	})
	return w.Context.Done()
}

// TestNothingIsLeft of a fleet that is closed: no file, no port, no process.
func TestNothingIsLeft(t *testing.T) {
	open := func() int {
		names, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		return len(names)
	}
	for n := 1; n > 0; { // children that other tests have left to tools
		n, _ = syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
	}
	w := newWorld(t, nil)
	cycle := func() {
		w.switchTo(t, "v1", "v2")
		require.NoError(t, w.fleet.Prepare(t.Context(), "v2", "dies"))
		require.Error(t, w.fleet.Scale(t.Context(), 1, 2))
		w.switchTo(t, "v2", "v1")
		require.NoError(t, w.fleet.Stop(t.Context()))
		require.Empty(t, w.processes(t))
		_, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		require.ErrorIs(t, err, syscall.ECHILD) // no zombie either
		require.NoError(t, w.fleet.Close())
	}
	cycle()
	before := open()
	for range 2 {
		w.open(t)
		require.NoError(t, w.fleet.Start(t.Context()))
		cycle()
		require.LessOrEqual(t, open(), before)
	}
	left, err := os.ReadDir(w.options.State + ".output")
	require.NoError(t, err)
	require.Empty(t, left)
	require.ErrorIs(t, w.fleet.Shift(t.Context(), 0), os.ErrClosed)
	require.ErrorIs(t, w.fleet.Close(), os.ErrClosed)
}
