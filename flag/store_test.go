package flag_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

var me = flag.Change{Actor: "me", Reason: "test"}

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	_, err := flag.Open(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, []byte(`{"flags": {"opened": {"serve": "on"}}}`), 0o600))
	store, err := flag.Open(path)
	require.NoError(t, err)
	subject := flag.For("u")
	opened := flag.Bool("opened", false)
	require.True(t, opened.Value(store, &subject))

	// A file that is half written, gone, or a folder never serves.
	for _, spoil := range []func() error{
		func() error { return os.WriteFile(path, []byte(`{"flags": {"opened": {"ser`), 0o600) },
		func() error { return os.Remove(path) },
		func() error { return os.Mkdir(path, 0o700) },
	} {
		require.NoError(t, spoil())
		require.Error(t, store.Load(t.Context()))
		require.Error(t, store.Err())
		require.True(t, opened.Value(store, &subject))
	}
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(path, []byte(`{"flags": {"opened": {}}}`), 0o600))
	require.NoError(t, store.Load(t.Context()))
	require.NoError(t, store.Err())
	require.False(t, opened.Value(store, &subject))
}

// source serves what a test puts there.
type source struct {
	mu   sync.Mutex
	data string
	err  error
}

func (s *source) put(data string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data, s.err = data, err
}

func (s *source) Read(context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []byte(s.data), s.err
}

func TestRunFollowsTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const good, better = `{"flags": {"followed": {}}}`, `{"flags": {"followed": {"serve": "on"}}}`
		src := &source{data: good}
		var told []string
		store := flag.New(src, flag.Options{OnLoad: func(info flag.LoadInfo) {
			if info.Err != nil {
				told = append(told, "refused")
			} else {
				told = append(told, "serves")
			}
		}})
		require.NoError(t, store.Load(t.Context()))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- store.Run(ctx) }()
		synctest.Wait()
		require.ErrorIs(t, store.Run(ctx), flag.ErrRunning)
		subject := flag.For("u")
		followed := flag.Bool("followed", false)
		for _, step := range []struct {
			data string
			err  error
			want bool
		}{
			{better, nil, true},
			{`{"flags": {"followed": {"serve": "blue"}}}`, nil, true},
			{"", errors.New("gone"), true},
			{better, nil, true},
			{good, nil, false},
			{"", errors.New("gone"), false},
			{good, nil, false}, // nothing new, and nothing wrong any more
		} {
			src.put(step.data, step.err)
			time.Sleep(10 * time.Second)
			require.Equal(t, step.want, followed.Value(store, &subject))
			require.Equal(t, step.data == good || step.data == better, store.Err() == nil)
		}
		cancel()
		require.NoError(t, <-done)
		require.Equal(t, []string{"serves", "serves", "refused", "refused", "serves", "serves", "refused", "serves"}, told, "each piece of news once")
		require.NoError(t, store.Run(ctx), "a Run that has ended makes room for the next")
	})
}

// TestBytesMayChange: bytes that are changed in place after a load are news to the
// next one.
func TestBytesMayChange(t *testing.T) {
	data := []byte(`{"flags": {"reused": {"serve": "on" }}}`)
	store := flag.New(flag.Bytes(data), flag.Options{})
	reused, subject := flag.Bool("reused", false), flag.For("u")
	require.NoError(t, store.Load(t.Context()))
	require.True(t, reused.Value(store, &subject))
	copy(data, `{"flags": {"reused": {"serve": "off"}}}`)
	require.NoError(t, store.Load(t.Context()))
	require.False(t, reused.Value(store, &subject))
}

// TestLoadsFollowOneAnother: Load beside Run and other Loads never reads the source
// twice at once, and what was read first never replaces what was read later. The
// source has no lock, so that the race detector watches, too.
func TestLoadsFollowOneAnother(t *testing.T) {
	var reading, most atomic.Int32
	reads := 0
	store := flag.New(flag.SourceFunc(func(context.Context) ([]byte, error) {
		most.Store(max(most.Load(), reading.Add(1)))
		defer reading.Add(-1)
		reads++
		n := reads
		for range n % 7 {
			runtime.Gosched()
		}
		return json.Marshal(flag.Document{Flags: map[string]flag.FeatureFlag{"ordered": {Ramp: &flag.Ramp{Share: flag.Share(n)}}}})
	}), flag.Options{Every: time.Microsecond})
	require.NoError(t, store.Load(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	var wait, run sync.WaitGroup
	run.Go(func() {
		if err := store.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	for range 4 {
		wait.Go(func() {
			before := flag.Share(0)
			for range 200 {
				if err := store.Load(ctx); err != nil {
					t.Error(err)
				}
				status, err := store.Status("ordered")
				if err != nil || status.Ramp.Share < before {
					t.Errorf("got %v and %v after %v", status.Ramp.Share, err, before)
				}
				before = status.Ramp.Share
			}
		})
	}
	wait.Wait()
	cancel()
	run.Wait()
	require.Equal(t, int32(1), most.Load())
	status, err := store.Status("ordered")
	require.NoError(t, err)
	require.Equal(t, reads, int(status.Ramp.Share), "what was read last")
}

func TestChangesAreChecked(t *testing.T) {
	store := load(t, `{"flags": {"checked": {}}}`)
	var none *flag.Store
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"no actor", store.Kill("checked", flag.Change{Reason: "r"}), `flag: kill checked: found actor "" and reason "r", want both`},
		{"no reason", store.Clear("checked", flag.Change{Actor: "a"}), `flag: clear checked: found actor "a" and reason "", want both`},
		{"no flag", store.Kill("nowhere", me), "flag: kill nowhere: no such flag in the document"},
		{"no document", (&flag.Store{}).Kill("checked", me), "flag: kill checked: no document is loaded yet: no such flag in the document"},
		{"no store", none.Kill("checked", me), "flag: kill checked: no document is loaded yet: no such flag in the document"},
		{"too much", store.SetRamp("checked", flag.Ramp{Share: flag.All + 1}, me), "flag: set ramp checked: found 100.001 %, want 0 to 100 %"},
		{"too little", store.SetRamp("checked", flag.Ramp{Share: -1}, me), "flag: set ramp checked: found -0.001 %, want 0 to 100 %"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.EqualError(t, tt.err, tt.want) })
	}
	_, err := store.Status("nowhere")
	require.ErrorIs(t, err, flag.ErrNotFound)
	require.EqualError(t, (&flag.Store{}).Load(t.Context()), "flag: load document: the store has no source")
}

// TestLoadWaitsNoLongerThanItsContext, though another waits for the source.
func TestLoadWaitsNoLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := make(chan struct{})
		store := flag.New(flag.SourceFunc(func(context.Context) ([]byte, error) {
			<-slow
			return []byte(`{"flags": {}}`), nil
		}), flag.Options{})
		first := make(chan error, 1)
		go func() { first <- store.Load(context.Background()) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, store.Load(ctx), context.DeadlineExceeded)
		close(slow)
		require.NoError(t, <-first)
		require.NoError(t, store.Load(t.Context()))
	})
}
