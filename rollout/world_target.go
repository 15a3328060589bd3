package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/strategy"
)

// worldTarget is what stands for a target in a simulation. It outlives processes.
type worldTarget struct {
	scene   *scene
	name    string               // of the stage; empty for a request
	start   strategy.Observation // where it stood
	at      strategy.Observation // and stands
	crowd   crowd                // who comes
	cohorts []*health.Cohorts    // of the process, that outcomes are told
	rollout string               // that moved it last
}

// feed lets the requests come that are due. Called with the scene's mu held.
func (t *worldTarget) feed() {
	t.crowd.come(t.scene.elapsed(), t.scene.now, t.at.Share, t.cohorts)
}

// astray says where it was left, if that is more than it had before. It does not ask the
// engine's own reading. Called with the scene's mu held.
func (t *worldTarget) astray() error {
	at, start := t.at, t.start
	if at.Share > start.Share || at.Mirror > start.Mirror || at.Old < start.Old || at.New > start.New {
		return fmt.Errorf("%s, want %s", place(at), place(start))
	}
	return nil
}

// hand is a target as a rollout of one process has it.
type hand struct {
	*worldTarget
	process *process
	rollout string
}

// versioned is the hand of a target that knows versions.
type versioned struct{ hand }

// target returns the one of this name, which stands where the first plan for it begins.
// Called with mu held.
func (s *scene) target(name string, plan strategy.Plan) *worldTarget {
	i := slices.IndexFunc(s.targets, func(t *worldTarget) bool { return t.name == name })
	if i < 0 {
		i = len(s.targets)
		start := plan.Start()
		s.targets = append(s.targets, &worldTarget{scene: s, name: name, start: start, at: start, crowd: newCrowd(&s.world, name)})
	}
	return s.targets[i]
}

// hand returns the target of this name for a rollout.
func (s *scene) hand(p *process, name string, request Request) strategy.Target {
	if s.world.Limit == 0 {
		defer s.extend(3 * min(request.Plan.Length(), century/3))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := hand{s.target(name, request.Plan), p, request.ID}
	h.worldTarget.rollout = request.ID
	_, prepares := request.Target.(strategy.Preparer)
	if _, promotes := request.Target.(strategy.Promoter); prepares || promotes {
		return versioned{h}
	}
	return h
}

func (h hand) Observe(ctx context.Context) (strategy.Observation, error) {
	h.scene.mu.Lock()
	defer h.scene.mu.Unlock()
	if _, unseen := h.scene.meets(FaultTargetUnseen, h.name); unseen {
		return strategy.Observation{}, errors.New("the target does not answer")
	}
	h.feed()
	return h.at, ctx.Err()
}

func (h hand) Shift(ctx context.Context, to strategy.Share) error {
	status, err := h.process.engine.Status(h.rollout)
	if err != nil {
		return err
	}
	return h.move(ctx, func() {
		if allowed := status.State.Share; to > allowed {
			h.scene.breaks(fmt.Sprintf("%s gets %v, and the journal allows %v", h.rollout, to, allowed))
		}
		h.at.Share = to
	})
}

func (h hand) Mirror(ctx context.Context, to strategy.Share) error {
	return h.move(ctx, func() { h.at.Mirror = to })
}

func (h hand) Scale(ctx context.Context, old, new int) error {
	return h.move(ctx, func() { h.at.Old, h.at.New = old, new })
}

// move does what the target is asked, unless something goes wrong.
func (h hand) move(ctx context.Context, do func()) error {
	s := h.scene
	s.mu.Lock()
	_, hangs := s.meets(FaultTargetHangs, h.name)
	_, refuses := s.meets(FaultTargetRefuses, h.name)
	if !hangs && !refuses && ctx.Err() == nil {
		h.feed()
		h.at.Why = ""
		do()
	}
	s.mu.Unlock()
	switch {
	case hangs:
		s.clock.wait(ctx, forever, nil)
	case refuses:
		return errors.New("the target refuses")
	}
	return ctx.Err()
}

func (v versioned) Prepare(ctx context.Context, _, _ string) error { return ctx.Err() }

func (v versioned) Promote(ctx context.Context, _ string) error { return v.move(ctx, func() {}) }
