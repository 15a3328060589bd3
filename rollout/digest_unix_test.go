//go:build unix

package rollout_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// TestDigestOfAPipe: nobody waits for somebody to write to it.
func TestDigestOfAPipe(t *testing.T) {
	dir := artifact(t)
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o644))
	for _, path := range []string{dir, pipe} {
		_, err := rollout.Digest(t.Context(), path)
		require.ErrorContains(t, err, "found prw-r--r--, want files, folders and symbolic links")
	}
}
