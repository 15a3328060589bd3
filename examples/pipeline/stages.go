package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/verify"
)

// site is the shop where it runs, and what its pipeline works on.
type site struct {
	state, fail string
	url         string // of its front door
	engine      *rollout.Engine
	orders      *database
	fleet       *fleet
	nightly     atomic.Bool // a report that somebody runs at night reads orders.total
}

// openSite opens the shop as the journal has it: with the version that is good, and the
// share that one on its way has.
func openSite(state, fail string, release rollout.Release, engine *rollout.Engine) (*site, error) {
	s := &site{state: state, fail: fail, engine: engine}
	s.nightly.Store(fail == "contract")
	_, err := s.compile(program{Version: "v1", Column: "total"}) // is there since long ago
	if err != nil {
		return nil, err
	}
	if s.orders, err = openDatabase(filepath.Join(state, "orders"), oldOrders); err != nil {
		return nil, err
	}
	good, _ := engine.Good("", "")
	if s.fleet, err = newFleet(release.String(), cmp.Or(good.Version, "v1"), s.start); err != nil {
		return nil, err
	}
	for status := range engine.Live() {
		if err := s.fleet.resume(status.Release.Version, status.State.Share); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// artifact is where the build has put the program, and what it was then.
const artifact = rollout.Output[built]("artifact")

type built struct {
	File   string `json:"file"`
	Digest string `json:"digest"`
}

func (s *site) file(version string) string {
	return filepath.Join(s.state, "programs", version+".json")
}

func (s *site) start(version string) (http.Handler, error) { return start(s.file(version), s.orders) }

// build makes the program. What is wrong with it later is wrong with it from here.
func (s *site) build(ctx context.Context, run *rollout.StageRun) error {
	if s.fail == "build" {
		return errors.New("orders.go:17: undefined: totalCent")
	}
	file, err := s.compile(program{Version: run.Release.Version, Column: "total_cents", Bug: bugs[s.fail]})
	if err != nil {
		return err
	}
	digest, err := rollout.Digest(ctx, file)
	if err != nil {
		return err
	}
	return artifact.Set(run, built{file, digest})
}

// verify tries the program on a database of its own, as the orders are going to be.
func (s *site) verify(ctx context.Context, run *rollout.StageRun) error {
	program, err := artifact.Get(run, "build")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "orders-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	scratch, err := openDatabase(dir, 0)
	if err != nil {
		return err
	}
	if err := scratch.alter("total", "total_cents"); err != nil {
		return err
	}
	handler, err := start(program.File, scratch)
	if err != nil {
		return err
	}
	return (&verify.Suite{Handler: handler, Setup: placing, Tests: reading, Cleanup: removing}).Check(ctx)
}

// expand adds the column. When it hangs half way, nobody knows how far it came: then it
// is taken back.
func (s *site) expand(ctx context.Context, _ *rollout.StageRun) error {
	if !s.orders.has("total_cents") {
		if err := s.orders.alter("total", "total_cents"); err != nil {
			return err
		}
	}
	if s.fail == "expand" {
		<-ctx.Done() // a lock that it does not get
		return ctx.Err()
	}
	return nil
}

// unexpand drops the column, unless it is the only one by an earlier release.
func (s *site) unexpand(ctx context.Context, _ *rollout.StageRun) error {
	if !s.orders.has("total") {
		return nil
	}
	if err := s.orders.alter("total"); err != nil {
		return err
	}
	return s.orders.each(ctx, func(o *order) error {
		o.Cents = nil
		return nil
	})
}

// migrate fills the column in for the orders from before.
func (s *site) migrate(ctx context.Context, run *rollout.StageRun) error {
	filled := 0
	err := s.orders.each(ctx, func(o *order) error {
		if s.fail == "migrate" && o.ID == oldID(250) {
			return fmt.Errorf(`order %s: total: found "1250 EUR", want an amount like "12.50"`, o.ID)
		}
		if o.Cents != nil {
			return nil
		}
		filled++
		return o.fill()
	})
	fmt.Fprintf(run, "%d orders from before have total_cents now\n", filled)
	return err
}

// canary says how version 2 takes the place of the one before it.
func (s *site) canary(run *rollout.StageRun) (rollout.Request, error) {
	program, err := artifact.Get(run, "build")
	if err != nil {
		return rollout.Request{}, err
	}
	plan, err := strategy.Canary{
		Weights: []strategy.Share{10 * strategy.Percent, 50 * strategy.Percent, strategy.All},
		Hold:    700 * time.Millisecond, // a real one holds for an hour
		Exposed: 20,
		Gates:   []string{"smoke"},
		Judges:  []string{"errors"},
	}.Plan(strategy.Input{Old: cmp.Or(run.Previous.Version, "v1"), New: run.Release.Version, Instances: 1})
	if err != nil {
		return rollout.Request{}, err
	}
	cohorts, err := s.engine.Cohorts(run.Rollout, "errors", health.CohortsOptions{})
	if err != nil {
		return rollout.Request{}, err
	}
	s.fleet.cohorts.Store(cohorts)
	release := run.Release
	release.Digest = program.Digest
	front := &verify.Suite{URL: s.url, Setup: through(run.Release.Version, placing), Tests: through(run.Release.Version, reading), Cleanup: through(run.Release.Version, removing)}
	return rollout.Request{
		Release:  release,
		Artifact: func(ctx context.Context) (string, error) { return rollout.Digest(ctx, program.File) },
		Plan:     plan,
		Target:   s.fleet,
		Gates:    map[string]rollout.Gate{"smoke": front.Check},
		Watches:  map[string]rollout.Watch{"errors": {Judge: health.DefaultJudge(time.Minute), Cohorts: cohorts}},
		Look:     50 * time.Millisecond,
	}, nil
}

// contract drops the old column. Done half, it is done again from the start.
func (s *site) contract(ctx context.Context, _ *rollout.StageRun) error {
	if err := s.orders.alter("total_cents"); err != nil {
		return err
	}
	return s.orders.each(ctx, func(o *order) error {
		if s.nightly.Load() && o.ID == oldID(250) {
			return errors.New("the nightly report reads orders.total")
		}
		o.Total = ""
		return nil
	})
}

// ann is asked when the run freezes, and decides. Here she is this program.
func (s *site) ann(ctx context.Context, id string) error {
	var report rollout.Report
	for report.State != "forward, frozen" {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(20 * time.Millisecond):
		}
		report, _ = s.engine.Report(id)
	}
	fmt.Printf("\nIt is frozen, and asks: %s.\n", report.Reason)
	fmt.Printf("What now? The program answers as ann: she waits for the nightly report, and lets it go on.\n\n")
	s.nightly.Store(false)
	return s.engine.Act(ctx, id, rollout.Act{Kind: rollout.Continue, Actor: "ann", Reason: "the nightly report is over", Seen: report.State})
}
