package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
)

// does is a stage's action that says what it does.
func does(what string) rollout.Action {
	return func(context.Context, *rollout.StageRun) error {
		fmt.Println(what)
		return nil
	}
}

// A release through build, smoke test, schema change and production. The last stage fails,
// so what was done is taken back, the last first.
func ExampleEngine_Run() {
	const image = rollout.Output[string]("image")
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop"})
	if err != nil {
		fmt.Println(err)
		return
	}
	pipeline := rollout.Pipeline{Name: "ship", Stages: []rollout.Stage{
		{Name: "build", Do: func(_ context.Context, s *rollout.StageRun) error {
			return image.Set(s, "shop:"+s.Release.Version)
		}},
		{Name: "smoke", Needs: []string{"build"}, Do: rollout.Ask(func(context.Context) error { return nil })},
		{Name: "expand", Needs: []string{"smoke"}, Do: does("add the column"), Undo: does("drop the column")},
		{
			Name: "production", Needs: []string{"expand"},
			Do: func(_ context.Context, s *rollout.StageRun) error {
				name, err := image.Get(s, "build")
				fmt.Println("start", name)
				return err
			},
			Undo: does("start the old one"),
		},
		{Name: "check", Needs: []string{"production"}, Do: func(context.Context, *rollout.StageRun) error { return errors.New("5 % of requests fail") }},
	}}
	report, err := engine.Run(context.Background(), rollout.RunRequest{ID: "shop 42", Release: rollout.Release{Name: "shop", Version: "42"}}, pipeline)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Outcome, "because", report.Reason)
	for _, s := range report.Stages {
		fmt.Println(s.Name, "is", s.Status)
	}
	// Output:
	// add the column
	// start shop:42
	// start the old one
	// drop the column
	// rolled back because check failed: 5 % of requests fail
	// build is done
	// smoke is done
	// expand is undone
	// production is undone
	// check is failed
}

// Once the old column is dropped there is no way back: a failure freezes the run, and a
// person has it tried again.
func ExampleEngine_Run_noReturn() {
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop"})
	if err != nil {
		fmt.Println(err)
		return
	}
	pipeline := rollout.Pipeline{Stages: []rollout.Stage{
		{Name: "migrate", Do: does("copy the rows"), Undo: does("forget the copies")},
		{Name: "contract", Needs: []string{"migrate"}, Do: does("drop orders.total"), NoReturn: "orders.total is dropped"},
		{Name: "announce", Needs: []string{"contract"}, Do: func(_ context.Context, s *rollout.StageRun) error {
			if s.Attempt == 1 {
				return errors.New("no network")
			}
			return nil
		}},
	}}
	done := make(chan struct{})
	go func() { // a person looks, and acts
		defer close(done)
		for {
			report, err := engine.Report("shop 42")
			if err == nil && report.State == "forward, frozen" {
				fmt.Println("frozen:", report.Reason)
				break
			}
			<-time.After(time.Millisecond)
		}
		if err := engine.Act(context.Background(), "shop 42", rollout.Act{Kind: rollout.Continue, Actor: "anna", Reason: "the network is back"}); err != nil {
			fmt.Println(err)
		}
	}()
	report, err := engine.Run(context.Background(), rollout.RunRequest{ID: "shop 42"}, pipeline)
	<-done
	fmt.Println(report.Outcome, err)
	// Output:
	// copy the rows
	// drop orders.total
	// frozen: announce failed: no network (there is no way back: orders.total is dropped)
	// succeeded <nil>
}

// Regions in waves, with a time to bake between: a wave needs the bake of the one before,
// and a bake is a gate that says yes when its time is over and all is well.
func Example_waves() {
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop"})
	if err != nil {
		fmt.Println(err)
		return
	}
	healthy := func(context.Context) error { return nil } // a monitor's Check, for example
	bake := func(ctx context.Context) error {
		select {
		case <-time.After(time.Millisecond): // an hour, in earnest
			return healthy(ctx)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	deploy := func(region string) func(*rollout.StageRun) (rollout.Request, error) {
		return func(*rollout.StageRun) (rollout.Request, error) {
			plan, err := strategy.Canary{Weights: []strategy.Share{10 * strategy.Percent, strategy.All}, Hold: time.Millisecond}.Plan(strategy.Input{})
			return rollout.Request{Environment: region, Plan: plan, Target: &splitter{}}, err
		}
	}
	var pipeline rollout.Pipeline
	var before []string
	for i, wave := range [][]string{{"eu-north"}, {"eu-west", "us-east"}} {
		var all []string
		for _, region := range wave {
			all = append(all, region)
			pipeline.Stages = append(pipeline.Stages, rollout.Stage{Name: region, Needs: before, Deploy: deploy(region)})
		}
		before = []string{fmt.Sprint("bake ", i+1)}
		pipeline.Stages = append(pipeline.Stages, rollout.Stage{Name: before[0], Needs: all, Do: rollout.Ask(bake)})
	}
	report, err := engine.Run(context.Background(), rollout.RunRequest{ID: "shop 42", Release: rollout.Release{Version: "42"}}, pipeline)
	fmt.Println(report.Outcome, err)
	for _, s := range report.Stages {
		fmt.Printf("%s needs [%s]: %v\n", s.Name, strings.Join(s.Needs, ", "), s.Status)
	}
	// Output:
	// succeeded <nil>
	// eu-north needs []: done
	// bake 1 needs [eu-north]: done
	// eu-west needs [bake 1]: done
	// us-east needs [bake 1]: done
	// bake 2 needs [eu-west, us-east]: done
}

// A pipeline from a file: what it names is bound in Go, and everything that is wrong is
// said at once.
func ExampleParsePipeline() {
	bindings := rollout.Bindings{
		Actions: map[string]rollout.Action{"build": does("build it"), "ship": does("ship it")},
		Gates:   map[string]rollout.Gate{"smoke": func(context.Context) error { return nil }},
	}
	_, err := rollout.ParsePipeline([]byte(`{"stages": [
  {"name": "build", "do": "bild"},
  {"name": "ship", "needs": ["biuld"], "do": "ship"}
]}`), bindings)
	fmt.Println(err)
	pipeline, err := rollout.ParsePipeline([]byte(`{"stages": [
  {"name": "build", "do": "build", "retry": {"attempts": 3, "wait": "10s"}},
  {"name": "smoke", "needs": ["build"], "gates": ["smoke"]},
  {"name": "ship", "needs": ["smoke"], "do": "ship"}
]}`), bindings)
	if err != nil {
		fmt.Println(err)
		return
	}
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := engine.Run(context.Background(), rollout.RunRequest{ID: "1"}, pipeline)
	fmt.Println(report.Outcome, err)
	// Output:
	// rollout: parse pipeline: invalid request: stages[0].do (line 2, column 27): found "bild", which is bound to nothing, did you mean "build"?
	// stages[1].needs[0] (line 3, column 30): found "biuld", and nothing has this name, did you mean "build"?
	// build it
	// ship it
	// succeeded <nil>
}

// A run as a picture.
func ExampleReport_WriteSVG() {
	begun := time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC)
	report := rollout.Report{
		ID: "shop 42", Pipeline: "ship", Release: rollout.Release{Name: "shop", Version: "42"}, State: "succeeded", Outcome: rollout.Succeeded,
		Started: begun, Ended: begun.Add(time.Minute), At: begun.Add(time.Minute),
		Stages: []rollout.StageReport{{Name: "build", Status: rollout.StageDone, Attempts: 1, Begun: begun, Ended: begun.Add(time.Minute)}},
	}
	fmt.Println(report)
	file, err := os.CreateTemp("", "run-*.svg")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(file.Name())
	fmt.Println(report.WriteSVG(file), file.Close())
	// Output:
	// shop 42: succeeded after 1m0s
	//   build      1m0s  done
	// <nil> <nil>
}
