package rollout_test

import (
	"testing"
	"testing/synctest"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/rollout/rollouttest"
)

// TestOwnJournals: those of this package keep the rules that others must keep.
func TestOwnJournals(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rollouttest.TestJournal(t, func() func() (rollout.Journal, error) {
				m := &rollout.Memory{}
				return func() (rollout.Journal, error) { return m, nil }
			})
		})
	})
	t.Run("file", func(t *testing.T) {
		rollouttest.TestJournal(t, func() func() (rollout.Journal, error) {
			dir := t.TempDir()
			return func() (rollout.Journal, error) { return orNil(rollout.OpenFile(dir)) }
		})
	})
	t.Run("file without locks", func(t *testing.T) {
		rollouttest.TestJournal(t, func() func() (rollout.Journal, error) {
			d := newMemoryDisk()
			d.noLocks = true
			return func() (rollout.Journal, error) { return orNil(rollout.OpenOn(d, "/j", rollout.FileOptions{})) }
		})
	})
}

func orNil(j *rollout.FileJournal, err error) (rollout.Journal, error) {
	if err != nil {
		return nil, err
	}
	return j, nil
}
