package webhook_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/rollout/webhook"
	"github.com/stretchr/testify/require"
)

// inbox is a server that checks signatures, and knows what it has seen.
type inbox struct {
	mu   sync.Mutex
	all  []string        // in the order in which they came first
	seen map[string]bool // each of them
	came chan struct{}   // has one for each request, or is full
}

func newInbox() *inbox { return &inbox{seen: map[string]bool{}, came: make(chan struct{}, 1)} }

func (x *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = webhook.Verify(r.Header, body, time.Now(), vectorSecret)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if id := r.Header.Get("webhook-id"); !x.seen[id] {
		x.seen[id] = true
		x.all = append(x.all, id)
	}
	select {
	case x.came <- struct{}{}:
	default:
	}
}

func (x *inbox) got() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return append([]string(nil), x.all...)
}

// until waits for so many notices.
func (x *inbox) until(t *testing.T, n int) {
	t.Helper()
	for len(x.got()) < n {
		select {
		case <-x.came:
		case <-t.Context().Done():
			return
		}
	}
}

// impatient are options for a real server, that try again at once.
func impatient(url string) webhook.Options {
	return webhook.Options{URL: url, Secrets: []webhook.Secret{vectorSecret}, Pause: time.Millisecond, OnProblem: func(error) {}}
}

// TestServer: a real server gets what an engine that writes a journal in a folder does,
// in order, over failures of every kind and restarts of the sender, whose cursor lies in
// that folder.
func TestServer(t *testing.T) {
	dir, x := t.TempDir(), newInbox()
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch requests.Add(1) % 6 {
		case 1:
			http.Error(w, strings.Repeat("not now\n", 1<<17), http.StatusServiceUnavailable)
		case 2:
			panic(http.ErrAbortHandler) // the connection breaks
		case 3:
			x.ServeHTTP(httptest.NewRecorder(), r) // it has it, and the answer is lost
			panic(http.ErrAbortHandler)
		default:
			x.ServeHTTP(w, r)
		}
	}))
	defer server.Close()
	o := impatient(server.URL)
	o.Cursor = filepath.Join(dir, "webhook.json")
	follow := func(ctx context.Context) iter.Seq2[rollout.Record, error] { return rollout.Follow(ctx, dir) }
	for life := range 3 {
		journal, err := rollout.OpenFile(dir)
		require.NoError(t, err, "another file in the folder harms no journal")
		ctx, stop := context.WithCancel(t.Context())
		over := make(chan error, 1)
		go func() { over <- webhook.Run(ctx, follow, o) }()
		deploy(t, journal, fmt.Sprint("a", life), fmt.Sprint("b", life))
		x.until(t, 4*life+2) // somewhere in the middle
		stop()
		require.ErrorIs(t, <-over, context.Canceled)
		require.NoError(t, journal.Close())
	}
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() { over <- webhook.Run(ctx, follow, o) }()
	x.until(t, 12)
	stop()
	require.ErrorIs(t, <-over, context.Canceled)
	journal, err := rollout.OpenFile(dir)
	require.NoError(t, err)
	defer journal.Close()
	require.Equal(t, ids(t, journal), x.got())
}

// TestNotFollowed: a redirect is a failure, and the one it points at hears nothing, with
// a client of the host's own as well.
func TestNotFollowed(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	journal := &rollout.Memory{}
	deploy(t, journal, "v1")
	for _, client := range []*http.Client{nil, other.Client()} {
		x, requests := newInbox(), atomic.Int32{}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if requests.Add(1) == 1 {
				http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
				return
			}
			x.ServeHTTP(w, r)
		}))
		o := impatient(server.URL)
		o.Client = client
		require.NoError(t, webhook.Run(t.Context(), once(journal), o))
		require.Equal(t, ids(t, journal), x.got())
		server.Close()
	}
	require.Zero(t, elsewhere.Load())
}

// TestNoProxy: what the environment says of proxies is not for secrets of this host. It
// holds as long as nothing in this process has asked for that before.
func TestNoProxy(t *testing.T) {
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	journal := &rollout.Memory{}
	deploy(t, journal, "v1")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := impatient("http://receiver.invalid")
	o.OnProblem = func(error) { cancel() }
	require.ErrorIs(t, webhook.Run(ctx, once(journal), o), context.Canceled)
	require.Zero(t, asked.Load())
}

// TestSlowServer: an answer that takes too long is a failure, whether its header or its
// body does not come; a body that is slow after a receipt harms nobody for long.
func TestSlowServer(t *testing.T) {
	journal, x, requests := &rollout.Memory{}, newInbox(), atomic.Int32{}
	deploy(t, journal, "v1")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := requests.Add(1)
		if n == 1 {
			_, _ = io.ReadAll(r.Body)
			<-r.Context().Done() // the client is gone
			return
		}
		x.ServeHTTP(w, r)
		if n == 2 {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	o := impatient(server.URL)
	o.Timeout = 50 * time.Millisecond
	require.NoError(t, webhook.Run(t.Context(), once(journal), o))
	require.Equal(t, ids(t, journal), x.got())
}
