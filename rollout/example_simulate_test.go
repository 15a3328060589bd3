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
	//           0s  v2              waits: hold 10m0s and 20 requests under errors
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

// Which mishaps does a rollout bear?
func ExampleGameDay() {
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop", Environment: "production"})
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := strategy.Canary{
		Weights: []strategy.Share{5 * strategy.Percent, 50 * strategy.Percent, strategy.All},
		Hold:    10 * time.Minute, Exposed: 100, Judges: []string{"errors"}, Gates: []string{"smoke"},
	}.Plan(strategy.Input{})
	if err != nil {
		fmt.Println(err)
		return
	}
	request := rollout.Request{ID: "v2", Plan: plan, Look: 10 * time.Second, Watches: map[string]rollout.Watch{"errors": {Judge: health.DefaultJudge(plan.Length())}}}
	report, err := rollout.GameDay(rollout.World{Rate: 20, Users: 10_000, ErrorRate: 0.01}, func(w rollout.World) (rollout.Simulation, error) {
		return engine.Simulate(context.Background(), request, w)
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report)
	// Output:
	// nothing                                     succeeded after 20m0s    0 harmed  held
	// target is moved: to 100 %                   rolled back after 6m40s  0 harmed  held
	// clock jumps: by 1h0m0s                      succeeded after 20m0s    0 harmed  held
	// clock jumps: by -1h0m0s                     succeeded after 1h20m0s  0 harmed  held
	// process dies                                succeeded after 25m10s   0 harmed  held
	// target hangs                                rolled back after 28m3s  0 harmed  held
	// target refuses                              rolled back after 27m3s  0 harmed  held
	// target cannot be seen                       succeeded after 36m40s   0 harmed  held
	// metrics vanish                              succeeded after 27m0s    0 harmed  held
	// old version is sick: 10 times as many fail  succeeded after 20m0s    0 harmed  held
	// gate says no                                succeeded after 20m0s    0 harmed  held
	// gate cannot tell                            succeeded after 20m0s    0 harmed  held
	// journal is full                             succeeded after 36m47s   0 harmed  held
}
