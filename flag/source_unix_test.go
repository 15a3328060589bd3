//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package flag_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestFileIsNoPipe: to open one would wait for somebody who writes.
func TestFileIsNoPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	_, err := flag.File(path).Read(t.Context())
	require.EqualError(t, err, path+": found a pipe, want a file")
}

// TestStateIsNoPipe: neither is a state.
func TestStateIsNoPipe(t *testing.T) {
	k := newKept(t, `{"flags": {"a": {}}}`)
	require.NoError(t, syscall.Mkfifo(k.path, 0o600))
	require.EqualError(t, k.Load(t.Context()), "flag: keep "+k.path+": "+k.path+": found a pipe, want a file")
	require.Len(t, k.statuses(), 1)
}

// TestStateBehindALink: a link, be it to another one or to nothing yet, stays, and what it
// leads to has what is kept, or is set aside.
func TestStateBehindALink(t *testing.T) {
	k := newKept(t, `{"flags": {"a": {}}}`)
	volume := t.TempDir()
	target := filepath.Join(volume, "kept")
	require.NoError(t, os.Mkdir(filepath.Join(volume, "data"), 0o700))
	require.NoError(t, os.Symlink("../kept", filepath.Join(volume, "data", "link")))
	require.NoError(t, os.Symlink(filepath.Join(volume, "data", "link"), k.path))
	require.NoError(t, k.Load(t.Context()))
	require.NoError(t, k.Kill("a", me))
	for _, path := range []string{k.path, target} {
		k.path = path
		k.again(t)
		require.True(t, k.statuses()[0].Killed)
	}
	k.path = filepath.Join(volume, "data", "link")
	require.NoError(t, os.WriteFile(target, nil, 0o600))
	k.start()
	require.ErrorContains(t, k.Load(t.Context()), "damaged-1, and begun anew")
	require.FileExists(t, target)
	require.NoError(t, os.Remove(target))
	require.NoError(t, os.Symlink("kept", target))
	k.start()
	require.Error(t, k.Load(t.Context()), "a circle")
}
