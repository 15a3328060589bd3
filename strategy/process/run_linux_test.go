package process_test

import (
	"context"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/process"
	"github.com/stretchr/testify/require"
)

// run supervises until the test ends, or until what it returns is called.
func (w *world) run(t testing.TB) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	fleet := w.fleet
	go func() { ended <- fleet.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	t.Cleanup(stop)
	return stop
}

// TestRun starts what should run, and again what dies.
func TestRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *process.Options) { o.Instances = 2 })
	require.NoError(t, w.fleet.Prepare(t.Context(), "v1", "v2"))
	require.NoError(t, w.fleet.Stop(t.Context()))
	stop := w.run(t)
	w.sees(t, strategy.Observation{Old: 2})
	require.NoError(t, syscall.Kill(w.children("v1")[0], syscall.SIGKILL))
	for len(w.told()) == 0 {
		w.sees(t, strategy.Observation{Old: 2})
	}
	w.sees(t, strategy.Observation{Old: 2})
	require.Equal(t, "signal: killed", w.told()[0].Status)
	require.ErrorIs(t, w.fleet.Run(t.Context()), process.ErrRunning)
	require.ErrorIs(t, w.fleet.Stop(t.Context()), process.ErrRunning)

	// Plans go on beside it, and a tool that has started again finds what they wanted.
	require.NoError(t, w.fleet.Scale(t.Context(), 1, 1))
	require.NoError(t, w.fleet.Scale(t.Context(), 0, 1))
	require.Len(t, w.processes(t), 1)
	stop()
	require.NoError(t, syscall.Kill(w.children("v2")[0], syscall.SIGKILL))
	w.reopen(t)
	w.run(t)
	w.sees(t, strategy.Observation{New: 1})
}

// TestHungChild: nobody else waits while a child thinks about whether it is ready.
func TestHungChild(t *testing.T) {
	t.Parallel()
	hangs := filepath.Join(t.TempDir(), "hangs")
	w := newWorld(t, func(o *process.Options) { o.Serving = "hangs-" + hangs })
	require.NoError(t, os.WriteFile(hangs, nil, 0o600))
	defer func() { require.NoError(t, os.Remove(hangs)) }()
	require.NoError(t, w.fleet.Prepare(t.Context(), w.options.Serving, "v2"))
	require.NoError(t, syscall.Kill(w.children("")[0], syscall.SIGKILL))
	stop := w.run(t)
	defer stop()
	w.sees(t, strategy.Observation{})
	thinks := func() (n int, now bool) { // how often it was asked, and whether somebody waits for it
		for c := range w.fleet.Children() {
			text, _ := os.ReadFile(c.Output)
			n = strings.Count(string(text), "asked ")
			return n, n > strings.Count(string(text), "nobody waits")
		}
		return 0, false
	}
	for { // one question lasts longer than some calls, as soon as the machine has time for them
		before, now := thinks()
		for range 20 {
			require.Equal(t, strategy.Observation{}, w.observe(t))
		}
		if after, still := thinks(); now && still && before == after {
			return
		}
		<-time.After(time.Millisecond)
	}
}

// told are the exits that were told of.
func (w *world) told() []process.Exit {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.exits[:len(w.exits):len(w.exits)]
}

// TestRunKills a child that does not get ready in time, and tries again.
func TestRunKills(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.switchTo(t, "v1", "v2")
	require.NoError(t, w.fleet.Stop(t.Context()))
	require.NoError(t, w.fleet.Close())
	w.options.Within = 500 * time.Millisecond
	command, sick := w.options.Command, true
	w.options.Command = func(version string) *exec.Cmd {
		cmd := command(version)
		if sick {
			cmd = command("unwell")
		}
		return cmd
	}
	w.options.OnExit = func(e process.Exit) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.exits = append(w.exits, e)
		sick = len(w.exits) < 2
	}
	w.open(t)
	w.run(t)
	w.sees(t, strategy.Observation{Share: strategy.All, New: 1})
	exit := w.told()[0]
	require.Equal(t, "not ready after 500ms: GET /healthz: found 503 Service Unavailable, want 200", exit.Status)
	require.Contains(t, exit.Output, "unwell is child")
	require.Len(t, w.processes(t), 1)
}

// TestAbandoned: a child that was on its way out when a tool ended goes with the next.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	for _, how := range []struct {
		name string
		call func(*testing.T, *world)
	}{
		{"run", func(t *testing.T, w *world) { w.run(t) }},
		{"start", func(t *testing.T, w *world) { require.NoError(t, w.fleet.Start(t.Context())) }},
	} {
		t.Run(how.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(o *process.Options) { o.Serving, o.Grace = "deaf", time.Hour })
			require.NoError(t, w.fleet.Prepare(t.Context(), "deaf", "v2"))
			require.NoError(t, w.fleet.Scale(t.Context(), 1, 1))
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			require.ErrorIs(t, w.fleet.Scale(ctx, 0, 1), context.DeadlineExceeded)
			require.Len(t, w.processes(t), 2)
			require.Equal(t, strategy.Observation{New: 1}, w.observe(t))
			require.NoError(t, w.fleet.Close())
			w.options.Grace = time.Millisecond
			w.open(t)
			require.Equal(t, strategy.Observation{New: 1}, w.observe(t)) // it gets no requests again
			how.call(t, w)
			for len(w.processes(t)) > 1 {
				<-time.After(time.Millisecond)
			}
			require.Empty(t, w.told())
		})
	}
}

// TestOutput: what a child prints takes a bounded part of the disk, and its end is kept.
func TestOutput(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.NoError(t, w.fleet.Prepare(t.Context(), "v1", "v2"))
	for i := range 5 {
		w.get(t, "/print?lines=20000")
		w.observe(t)
		for c := range w.fleet.Children() {
			var stat syscall.Stat_t
			require.NoError(t, syscall.Stat(c.Output, &stat))
			require.LessOrEqual(t, stat.Blocks*512, int64(1<<20), "after %d", i)
			text, err := os.ReadFile(c.Output)
			require.NoError(t, err)
			require.Contains(t, string(text[len(text)-60<<10:]), "\nline 19999 xx")
		}
	}
	require.NoError(t, filepath.WalkDir(filepath.Dir(w.options.State), func(_ string, d fs.DirEntry, err error) error {
		info, wrong := d.Info()
		require.NoError(t, wrong)
		require.Zero(t, info.Mode().Perm()&0o077, d.Name())
		return err
	}))
	server := httptest.NewServer(w.fleet)
	defer server.Close()
	_, err := server.Client().Post(server.URL+"/die", "text/plain", strings.NewReader("x"))
	require.NoError(t, err)
	w.sees(t, strategy.Observation{})
	require.Len(t, w.exits, 1)
	require.LessOrEqual(t, len(w.exits[0].Output), 64<<10)
	require.Contains(t, w.exits[0].Output, "out of memory")
	require.Less(t, len(w.exits[0].Error()), 3000)
	require.Contains(t, w.exits[0].Error(), fmt.Sprintf("child %d of v1 died: exit status 7; its last output:\n...", w.exits[0].Child.PID))
}
