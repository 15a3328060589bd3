package process_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/process"
	"github.com/stretchr/testify/require"
)

// TestBadVersions: the step fails and says what the child said last, the old version
// still serves, and nothing of the new one is left.
func TestBadVersions(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	for _, tt := range []struct {
		version string
		until   string // is printed by both
		want    []string
	}{
		{"silent", "waiting for the database", []string{"is not ready: context canceled: ", "waiting for the database"}},
		{"unwell", "asked 2", []string{"is not ready: context canceled: ", "GET /healthz: found 503 Service Unavailable, want 200"}},
		{"dies", "", []string{" of dies died: exit status 3", "no such table: orders"}},
		{"taken-" + taken.Addr().String(), "", []string{"exit status 3", "address already in use"}},
	} {
		t.Run(tt.version, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			require.NoError(t, w.fleet.Prepare(t.Context(), "v1", tt.version))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var watch sync.WaitGroup
			defer watch.Wait()
			if tt.until != "" {
				watch.Go(func() {
					defer cancel()
					w.prints(t, tt.version, 2, tt.until)
				})
			}
			err := w.fleet.Scale(ctx, 0, 2)
			for _, want := range append(tt.want, "process: scale "+tt.version+": child ") {
				require.ErrorContains(t, err, want)
			}
			var exit *process.Exit
			require.Equal(t, tt.until == "", errors.As(err, &exit))
			if exit != nil {
				require.Contains(t, exit.Output, tt.want[1])
				require.NotEmpty(t, w.exits)
			}
			require.Equal(t, strategy.Observation{Old: 1}, w.observe(t))
			require.Equal(t, "v1", w.get(t, "/"))
			require.Len(t, w.processes(t), 1)
		})
	}
}

// prints waits until so many children of a version have printed a text.
func (w *world) prints(t testing.TB, version string, n int, text string) {
	for found := 0; found < n && t.Context().Err() == nil; <-time.After(time.Millisecond) {
		found = 0
		for c := range w.fleet.Children() {
			if out, _ := os.ReadFile(c.Output); c.Version == version && strings.Contains(string(out), text) {
				found++
			}
		}
	}
}

// TestGone: a program that goes missing between Prepare and Scale.
func TestGone(t *testing.T) {
	t.Parallel()
	missing := false
	w := newWorld(t, func(o *process.Options) {
		command := o.Command
		o.Command = func(version string) *exec.Cmd {
			if missing && version == "v2" {
				version = "missing"
			}
			return command(version)
		}
	})
	require.NoError(t, w.fleet.Prepare(t.Context(), "v1", "v2"))
	missing = true
	require.ErrorContains(t, w.fleet.Scale(t.Context(), 0, 2), "process: scale v2: v2 cannot be started: exec: \"/no/such/server\"")
	require.Equal(t, strategy.Observation{Old: 1}, w.observe(t))
	require.Equal(t, "v1", w.get(t, "/"))
}

// TestDeaf: a child that ignores SIGTERM is killed.
func TestDeaf(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *process.Options) { o.Serving, o.Grace = "deaf", 20*time.Millisecond })
	w.switchTo(t, "deaf", "v2")
	require.Len(t, w.processes(t), 1)
	require.Empty(t, w.exits)
}

// TestForks: what a child has started goes with it, and its port is free, even if it
// ignores SIGTERM, or has left the process group.
func TestForks(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"forks", "forks-away", "forks-bare"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(o *process.Options) { o.Serving = version })
			require.Equal(t, version, w.get(t, "/"))
			require.Len(t, w.processes(t), 2)
			var addr string
			for c := range w.fleet.Children() {
				addr = c.Addr
			}
			w.reopen(t)
			w.switchTo(t, version, "v2")
			require.Len(t, w.processes(t), 1)
			listener, err := net.Listen("tcp", addr)
			require.NoError(t, err)
			require.NoError(t, listener.Close())
		})
	}
}

// TestDies: the death of a child that serves is noticed, and requests go to another one
// if they may be sent twice.
func TestDies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.NoError(t, w.fleet.Prepare(t.Context(), "v1", "v2"))
	require.NoError(t, w.fleet.Scale(t.Context(), 4, 1))
	require.Equal(t, 4, w.observe(t).Old)

	r := httptest.NewRecorder()
	w.fleet.ServeHTTP(r, httptest.NewRequest(http.MethodPost, "/die", strings.NewReader("x")))
	require.Equal(t, http.StatusBadGateway, r.Code)
	for range 8 {
		require.Equal(t, "v1", w.get(t, "/"))
	}
	w.sees(t, strategy.Observation{Old: 3, New: 1})
	require.Len(t, w.exits, 1)
	require.Equal(t, "exit status 7", w.exits[0].Status)
	require.Contains(t, w.exits[0].Output, "out of memory")

	// One that kills whoever gets it is sent to one more, and not to all.
	r = httptest.NewRecorder()
	w.fleet.ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/die", nil))
	require.GreaterOrEqual(t, r.Code, http.StatusBadGateway)
	w.sees(t, strategy.Observation{Old: 1, New: 1})
	require.Equal(t, "v1", w.get(t, "/"))

	r = httptest.NewRecorder()
	w.fleet.ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/die", nil))
	r = httptest.NewRecorder()
	w.fleet.ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/", nil))
	require.Equal(t, http.StatusServiceUnavailable, r.Code)
	require.NoError(t, w.fleet.Shift(t.Context(), 0)) // nobody moves
	require.NoError(t, w.fleet.Shift(t.Context(), strategy.All))
	require.ErrorIs(t, w.fleet.Shift(t.Context(), 0), process.ErrServing)
	require.Equal(t, "v2", w.get(t, "/"))
}
