package rollout

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/guidon-go/guidon/health"
)

// Simulate plays a rollout in a made-up world, on a time that passes only while everybody
// waits: days take seconds, and nothing of the host is touched. The engine is the real
// one, with the options of this one, on a journal of its own, which knows the good
// releases that this one's has. Of the request all counts that is configuration: plan,
// judges, deadlines, timeouts, and so on. What the host would do is done by the world:
// Target, Gates, Alarms, Artifact and Stable, which are not called and may be nil, and
// what Watches' cohorts count, in cohorts of the same options. Nobody is told: OnRecord,
// OnNotice and OnProblem are not called.
//
// Equal requests and worlds give equal simulations, byte for byte. An error says that the
// request or the world is wrong, all problems at once, or that it was refused, as Deploy
// would have; or that the context has ended.
//
// Requests are made up one by one, so it takes a second for some ten million of them.
func (e *Engine) Simulate(ctx context.Context, request Request, world World) (Simulation, error) {
	return e.simulate(ctx, request, world, newVirtualClock(world.start()))
}

func (e *Engine) simulate(ctx context.Context, request Request, world World, clock stageClock) (Simulation, error) {
	fail := func(out Simulation, err error) (Simulation, error) {
		return out, &Error{"simulate", request.ID, err}
	}
	c := cast{gates: append(request.Plan.Gates(), slices.Sorted(maps.Keys(request.Alarms))...)}
	s := e.scene(request.ID, world, clock)
	problems := []error{world.check(c)}
	if request.Target != nil {
		problems = append(problems, request.Plan.Check(request.Target))
	}
	problems = append(problems, e.place(&request, new(Requested)))
	if err := errors.Join(problems...); err != nil {
		return fail(Simulation{}, err)
	}
	if err := s.ledger.follows(e, clock.now()); err != nil {
		return fail(Simulation{}, err)
	}
	outcome, err := s.play(ctx, func(p *process) (Outcome, error) {
		bound, err := s.bound(p, "", request)
		if err != nil {
			return Unfinished, err
		}
		if back, err := p.engine.Status(BackID(request.ID)); err == nil && back.TakesBack == request.ID {
			bound.ID = back.ID
			return p.engine.Resume(p.ctx, bound)
		}
		return p.engine.Deploy(p.ctx, bound)
	})
	out := s.result(outcome)
	if err != nil {
		return fail(out, err)
	}
	return out, nil
}

// bound is a request whose names the world answers for, in one process.
func (s *scene) bound(p *process, stage string, r Request) (Request, error) {
	r.Target = s.hand(p, stage, r)
	r.Gates = map[string]Gate{}
	for _, name := range r.Plan.Gates() {
		r.Gates[name] = s.gate(name)
	}
	alarms := map[string]Gate{}
	for name := range r.Alarms {
		alarms[name] = s.gate(name)
	}
	r.Alarms = alarms
	if r.Stable != nil {
		r.Stable = s.stable
	}
	if r.Artifact != nil {
		digest := cmp.Or(r.Release.Digest, "sha256:simulated")
		r.Artifact = func(ctx context.Context) (string, error) { return digest, ctx.Err() }
	}
	var err error
	r.Watches, err = s.watches(p, stage, r)
	return r, err
}

// watches are those of a request, with cohorts that count in the world.
func (s *scene) watches(p *process, stage string, r Request) (map[string]Watch, error) {
	s.mu.Lock()
	there := p.watches[r.ID]
	s.mu.Unlock()
	if there != nil {
		return there, nil
	}
	watches, fresh := map[string]Watch{}, map[*health.Cohorts]*health.Cohorts{}
	var all []*health.Cohorts
	for _, name := range r.Plan.Judges() {
		w, known := r.Watches[name]
		if !known {
			continue
		}
		if fresh[w.Cohorts] == nil || w.Cohorts == nil {
			var o health.CohortsOptions
			if w.Cohorts != nil {
				o = w.Cohorts.Options()
			}
			cohorts, err := p.engine.Cohorts(r.ID, name, o)
			if err != nil {
				return nil, err
			}
			fresh[w.Cohorts], all = cohorts, append(all, cohorts)
		}
		w.Cohorts = fresh[w.Cohorts]
		watches[name] = w
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p.watches[r.ID] = watches
	t := s.target(stage, r.Plan)
	t.feed()
	t.cohorts = all
	return watches, nil
}
