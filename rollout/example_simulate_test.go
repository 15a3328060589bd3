package rollout_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
)

// What would become of a change that makes five times as many requests fail?
func ExampleEngine_Simulate() {
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop", Environment: "production"})
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := strategy.Canary{
		Weights: []strategy.Share{5 * strategy.Percent, 50 * strategy.Percent, strategy.All},
		Hold:    10 * time.Minute, Judges: []string{"errors"}, Gates: []string{"smoke"},
	}.Plan(strategy.Input{})
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := engine.Simulate(context.Background(), rollout.Request{
		ID: "v2", Plan: plan,
		Watches: map[string]rollout.Watch{"errors": {Judge: health.DefaultJudge(plan.Length())}},
	}, rollout.World{Rate: 100, Users: 10_000, ErrorRate: 0.01, Harm: 5})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Outcome, "after", s.Took)
	fmt.Println(s.Exposed, "users had it,", s.Harmed, "were harmed")
	for _, line := range s.Timeline {
		short, _, _ := strings.Cut(line, ": candidate")
		fmt.Println(short)
	}
	// Output:
	// rolled back after 14s
	// 80 users had it, 5 were harmed
	//           0s  v2              requested by host: canary of a release
	//           0s  v2              begins to verify by smoke
	//           0s  v2              done: verify by smoke
	//           0s  v2              begins to shift from 0 % to 5 %
	//           0s  v2              done: shift from 0 % to 5 %
	//           0s  v2              waits: hold 10m0s under errors
	//          14s  v2              judge errors looked, fail: first errors
	//          14s  v2              begins to shift from 5 % to 0 %
	//          14s  v2              done: shift from 5 % to 0 %
	//          14s  v2              is over: rolled back
}

// What would become of the schema if the last stage of a pipeline failed?
func ExampleEngine_SimulateRun() {
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	work := func(context.Context, *rollout.StageRun) error { return nil } // is not called
	pipeline := rollout.Pipeline{Stages: []rollout.Stage{
		{Name: "expand", Do: work, Undo: work},
		{Name: "migrate", Needs: []string{"expand"}, Do: work, Undo: work, Retry: rollout.Retry{Attempts: 2, Wait: time.Minute}},
		{Name: "announce", Needs: []string{"migrate"}, Do: work},
	}}
	s, err := engine.SimulateRun(context.Background(), rollout.RunRequest{ID: "shop 42"}, pipeline, rollout.World{Faults: []rollout.Fault{
		{Kind: rollout.FaultStageTakes, Name: "migrate", By: time.Hour},
		{Kind: rollout.FaultStageFails, Name: "announce"},
		{Kind: rollout.FaultUndoFails, Name: "migrate", Times: 2},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Report)
	// Output:
	// shop 42: rolled back after 1h0m3s: announce failed: so the world has it
	//   expand          0s  undone
	//   migrate     1h0m0s  undone; its way back, attempt 3: so the world has it
	//   announce        0s  failed: so the world has it
}
