//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package flag_test

import (
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
