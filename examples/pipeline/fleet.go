package main

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/split"
)

// fleet is the versions of the shop that run, with a splitter in front of them: what the
// canary moves. Here a version is a handler of this process; with strategy/process, or
// with servers elsewhere, it is the same.
type fleet struct {
	*split.Splitter
	start    func(version string) (http.Handler, error)
	running  map[string]bool
	old, new string
	cohorts  atomic.Pointer[health.Cohorts] // of the canary, if there is one
}

// newFleet is a fleet with one version, which everybody gets.
func newFleet(salt, serves string, start func(version string) (http.Handler, error)) (*fleet, error) {
	f := &fleet{start: start, running: map[string]bool{}, old: serves}
	var err error
	if f.Splitter, err = split.New(split.Options{
		Unit: func(r *http.Request) string { return r.Header.Get("User") },
		Salt: salt,
		Pin:  split.PinHeader("Version"),
		Outcome: func(o split.Outcome) {
			if c := f.cohorts.Load(); c != nil && o.Unit != 0 && !o.Pinned {
				c.Record(health.Outcome{Unit: o.Unit, Slot: o.Slot, Ramp: int32(o.Share), Class: health.ByStatus(o.Status), Latency: o.Latency})
			}
		},
	}); err != nil {
		return nil, err
	}
	if err := f.run(serves); err != nil {
		return nil, err
	}
	return f, f.SetWeights(split.Weight{Backend: serves, Share: strategy.All})
}

// resume puts a version on its way where the journal has it.
func (f *fleet) resume(version string, share strategy.Share) error {
	if err := f.run(version); err != nil {
		return err
	}
	f.new = version
	return f.Shift(context.Background(), share)
}

// run starts a version, if it does not run already.
func (f *fleet) run(version string) error {
	if f.running[version] {
		return nil
	}
	handler, err := f.start(version)
	if err != nil {
		return fmt.Errorf("start %s: %w", version, err)
	}
	if err := f.Add(split.Backend{Name: version, Handler: handler}); err != nil {
		return err
	}
	f.running[version] = true
	return nil
}

// Prepare is told which versions it is about. The new one does not run yet.
func (f *fleet) Prepare(_ context.Context, old, new string) error {
	f.old, f.new = old, new
	return nil
}

// Scale starts and stops versions. Who stops has answered what it had begun.
func (f *fleet) Scale(ctx context.Context, old, new int) error {
	for _, v := range []struct {
		name      string
		instances int
	}{{f.old, old}, {f.new, new}} {
		if v.instances > 0 {
			if err := f.run(v.name); err != nil {
				return err
			}
			continue
		}
		if f.running[v.name] {
			if err := f.Remove(ctx, v.name); err != nil {
				return err
			}
			delete(f.running, v.name)
		}
	}
	return nil
}

// Shift gives the new version a share of the users, and the old one the rest.
func (f *fleet) Shift(_ context.Context, to strategy.Share) error {
	return f.SetWeights(split.Weight{Backend: f.new, Share: to}, split.Weight{Backend: f.old, Share: strategy.All - to})
}

// Observe reads back who runs, and who serves.
func (f *fleet) Observe(context.Context) (seen strategy.Observation, err error) {
	for _, w := range f.Weights() {
		if w.Backend == f.new {
			seen.Share = w.Share
		}
	}
	for name, count := range map[string]*int{f.old: &seen.Old, f.new: &seen.New} {
		if f.running[name] {
			*count = 1
		}
	}
	return seen, nil
}
