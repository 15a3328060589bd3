package rollout_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// oddError is an error of whom a nil pointer is no nil error, and cannot be read.
type oddError struct{ text string }

func (e *oddError) Error() string { return e.text }

func odd(context.Context, *rollout.StageRun) error {
	var err *oddError
	return err
}

// TestErrorsThatCannotBeRead fail a stage, or its way back, and nothing else.
func TestErrorsThatCannotBeRead(t *testing.T) {
	const want = "its error, a *rollout_test.oddError, panics as it is read: "
	report := ran(t, &rollout.Memory{}, "1", line(rollout.Stage{Name: "a", Do: odd}))
	require.Equal(t, rollout.Failed, report.Outcome)
	require.Contains(t, report.Stages[0].Reason, want)
	report = ran(t, &rollout.Memory{}, "1", line(rollout.Stage{Name: "a", Do: noop, When: odd}))
	require.Contains(t, report.Stages[0].Reason, want)

	undos := 0
	report = ran(t, &rollout.Memory{}, "1", line(
		rollout.Stage{Name: "a", Do: noop, Undo: func(ctx context.Context, s *rollout.StageRun) error {
			if undos++; undos == 1 {
				return odd(ctx, s)
			}
			return nil
		}},
		rollout.Stage{Name: "b", Do: refuses},
	))
	require.Equal(t, rollout.RolledBack, report.Outcome)
	require.Contains(t, report.Stages[0].Undo.Reason, want)
}

// TestLongErrorsAreBounded: a reason is for people to read.
func TestLongErrorsAreBounded(t *testing.T) {
	for name, do := range map[string]rollout.Action{
		"error": func(context.Context, *rollout.StageRun) error { return errors.New(strings.Repeat("x", 1<<20)) },
		"panic": func(context.Context, *rollout.StageRun) error { panic(strings.Repeat("x", 1<<20)) },
	} {
		memory := &rollout.Memory{}
		report := ran(t, memory, "1", line(rollout.Stage{Name: "a", Do: do}))
		require.Contains(t, report.Reason, "bytes more", name)
		for _, r := range records(t, memory) {
			require.Less(t, len(r.Reason), 5<<10, name)
		}
	}
}

// hanging is a journal that takes nothing any more once it hangs.
type hanging struct {
	*rollout.Memory
	hangs atomic.Bool
}

func (h *hanging) Append(ctx context.Context, r rollout.Record) (rollout.Record, error) {
	if h.hangs.Load() {
		<-ctx.Done()
		return r, ctx.Err()
	}
	return h.Memory.Append(ctx, r)
}

// TestRunLeavesAJournalThatHangs: a run that is stopped waits for the journal for a few
// seconds, however many stages have ended.
func TestRunLeavesAJournalThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &hanging{Memory: &rollout.Memory{}}
		ctx, stop := context.WithCancel(t.Context())
		p := rollout.Pipeline{}
		for _, name := range []string{"a", "b", "c"} {
			p.Stages = append(p.Stages, rollout.Stage{Name: name, Do: func(ctx context.Context, _ *rollout.StageRun) error {
				<-ctx.Done()
				return nil
			}})
		}
		engine := newEngine(t, journal)
		done := make(chan time.Time)
		go func() {
			_, err := engine.Run(ctx, rollout.RunRequest{ID: "1"}, p)
			assert.ErrorIs(t, err, context.Canceled)
			done <- time.Now()
		}()
		synctest.Wait()
		journal.hangs.Store(true)
		stopped := time.Now()
		stop()
		require.Less(t, (<-done).Sub(stopped), 5*time.Second)
	})
}
