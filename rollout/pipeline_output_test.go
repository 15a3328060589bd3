package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

const image = rollout.Output[string]("image")

// TestOutputs: what a stage has set is there for those that need it, by way of others,
// too, and for nobody else; also in another process.
func TestOutputs(t *testing.T) {
	type built struct{ Files []string }
	what := rollout.Output[built]("what")
	var got []string
	get := func(stage string) rollout.Action {
		return func(_ context.Context, s *rollout.StageRun) error {
			value, err := image.Get(s, stage)
			got = append(got, fmt.Sprintf("%q %v", value, err))
			return err
		}
	}
	var late *rollout.StageRun
	memory := &rollout.Memory{}
	p := rollout.Pipeline{Stages: []rollout.Stage{
		{Name: "build", Undo: get("build"), Do: func(_ context.Context, s *rollout.StageRun) error {
			late = s
			return errors.Join(image.Set(s, "old"), image.Set(s, "shop:42"), what.Set(s, built{[]string{"a", "<b>"}}))
		}},
		{Name: "lint", Do: noop},
		{Name: "fails first", Retry: rollout.Retry{Attempts: 2, Wait: time.Microsecond}, Do: func(_ context.Context, s *rollout.StageRun) error {
			if s.Attempt == 1 {
				fmt.Fprintln(s, "half")
				return errors.Join(image.Set(s, "half"), errors.New("no"))
			}
			return nil
		}},
		{Name: "smoke", Needs: []string{"build", "lint", "fails first"}, Do: noop},
		{Name: "ship", Needs: []string{"smoke"}, Do: get("build")},
		{Name: "typed", Needs: []string{"ship"}, Do: func(_ context.Context, s *rollout.StageRun) error {
			value, err := what.Get(s, "build")
			got = append(got, fmt.Sprint(value.Files, err))
			return err
		}},
		{Name: "not set", Needs: []string{"typed"}, Optional: true, Do: get("lint")},
		{Name: "not kept", Needs: []string{"typed"}, Optional: true, Do: get("fails first")},
		{Name: "unknown", Needs: []string{"typed"}, Optional: true, Do: get("bild")},
		{Name: "stranger", Needs: []string{"lint"}, Optional: true, Do: get("build")},
		{Name: "itself", Needs: []string{"typed"}, Optional: true, Do: get("itself")},
		{Name: "another type", Needs: []string{"typed"}, Optional: true, Do: func(_ context.Context, s *rollout.StageRun) error {
			_, err := rollout.Output[int]("image").Get(s, "build")
			got = append(got, err.Error())
			return err
		}},
		{Name: "check", Needs: []string{"typed"}, Do: refuses},
	}, Parallel: 1}
	require.Equal(t, rollout.RolledBack, ran(t, memory, "1", p).Outcome)
	slices.Sort(got)
	want := []string{
		`"" rollout: output "image" of stage "bild" for stage "unknown": the pipeline has no such stage`,
		`"" rollout: output "image" of stage "build" for stage "stranger": it is not among what stranger needs, so nobody knows whether it is done`,
		`"" rollout: output "image" of stage "fails first" for stage "not kept": it has not set it`,
		`"" rollout: output "image" of stage "itself" for stage "itself": it is not among what itself needs, so nobody knows whether it is done`,
		`"" rollout: output "image" of stage "lint" for stage "not set": it has not set it`,
		`"shop:42" <nil>`, `"shop:42" <nil>`,
		`[a <b>] <nil>`,
		`rollout: output "image" of stage "build" for stage "another type": found "shop:42": json: cannot unmarshal string into Go value of type int`,
	}
	require.Empty(t, cmp.Diff(want, got))
	for _, r := range records(t, memory) {
		require.True(t, r.Kind == rollout.KindDone || r.Result == nil || r.Result.Outputs == nil, "what failed has set nothing: %v", r)
	}
	require.ErrorContains(t, image.Set(late, "x"), "the stage is over")
	_, err := fmt.Fprint(late, "x")
	require.ErrorContains(t, err, "the stage is over")
}

// TestOutputsThatCannotBe: what JSON cannot say, and what no journal should hold.
func TestOutputsThatCannotBe(t *testing.T) {
	report := ran(t, &rollout.Memory{}, "1", line(rollout.Stage{Name: "a", Do: func(_ context.Context, s *rollout.StageRun) error {
		require.ErrorContains(t, rollout.Output[any]("f").Set(s, func() {}), "unsupported type")
		require.NoError(t, image.Set(s, strings.Repeat("x", 60_000)))
		require.NoError(t, image.Set(s, strings.Repeat("y", 60_000)), "it takes the place of the one before")
		err := rollout.Output[string]("more").Set(s, strings.Repeat("x", 6_000))
		require.ErrorContains(t, err, "found 66013 bytes of outputs, want at most 65536")
		return nil
	}}))
	require.NoError(t, report.Err())
}

// TestMuchOutput: the last 64 kB of a gigabyte are kept, in the memory of some of them.
func TestMuchOutput(t *testing.T) {
	size := 1 << 30
	if testing.Short() || raceEnabled {
		size = 1 << 26
	}
	memory := &rollout.Memory{}
	report := ran(t, memory, "1", line(rollout.Stage{Name: "a", Do: func(_ context.Context, s *rollout.StageRun) error {
		block := []byte(strings.Repeat("0123456789abcde\n", 1<<12))
		for written := 0; written < size; written += len(block) {
			if _, err := s.Write(block); err != nil {
				return err
			}
		}
		fmt.Fprint(s, "\xff end")
		return nil
	}}))
	require.NoError(t, report.Err())
	a := report.Stages[0]
	require.Equal(t, int64(size+5-64<<10), a.Dropped)
	require.True(t, strings.HasSuffix(a.Output, "abcde\n\uFFFD end"), "what is no text is written as what is none")
	require.Len(t, a.Output, 64<<10+2)
	again, err := newEngine(t, memory).Report("1")
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(report, again))
	small := ran(t, memory, "2", line(rollout.Stage{Name: "a", Do: func(_ context.Context, s *rollout.StageRun) error {
		for range 100_000 {
			fmt.Fprint(s, "12")
		}
		return nil
	}}))
	require.Equal(t, int64(200_000-64<<10), small.Stages[0].Dropped, "in small pieces, too")
}
