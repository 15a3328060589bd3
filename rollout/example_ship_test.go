package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/verify"
	"github.com/stretchr/testify/require"
)

// ship is a release through a whole pipeline; it returns only when it is over, or stopped.
func ship(ctx context.Context, engine *rollout.Engine, suite verify.Suite, build, addColumn, dropColumn, dropOld rollout.Action, canary func(*rollout.StageRun) (rollout.Request, error)) error {
	pipeline := rollout.Pipeline{Name: "ship", Stages: []rollout.Stage{
		{Name: "build", Do: build, Timeout: 10 * time.Minute, Retry: rollout.Retry{Attempts: 2}},
		{Name: "smoke", Needs: []string{"build"}, Do: rollout.Ask(suite.Check)},
		{Name: "expand", Needs: []string{"smoke"}, Do: addColumn, Undo: dropColumn},
		{Name: "production", Needs: []string{"expand"}, Deploy: canary}, // a Request, with its plan and its judges
		{Name: "contract", Needs: []string{"production"}, Do: dropOld, NoReturn: "orders.total is dropped"},
	}}
	release := rollout.Release{Name: "shop", Version: "42"}
	report, err := engine.Run(ctx, rollout.RunRequest{ID: "shop 42", Release: release}, pipeline)
	if err != nil {
		return err // stopped in the middle: the same call goes on from there
	}
	fmt.Println(report) // and report.WriteHTML draws it
	return nil
}

// TestShip: the pipeline that the README shows; production fails, so that the schema is
// as it was.
func TestShip(t *testing.T) {
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop", Environment: "production"})
	require.NoError(t, err)
	suite := verify.Suite{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }),
		Tests:   []verify.SmokeTest{{Name: "front page", Endpoint: "/"}},
	}
	var done []string
	does := func(what string) rollout.Action {
		return func(context.Context, *rollout.StageRun) error {
			done = append(done, what)
			return nil
		}
	}
	canary := func(s *rollout.StageRun) (rollout.Request, error) {
		plan, err := strategy.Canary{Weights: []strategy.Share{strategy.All}, Gates: []string{"capacity"}}.Plan(strategy.Input{})
		return rollout.Request{
			Plan: plan, Target: &splitter{},
			Gates: map[string]rollout.Gate{"capacity": func(context.Context) error { return errors.New("no room for it") }},
		}, err
	}
	require.NoError(t, ship(t.Context(), engine, suite, does("build"), does("add"), does("drop"), does("contract"), canary))
	report, err := engine.Report("shop 42")
	require.NoError(t, err)
	require.Equal(t, rollout.RolledBack, report.Outcome, report)
	require.Equal(t, []string{"build", "add", "drop"}, done)
}
