package rollout

import (
	"context"
	"iter"
)

// What tests need to put a journal on a disk of their own.
type (
	Disk = disk
	File = file
)

func OpenOn(d Disk, dir string, o FileOptions) (*FileJournal, error) { return openFile(d, dir, o) }

func FollowOn(ctx context.Context, d Disk, dir string) iter.Seq2[Record, error] {
	return follow(ctx, d, dir)
}
