package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// changing is an artifact that is another one from the nth question on.
func changing(n int) (ask func(context.Context) (string, error), asked *int) {
	asked = new(int)
	return func(context.Context) (string, error) {
		if *asked++; *asked >= n && n > 0 {
			return "sha256:b", nil
		}
		return "sha256:a", nil
	}, asked
}

// TestArtifactIsVerified: whenever the artifact changes, what is asked next refuses the
// rollout or takes it back, and no instance starts from it, nor is it promoted.
func TestArtifactIsVerified(t *testing.T) {
	for name, p := range moves(t) {
		t.Run(name, func(t *testing.T) {
			for n := 1; ; n++ {
				asks := 0
				synctest.Test(t, func(t *testing.T) {
					on, memory := newMachines(), &rollout.Memory{}
					request := fleetRequest(p, on)
					request.Release.Digest = "sha256:a"
					ask, asked := changing(n)
					request.Artifact = ask
					outcome, err := newEngine(t, memory).Deploy(t.Context(), request)
					if asks = *asked; asks < n {
						require.Equal(t, rollout.Succeeded, outcome)
						return
					}
					require.Equal(t, n, asks, "nobody asks on the way back")
					require.Equal(t, map[string]int{"v1": 4, "v2": 0}, map[string]int{"v1": on.ready["v1"], "v2": on.ready["v2"]})
					require.Equal(t, "v1", on.serves)
					if n <= 2 { // as it is requested, and when its turn has come
						require.ErrorIs(t, err, rollout.ErrArtifact)
						require.Empty(t, records(t, memory))
						require.Zero(t, on.calls)
						return
					}
					require.NoError(t, err)
					checkJournal(t, memory)
					reasons, err := rollout.Explain(memory.Records(), "r", request.Release.Committed)
					require.NoError(t, err)
					last := reasons[len(reasons)-1]
					require.Equal(t, "artifact", last.Rule)
					require.Contains(t, last.Text, "artifact has changed: found sha256:b, want sha256:a")
				})
				if asks < n {
					require.Equal(t, 2+starts(p)+1, asks, "twice before it begins, before each step that starts instances, and to promote")
					return
				}
			}
		})
	}
}

// starts is how many steps of a plan start new instances.
func starts(p strategy.Plan) (n int) {
	for _, step := range p.Steps {
		if s, ok := step.(strategy.Scale); ok && s.New.To > s.New.From {
			n++
		}
	}
	return n
}

// TestArtifactWithoutADigest: the journal and the engine have the one that was found.
func TestArtifactWithoutADigest(t *testing.T) {
	memory := &rollout.Memory{}
	ask, _ := changing(0)
	request := rollout.Request{ID: "r", Plan: toFifty, Target: harmless(), Release: rollout.Release{Version: "2"}, Artifact: ask}
	for range 2 { // and it is the same request again
		_, err := newEngine(t, memory).Deploy(t.Context(), request)
		require.NoError(t, err)
	}
	require.Equal(t, "sha256:a", records(t, memory)[0].Request.Release.Digest)
	request.Artifact = func(context.Context) (string, error) { return "", nil }
	request.ID = "none"
	_, err := newEngine(t, memory).Deploy(t.Context(), request)
	require.ErrorContains(t, err, "artifact: found no digest, want one")
}

// finds is a stage that deploys what has a digest; without it, the run goes on.
func finds(environment, service, digest string, needs ...string) rollout.Stage {
	return rollout.Stage{Name: environment, Needs: needs, Optional: true, Deploy: func(*rollout.StageRun) (rollout.Request, error) {
		return rollout.Request{
			Service: service, Environment: environment, Plan: toFifty, Target: harmless(),
			Artifact: func(context.Context) (string, error) { return digest, nil },
		}, nil
	}}
}

// refusedOf is how many stages found another artifact than others of their run.
func refusedOf(report rollout.Report) (n int) {
	for _, s := range report.Stages {
		if strings.Contains(s.Reason, "artifact has changed: found sha256:") && strings.HasSuffix(s.Reason, "as elsewhere in this run") {
			n++
		}
	}
	return n
}

// TestArtifactOfARun: a run's rollouts of one service find the same content of a release
// everywhere, also those that begin at the same time; those of another service, and those
// that say which they want, need not.
func TestArtifactOfARun(t *testing.T) {
	says := finds("production", "shop", "sha256:b", "staging")
	deploy := says.Deploy
	says.Deploy = func(s *rollout.StageRun) (rollout.Request, error) {
		r, err := deploy(s)
		r.Release = s.Release
		r.Release.Digest = "sha256:b"
		return r, err
	}
	for name, test := range map[string]struct {
		second  rollout.Stage
		refused int
	}{
		"the same":         {finds("production", "shop", "sha256:a", "staging"), 0},
		"another one":      {finds("production", "shop", "sha256:b", "staging"), 1},
		"at the same time": {finds("production", "shop", "sha256:b"), 1},
		"another service":  {finds("production", "search", "sha256:b", "staging"), 0},
		"it says which":    {says, 0},
	} {
		report := ran(t, &rollout.Memory{}, "1", rollout.Pipeline{Stages: []rollout.Stage{finds("staging", "shop", "sha256:a"), test.second}})
		require.Equal(t, rollout.Succeeded, report.Outcome, name)
		require.Equal(t, test.refused, refusedOf(report), name)
	}
}

// TestArtifactOfARunAfterACrash: a process that carries a run on has what the ones before
// it found, also from a checkpoint.
func TestArtifactOfARunAfterACrash(t *testing.T) {
	for name, memory := range map[string]*rollout.Memory{"records": {}, "checkpoints": {CheckpointEvery: 1}} {
		ctx, die := context.WithCancel(t.Context())
		soak := rollout.Stage{Name: "soak", Needs: []string{"staging"}, Do: func(ctx context.Context, _ *rollout.StageRun) error {
			die() // once
			return ctx.Err()
		}}
		pipeline := rollout.Pipeline{Stages: []rollout.Stage{finds("staging", "shop", "sha256:a"), soak, finds("production", "shop", "sha256:b", "soak")}}
		_, err := newEngine(t, memory).Run(ctx, rollout.RunRequest{ID: "1", Release: rollout.Release{Version: "1"}}, pipeline)
		require.ErrorIs(t, err, context.Canceled, name)
		require.Equal(t, 1, refusedOf(ran(t, memory, "1", pipeline)), name)
	}
}

// TestArtifactInDoubt: what cannot be told on the way is decided as the request says, and
// a step that then goes on is carried out.
func TestArtifactInDoubt(t *testing.T) {
	p, err := strategy.Recreate{}.Plan(strategy.Input{Old: "v1", New: "v2", Instances: 4})
	require.NoError(t, err)
	for name, unsure := range map[string]func() error{
		"cannot tell": func() error { return fmt.Errorf("%w: the registry does not answer", rollout.ErrInconclusive) },
		"panics":      func() error { panic("boo") },
	} {
		t.Run(name, func(t *testing.T) {
			for doubt, want := range map[rollout.Expiry]string{rollout.ThenAbort: "v1", rollout.ThenGoOn: "v2"} {
				on := newMachines()
				request := fleetRequest(p, on)
				request.Doubt = doubt
				asked := 0
				request.Artifact = func(context.Context) (string, error) {
					if asked++; asked > 2 {
						return "", unsure()
					}
					return "sha256:a", nil
				}
				_, err := newEngine(t, &rollout.Memory{}).Deploy(t.Context(), request)
				require.NoError(t, err)
				require.Equal(t, want, on.serves)
				require.Equal(t, 4, on.ready[want])
			}
		})
	}
}

// TestOnlyGatesAreInDoubt: a target that cannot tell whether it moved has not, whatever a
// gate's doubts come to.
func TestOnlyGatesAreInDoubt(t *testing.T) {
	on := newMachines()
	request := fleetRequest(moves(t)["recreate"], on)
	request.Doubt = rollout.ThenGoOn
	request.Target = unsure{request.Target.(*fleet)}
	outcome, err := newEngine(t, &rollout.Memory{}).Deploy(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, rollout.Cancelled, outcome)
	require.Equal(t, "v1", on.serves)
}

// unsure never knows whether new instances have started.
type unsure struct{ *fleet }

func (u unsure) Scale(ctx context.Context, old, new int) error {
	if new > 0 {
		return errors.Join(rollout.ErrInconclusive)
	}
	return u.fleet.Scale(ctx, old, new)
}
