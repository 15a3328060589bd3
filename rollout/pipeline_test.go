package rollout_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

func noop(context.Context, *rollout.StageRun) error { return nil }

func TestPipelineProblems(t *testing.T) {
	tests := []struct {
		name     string
		pipeline rollout.Pipeline
		want     []string
	}{
		{"nothing", rollout.Pipeline{}, []string{"stages: found none, want at least one"}},
		{"names", rollout.Pipeline{Name: "\xff", Stages: []rollout.Stage{{Do: noop}, {Name: "a/b", Do: noop}, {Name: "c", Do: noop}, {Name: "c", Do: noop}}}, []string{
			`name: found "\xff", want text in UTF-8`,
			`stages[0]: name: found "", want some text in UTF-8 without "/" and "#"`,
			`stages[1] "a/b": name: found "a/b", want some text in UTF-8 without "/" and "#"`,
			`stages[3] "c": name: found "c", which is the name of number 2, too`,
		}},
		{"needs", rollout.Pipeline{Stages: []rollout.Stage{
			{Name: "build", Do: noop, Needs: []string{"build", "test"}},
			{Name: "a", Do: noop, Needs: []string{"b"}},
			{Name: "b", Do: noop, Needs: []string{"c", "c"}},
			{Name: "c", Do: noop, Needs: []string{"a"}},
		}}, []string{
			`stages[0] "build": needs[0]: found "build", which is its own name`,
			`stages[0] "build": needs[1]: found "test", and nothing has this name`,
			`stages[1] "a": needs: is in a cycle: a needs b needs c needs a`,
			`stages[2] "b": needs[1]: found "c" a second time`,
		}},
		{"what to do", rollout.Pipeline{Parallel: -1, Stages: []rollout.Stage{
			{Name: "a"},
			{Name: "b", Do: noop, Guard: new(rollout.Guard)},
			{Name: "c", Guard: new(rollout.Guard), Undo: noop},
			{Name: "d", Do: noop, Undo: noop, NoReturn: "gone"},
			{Name: "e", Do: noop, Timeout: -1, Retry: rollout.Retry{Attempts: -1, Wait: time.Second}},
		}}, []string{
			"parallel: found -1, want at least 1, or nothing",
			`stages[0] "a": do, deploy, guard: found 0 of them, want one`,
			`stages[1] "b": do, deploy, guard: found 2 of them, want one`,
			`stages[2] "c": undo: given without do, and what is deployed or guarded takes itself back`,
			`stages[3] "d": undo: given beside no return, after which nothing is taken back`,
			`stages[4] "e": timeout: found -1ns, want no negative time`,
			`stages[4] "e": retry: found -1 attempts and a wait of 1s, want nothing negative`,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.pipeline.Check()
			require.ErrorIs(t, err, rollout.ErrInvalid)
			got := strings.Split(strings.TrimPrefix(err.Error(), "invalid request: "), "\n")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	require.NoError(t, rollout.Pipeline{Stages: []rollout.Stage{{Name: "build", Do: noop}}}.Check())
}
