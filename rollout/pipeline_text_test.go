package rollout_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// TestTextThatIsNotUTF8 never makes a journal that says it is corrupt: what is free text
// is kept as far as it can be, and names are refused.
func TestTextThatIsNotUTF8(t *testing.T) {
	const bad = "caf\xe9"
	one := line(rollout.Stage{Name: "a", Do: noop})
	run := func(q rollout.RunRequest, p rollout.Pipeline) func(*rollout.Engine) error {
		return func(e *rollout.Engine) error {
			q.ID = "1"
			report, err := e.Run(t.Context(), q, p)
			return errors.Join(err, report.Err())
		}
	}
	release := rollout.Release{Version: bad}
	tests := map[string]struct {
		do   func(*rollout.Engine) error
		want error
	}{
		"actor":       {run(rollout.RunRequest{Actor: bad, Reason: bad}, one), nil},
		"release":     {run(rollout.RunRequest{Release: release}, one), nil},
		"service":     {run(rollout.RunRequest{Service: bad}, one), rollout.ErrInvalid},
		"environment": {run(rollout.RunRequest{Environment: bad}, one), rollout.ErrInvalid},
		"no return":   {run(rollout.RunRequest{}, line(rollout.Stage{Name: "a", Do: noop, NoReturn: bad})), nil},
		"error": {run(rollout.RunRequest{}, line(rollout.Stage{Name: "a", Do: func(ctx context.Context, s *rollout.StageRun) error {
			return errors.New(bad)
		}, Optional: true})), nil},
		"deploy": {func(e *rollout.Engine) error {
			_, err := e.Deploy(t.Context(), rollout.Request{ID: "d", Actor: bad, Reason: bad, Release: release, Plan: toFifty, Target: harmless()})
			return errors.Join(err, e.Act(t.Context(), "d", rollout.Act{Kind: rollout.FailedLater, Actor: bad, Reason: bad}))
		}, nil},
		"deploy to": {func(e *rollout.Engine) error {
			_, err := e.Deploy(t.Context(), rollout.Request{ID: "d", Service: bad, Plan: toFifty, Target: harmless()})
			return err
		}, rollout.ErrInvalid},
	}
	for name, test := range tests {
		dir := t.TempDir()
		journal, err := rollout.OpenFile(dir)
		require.NoError(t, err, name)
		require.ErrorIs(t, test.do(newEngine(t, journal)), test.want, name)
		was := records(t, journal)
		require.NoError(t, journal.Close(), name)
		journal, err = rollout.OpenFile(dir)
		require.NoError(t, err, name)
		require.NoError(t, rollout.Verify(journal.Records()), name)
		require.Empty(t, cmp.Diff(was, records(t, journal)), name)
		if test.want == nil { // the same request is the same again
			engine := newEngine(t, journal)
			if name != "deploy" {
				require.NoError(t, test.do(engine), name)
			}
		}
		require.NoError(t, journal.Close(), name)
	}
}

// TestNamesOfOutputs count, and are text.
func TestNamesOfOutputs(t *testing.T) {
	for name, want := range map[string]string{"caf\xe9": "want a name in UTF-8", strings.Repeat("n", 1<<20): "want at most 65536"} {
		report := ran(t, &rollout.Memory{}, "1", line(rollout.Stage{Name: "a", Do: func(_ context.Context, s *rollout.StageRun) error {
			return rollout.Output[int](name).Set(s, 1)
		}}))
		require.Less(t, len(report.Reason), 5<<10)
		if len(name) < 100 {
			require.Contains(t, report.Reason, want)
		}
		require.Equal(t, rollout.Failed, report.Outcome)
	}
}
