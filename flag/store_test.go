package flag_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
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
		} {
			src.put(step.data, step.err)
			time.Sleep(10 * time.Second)
			require.Equal(t, step.want, followed.Value(store, &subject))
		}
		cancel()
		require.NoError(t, <-done)
		require.Equal(t, []string{"serves", "serves", "refused", "refused", "serves", "serves"}, told, "each piece of news once")
	})
}

func TestOverlayWins(t *testing.T) {
	src := &source{data: `{"flags": {"laid": {"ramp": {"percent": 10}}}}`}
	store := flag.New(src, flag.Options{OnLoad: func(flag.LoadInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	require.NoError(t, store.SetRamp("laid", flag.Ramp{Share: 50 * flag.Percent, Salt: "fresh"}, me))
	require.NoError(t, store.Kill("laid", me))
	src.put(`{"flags": {"laid": {"ramp": {"percent": 20}}}}`, nil)
	require.NoError(t, store.Load(t.Context()))
	status, err := store.Status("laid")
	require.NoError(t, err)
	require.Equal(t, flag.Status{Key: "laid", Killed: true, Ramp: flag.Ramp{Share: 50 * flag.Percent, Serve: "on", Salt: "fresh"}, Serve: "off", True: "on", Overlaid: true, Change: me, Revision: 4}, status)
	require.NoError(t, store.Clear("laid", me))
	status, err = store.Status("laid")
	require.NoError(t, err)
	require.Equal(t, flag.Status{Key: "laid", Ramp: flag.Ramp{Share: 20 * flag.Percent, Serve: "on", Salt: "laid"}, Serve: "off", True: "on", Revision: 5}, status)
}

// TestOverlayMustFit: a document that would silently drop what was set at run time
// is refused.
func TestOverlayMustFit(t *testing.T) {
	src := &source{data: `{"flags": {"fits": {"variants": {"a": "1", "b": "2"}, "serve": "a"}}}`}
	store := flag.New(src, flag.Options{OnLoad: func(flag.LoadInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	require.EqualError(t, store.SetRamp("fits", flag.Ramp{Share: 1}, me), `flag: set ramp fits: a ramp must name its variant, want one of ["a" "b"]`)
	require.NoError(t, store.SetRamp("fits", flag.Ramp{Share: flag.All, Serve: "b"}, me))
	src.put(`{"flags": {"fits": {"variants": {"a": "1"}, "serve": "a"}}}`, nil)
	require.ErrorContains(t, store.Load(t.Context()), `flags.fits (line 1, column 20): unknown variant "b", want one of ["a"]: me set a ramp to it (test)`)
	src.put(`{"flags": {"other": {}}}`, nil)
	require.ErrorContains(t, store.Load(t.Context()), `flags.fits (line 1, column 11): missing, but me changed it at run time (test): clear it first`)
	subject := flag.For("u")
	require.Equal(t, "2", flag.String("fits", "").Value(store, &subject))
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

// TestKillIsAtOnce: no evaluation that begins after Kill returned sees the flag on.
func TestKillIsAtOnce(t *testing.T) {
	store := load(t, `{"flags": {"killed": {"serve": "on"}}}`)
	killed := flag.Bool("killed", false)
	var dead atomic.Bool
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			subject := flag.For("u")
			for range 20_000 {
				after := dead.Load()
				if on := killed.Value(store, &subject); on && after {
					t.Error("on after Kill returned")
					return
				}
			}
		})
	}
	require.NoError(t, store.Kill("killed", me))
	dead.Store(true)
	wait.Wait()
}
