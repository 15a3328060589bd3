package rollout_test

import (
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// TestAFullDisk: while there is no room every append fails, and afterwards the journal
// repairs itself and goes on, without what was refused.
func TestAFullDisk(t *testing.T) {
	dir := t.TempDir()
	journal := openFile(t, dir)
	r := rollout.Record{Kind: rollout.KindBegun, Rollout: "r", Reason: "because", At: noon}
	_, err := journal.Append(t.Context(), r)
	require.NoError(t, err)
	info, err := os.Stat(filepath.Join(dir, "journal.jsonl"))
	require.NoError(t, err)

	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var room syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &room))
	little := syscall.Rlimit{Cur: uint64(info.Size()) + 9, Max: room.Max}
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &little))
	_, err = journal.Append(t.Context(), r)
	_, again := journal.Append(t.Context(), r)
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &room))
	require.ErrorIs(t, err, syscall.EFBIG)
	require.ErrorIs(t, again, syscall.EFBIG)

	require.Len(t, records(t, journal), 1)
	left, err := os.Stat(filepath.Join(dir, "journal.jsonl"))
	require.NoError(t, err)
	require.Equal(t, info.Size()+9, left.Size()) // half a record

	r, err = journal.Append(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, uint64(2), r.Seq)
	require.Len(t, records(t, journal), 2)
	require.NoError(t, journal.Close())
	journal = openFile(t, dir)
	require.Zero(t, journal.Torn())
	require.Len(t, records(t, journal), 2)
}
