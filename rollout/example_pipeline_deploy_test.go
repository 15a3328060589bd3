package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
)

// Several services are promoted together or not at all: each is a rollout of its own, to
// 10 % and a smoke test, and then waits at a gate until all others have come that far. The
// journal says whether they have, so that it is no matter in which process they are. When
// one fails before, none is promoted and all go back. When one fails as it is promoted,
// the others come back from wherever they are: a rollout that has succeeded already needs
// an earlier release to come back to.
func Example_together() {
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Environment: "production"})
	if err != nil {
		fmt.Println(err)
		return
	}
	services := []string{"cart", "payment", "search"}
	plan := strategy.Plan{Strategy: "together", Steps: []strategy.Step{
		strategy.Shift{To: 10 * strategy.Percent},
		strategy.Verify{Gates: []string{"smoke"}},
		strategy.Verify{Gates: []string{"all are ready"}}, // the others are, once they stand here
		strategy.Shift{From: 10 * strategy.Percent, To: strategy.All},
	}}
	ready := func(run string) rollout.Gate {
		return func(ctx context.Context) error {
			for _, service := range services {
				for {
					status, err := engine.Status(run + "/" + service)
					if s := status.State; err == nil && (s.Phase == rollout.Forward && s.Step >= 2 || s.Outcome == rollout.Succeeded) {
						break
					}
					select {
					case <-time.After(time.Millisecond): // a second, in earnest
					case <-ctx.Done():
						return ctx.Err()
					}
				}
			}
			return nil
		}
	}
	ship := func(version string, fails string) {
		var pipeline rollout.Pipeline
		targets := map[string]*lamp{}
		for _, service := range services {
			target := &lamp{}
			targets[service] = target
			pipeline.Stages = append(pipeline.Stages, rollout.Stage{Name: service, Deploy: func(s *rollout.StageRun) (rollout.Request, error) {
				smoke := func(context.Context) error {
					if service == fails {
						return errors.New("no capacity")
					}
					return nil
				}
				return rollout.Request{
					Service: service, Plan: plan, Target: target, StepTimeout: time.Hour, // the slowest of all may take that long
					Gates: map[string]rollout.Gate{"smoke": smoke, "all are ready": ready(s.Run)},
				}, nil
			}})
		}
		report, err := engine.Run(context.Background(), rollout.RunRequest{ID: "spring " + version, Release: rollout.Release{Version: version}}, pipeline)
		fmt.Println(version, report.Outcome, err)
		for _, service := range services {
			fmt.Printf("  %s is at %v, was promoted: %v\n", service, targets[service].at(), targets[service].most() == strategy.All)
		}
	}
	ship("1", "")
	ship("2", "search")
	// Output:
	// 1 succeeded <nil>
	//   cart is at 100 %, was promoted: true
	//   payment is at 100 %, was promoted: true
	//   search is at 100 %, was promoted: true
	// 2 rolled back <nil>
	//   cart is at 0 %, was promoted: false
	//   payment is at 0 %, was promoted: false
	//   search is at 0 %, was promoted: false
}

// A stage that a judge watches on live traffic: the cohorts are those of the stage's
// rollout, whose ID it is told, and whoever serves the traffic records in them. In a file,
// Bindings.Watches makes them.
func Example_judgedStage() {
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop"})
	if err != nil {
		fmt.Println(err)
		return
	}
	target := &lamp{}
	var cohorts atomic.Pointer[health.Cohorts]
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() { // the traffic: whoever gets the new version gets an error
		for user := uint64(1); ctx.Err() == nil; user++ {
			share, slot := target.at(), int32(user*7919%100_000)
			if c := cohorts.Load(); c != nil {
				class := health.Success
				if slot < int32(share) {
					class = health.Failure
				}
				c.Record(health.Outcome{Unit: user * 0x9e3779b97f4a7c15, Slot: slot, Ramp: int32(share), Class: class})
			}
			<-time.After(10 * time.Microsecond)
		}
	}()
	pipeline := rollout.Pipeline{Stages: []rollout.Stage{{Name: "production", Deploy: func(s *rollout.StageRun) (rollout.Request, error) {
		plan, err := strategy.Canary{Weights: []strategy.Share{10 * strategy.Percent, strategy.All}, Hold: time.Hour, Judges: []string{"errors"}}.Plan(strategy.Input{})
		if err != nil {
			return rollout.Request{}, err
		}
		live, err := engine.Cohorts(s.Rollout, "errors", health.CohortsOptions{})
		if err != nil {
			return rollout.Request{}, err
		}
		cohorts.Store(live)
		judge := health.DefaultJudge(time.Hour, health.Errors)
		return rollout.Request{Plan: plan, Target: target, Look: time.Millisecond, Watches: map[string]rollout.Watch{"errors": {Judge: judge, Cohorts: live}}}, nil
	}}}}
	report, err := engine.Run(ctx, rollout.RunRequest{ID: "shop 42", Release: rollout.Release{Name: "shop", Version: "42"}}, pipeline)
	fmt.Println(report.Outcome, err)
	fmt.Println(report.Stages[0].Name, "has", report.Stages[0].Status, "and is at", target.at())
	status, err := engine.Status("shop 42/production")
	fmt.Println(status.State.Outcome, "by", status.State.Actor, err)
	// Output:
	// failed <nil>
	// production has failed and is at 0 %
	// rolled back by judge errors <nil>
}

// lamp is a target that is safe for concurrent use, and remembers the largest share.
type lamp struct{ share, peak atomic.Int32 }

func (l *lamp) Shift(_ context.Context, to strategy.Share) error {
	l.share.Store(int32(to))
	l.peak.Store(max(l.peak.Load(), int32(to)))
	return nil
}

func (l *lamp) Observe(context.Context) (strategy.Observation, error) {
	return strategy.Observation{Share: l.at()}, nil
}

func (l *lamp) at() strategy.Share   { return strategy.Share(l.share.Load()) }
func (l *lamp) most() strategy.Share { return strategy.Share(l.peak.Load()) }
