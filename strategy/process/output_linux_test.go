package process_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/process"
	"github.com/stretchr/testify/require"
)

// TestOutputMeanwhile: what children print is bounded whatever a call waits for.
func TestOutputMeanwhile(t *testing.T) {
	t.Parallel()
	hangs := filepath.Join(t.TempDir(), "hangs")
	require.NoError(t, os.WriteFile(hangs, nil, 0o600))
	for _, tt := range []struct {
		name     string
		old, new string
		share    strategy.Share // of the version that prints meanwhile
		busy     bool           // the old one answers a request
	}{
		{name: "not ready", old: "v1", new: "unwell"},
		{name: "thinks", old: "v1", new: "hangs-" + hangs},
		{name: "does not end", old: "deaf", new: "v2", share: strategy.All},
		{name: "answers", old: "v1", new: "v2", share: strategy.All, busy: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(o *process.Options) { o.Serving, o.Grace = tt.old, time.Hour })
			defer func() {
				require.NoError(t, w.fleet.Close())
				w.options.Grace = time.Millisecond
				w.open(t)
			}()
			server := httptest.NewServer(w.fleet)
			defer server.Close()
			require.NoError(t, w.fleet.Prepare(t.Context(), tt.old, tt.new))
			old := 1
			if tt.busy {
				until := filepath.Join(t.TempDir(), "now")
				response, err := server.Client().Get(server.URL + "/slow?until=" + until)
				require.NoError(t, err)
				defer response.Body.Close()
				defer func() { require.NoError(t, os.WriteFile(until, nil, 0o600)) }()
			}
			if tt.share > 0 {
				require.NoError(t, w.fleet.Scale(t.Context(), 1, 1))
				require.NoError(t, w.fleet.Shift(t.Context(), tt.share))
				old = 0
			}
			ctx, cancel := context.WithCancel(t.Context())
			scaled := make(chan error)
			go func() { scaled <- w.fleet.Scale(ctx, old, 1) }()
			for range 3 {
				w.get(t, "/print?lines=20000")
				w.bounded(t)
			}
			cancel()
			require.ErrorIs(t, <-scaled, context.Canceled)
		})
	}
}

// bounded waits until no output takes more than 1 MiB.
func (w *world) bounded(t testing.TB) {
	t.Helper()
	for c := range w.fleet.Children() {
		for stat := (syscall.Stat_t{Blocks: 1 << 20}); stat.Blocks*512 > 1<<20; <-time.After(time.Millisecond) {
			require.NoError(t, syscall.Stat(c.Output, &stat))
		}
	}
}
