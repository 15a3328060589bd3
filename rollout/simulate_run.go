package rollout

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// SimulateRun plays a run of a pipeline in a made-up world, as [Engine.Simulate] plays a
// rollout. Needs, retries, timeouts and points of no return are the pipeline's own. What
// the host would do is done by the world: Do and Undo are not called, and take no time; no
// When is asked, which is a yes; nothing is set as an [Output]. Deploy is called, as it only
// says what to do, and must not wait; what it asks for is played as by Simulate, on a
// target of its stage's own. A Guard is played as the rollout that it is, of a plain target.
//
// Stages take turns, in a fixed order, in goroutines that end before it returns.
func (e *Engine) SimulateRun(ctx context.Context, request RunRequest, pipeline Pipeline, world World) (Simulation, error) {
	return e.simulateRun(ctx, request, pipeline, world, newVirtualClock(world.start()))
}

func (e *Engine) simulateRun(ctx context.Context, request RunRequest, pipeline Pipeline, world World, clock stageClock) (Simulation, error) {
	fail := func(out Simulation, err error) (Simulation, error) {
		return out, &Error{"simulate", request.ID, err}
	}
	c := cast{unknown: true}
	for _, s := range pipeline.Stages {
		if s.Do != nil {
			c.does = append(c.does, s.Name)
		} else {
			c.deploys = append(c.deploys, s.Name)
		}
	}
	_, wrong := e.askedRun(request, pipeline)
	if err := errors.Join(world.check(c), wrong); err != nil {
		return fail(Simulation{}, err)
	}
	s := e.scene(request.ID, world, clock)
	if err := s.ledger.follows(e, clock.now()); err != nil {
		return fail(Simulation{}, err)
	}
	outcome, err := s.play(ctx, func(p *process) (Outcome, error) {
		report, err := p.engine.Run(p.ctx, request, s.staged(p, pipeline))
		return report.Outcome, err
	})
	out := s.result(outcome)
	if err != nil {
		return fail(out, err)
	}
	return out, nil
}

// Simulate plays the guard's rollout in a made-up world, from its beginning, as
// [Engine.Simulate] does; the flag does not move. What stands for it is a plain target.
func (g *Guard) Simulate(ctx context.Context, world World) (Simulation, error) {
	return g.engine.Simulate(ctx, g.plain(), world)
}

// plain is the guard's request, of no flag.
func (g *Guard) plain() Request {
	r := g.request
	r.guard, r.Watches = nil, maps.Clone(r.Watches)
	return r
}

// staged is a pipeline whose stages the world answers for, in one process.
func (s *scene) staged(p *process, pipeline Pipeline) Pipeline {
	pipeline.Stages = slices.Clone(pipeline.Stages)
	for i := range pipeline.Stages {
		stage := &pipeline.Stages[i]
		name, asks := stage.Name, stage.Deploy
		if stage.Guard != nil {
			r := stage.Guard.plain()
			r.ID = ""
			stage.Guard, asks = nil, func(*StageRun) (Request, error) { return r, nil }
		}
		if asks != nil {
			stage.Deploy = func(run *StageRun) (Request, error) {
				r, err := asks(run)
				if err != nil || r.ID != "" && r.ID != run.Rollout {
					return r, err
				}
				r.ID = run.Rollout
				return s.bound(p, name, r)
			}
		} else {
			stage.Do = s.does(*stage)
		}
		if stage.Undo != nil {
			stage.Undo = s.undoes(name)
		}
		stage.When = nil
	}
	return pipeline
}

// does is what a stage does.
func (s *scene) does(stage Stage) Action {
	return func(ctx context.Context, _ *StageRun) error {
		s.mu.Lock()
		takes, slow := s.meets(FaultStageTakes, stage.Name)
		s.left[stage.Name] = stage.goesBack()
		s.mu.Unlock()
		if slow {
			s.clock.wait(ctx, takes.By, nil)
		}
		s.mu.Lock()
		_, hangs := s.meets(FaultStageHangs, stage.Name)
		_, panics := s.meets(FaultStagePanics, stage.Name)
		_, fails := s.meets(FaultStageFails, stage.Name)
		if fails && ctx.Err() == nil { // it has left nothing behind
			delete(s.left, stage.Name)
		}
		s.mu.Unlock()
		switch {
		case hangs:
			s.clock.wait(ctx, forever, nil)
		case panics:
			panic("so the world has it")
		case fails:
			return errors.New("so the world has it")
		}
		return ctx.Err()
	}
}

// undoes is a stage's way back.
func (s *scene) undoes(name string) Action {
	return func(ctx context.Context, _ *StageRun) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, fails := s.meets(FaultUndoFails, name); fails {
			return errors.New("so the world has it")
		}
		if ctx.Err() == nil {
			delete(s.left, name)
		}
		return ctx.Err()
	}
}

// leftovers are the stages that were not taken back.
func (s *scene) leftovers() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.left)) {
		if s.left[name] {
			all = append(all, name)
		}
	}
	return all
}
