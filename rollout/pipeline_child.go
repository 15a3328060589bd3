package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
)

// child is the ID of the rollout that a stage is. Each attempt is a new one, unless the
// last is not over, or ended for good before a process died that was to write so; the way
// back is about the last one.
func (c *conductor) child(stage Stage, undo, resumed bool) (string, error) {
	switch {
	case stage.Guard != nil:
		return stage.Guard.request.ID, nil
	case stage.Deploy == nil:
		return "", nil
	}
	last := c.run.id + "/" + stage.Name
	for id, n := last, 2; ; n++ {
		status, err := c.engine.Status(id)
		switch {
		case errors.Is(err, ErrNotFound) && undo:
			return last, nil
		case errors.Is(err, ErrNotFound):
			return id, nil
		case err != nil:
			return "", err
		case undo:
		case status.State.Phase != Done, resumed && c.forGood(id):
			return id, nil
		case status.State.Outcome == Succeeded:
			if why, _ := c.takenBack(id); why == "" || resumed {
				return id, nil
			}
		}
		last, id = id, fmt.Sprintf("%s/%s#%d", c.run.id, stage.Name, n)
	}
}

// deploy is the action of a stage that is a rollout.
func (c *conductor) deploy(ctx context.Context, stage Stage, s *StageRun) error {
	var outcome Outcome
	var err error
	if stage.Guard != nil {
		outcome, err = stage.Guard.run(ctx, s.Run)
	} else {
		request, wrong := c.asks(stage, s)
		if wrong != nil {
			return wrong
		}
		outcome, err = c.engine.Deploy(ctx, request)
	}
	if err != nil {
		return err
	}
	if why, _ := c.takenBack(s.Rollout); why != "" { // before the journal has the stage as done
		return failure{why, errTaken}
	}
	if outcome == Succeeded {
		return nil
	}
	status, err := c.engine.Status(s.Rollout)
	if err != nil {
		return err
	}
	err = fmt.Errorf("rollout %q is %v: %s", s.Rollout, outcome, status.State.Reason)
	if outcome == Failed { // something of it is left
		return failure{err.Error(), errTaken}
	}
	if stage.Guard != nil || c.forGood(s.Rollout) {
		err = failure{err.Error(), errForGood}
	}
	return err
}

// forGood says whether a rollout came back because somebody wanted it so: a person, or
// who asked for another one, whose place no new attempt takes.
func (c *conductor) forGood(id string) bool {
	r, err := c.engine.lookUp(id)
	if err != nil || r == nil {
		return false
	}
	m := c.engine.machine(r)
	return !m.State().Automatic || m.replaced || m.State().Outcome == Superseded
}

// begun says whether this run has begun a rollout.
func (c *conductor) begun(id string) bool {
	r, err := c.engine.lookUp(id)
	return err == nil && r != nil && r.parent == c.run.id
}

// takenBack says that a rollout that had succeeded is taken back, and who wants that.
func (c *conductor) takenBack(id string) (why, by string) {
	back, err := c.engine.Status(BackID(id))
	if err != nil || back.TakesBack != id {
		return "", ""
	}
	return fmt.Sprintf("rollout %q was taken back by %s: %s", id, back.State.Actor, back.State.Reason), back.State.Actor
}

// taken is the record that a stage that was done has failed after all, as somebody has
// taken its rollout back since. It looks only if anything was taken back.
func (c *conductor) taken() (r Record, found bool) {
	c.engine.mu.Lock()
	takings := c.engine.takings
	var done []Stage
	for i, s := range c.pipeline.Stages {
		if takings != c.takings && s.Do == nil && c.run.course.stages[i].Status == StageDone {
			done = append(done, s)
		}
	}
	c.engine.mu.Unlock()
	for _, s := range done {
		id, err := c.child(s, true, false)
		if err != nil {
			continue
		}
		if why, by := c.takenBack(id); why != "" {
			return Record{Kind: KindFailed, Stage: s.Name, Actor: by, Reason: bounded(why), Result: &StageResult{Cut: true}}, true
		}
	}
	c.takings = takings
	return r, false
}

// why is the reason of the record that ends the run. Where a person has all left as it is,
// it names the rollouts that nobody drives any more.
func (c *conductor) why() string {
	c.engine.mu.Lock()
	why, leave := c.run.course.why(), c.run.course.leave
	c.engine.mu.Unlock()
	for _, s := range c.pipeline.Stages {
		if !leave || s.Do != nil {
			continue
		}
		last, err := c.child(s, true, false)
		if err != nil {
			continue
		}
		for _, id := range []string{last, BackID(last)} {
			if status, err := c.engine.Status(id); err == nil && status.State.Phase != Done && !status.Driven {
				why += fmt.Sprintf("; rollout %q is not over, and nobody carries it out: Resume it, or deploy another one in its place", id)
			}
		}
	}
	return why
}

// asks is what the stage's rollout is asked with: of what it does not say, the run does.
func (c *conductor) asks(stage Stage, s *StageRun) (Request, error) {
	r, err := stage.Deploy(s)
	if err != nil {
		return r, err
	}
	if r.ID != "" && r.ID != s.Rollout {
		return r, fmt.Errorf("%w: deploy: its request has the ID %q, want none: it follows from the run and the stage", ErrInvalid, r.ID)
	}
	r.ID, r.parent = s.Rollout, s.Run
	if r.Release == (Release{}) {
		r.Release = s.Release
	}
	r.Service, r.Environment = cmp.Or(r.Service, s.Service), cmp.Or(r.Environment, s.Environment)
	r.Actor, r.Reason = cmp.Or(r.Actor, c.request.Actor), cmp.Or(r.Reason, c.request.Reason)
	r.Artifact = c.pinned(r)
	return r, nil
}

// takeBack is the way back of a stage that is a rollout: one that is under way is aborted,
// and one that has succeeded is taken back.
func (c *conductor) takeBack(ctx context.Context, stage Stage, s *StageRun) error {
	status, err := c.engine.Status(s.Rollout)
	if errors.Is(err, ErrNotFound) {
		return nil // it never began
	} else if err != nil {
		return err
	}
	if stage.Guard != nil && !c.begun(s.Rollout) {
		return nil // what the host, or another run, has begun is not this run's to take back
	}
	resume := func(id string) (Outcome, error) {
		if stage.Guard != nil {
			return stage.Guard.run(ctx, s.Run) // of that which has succeeded, too, its way back
		}
		request, err := c.asks(stage, s)
		if err != nil {
			return Unfinished, err
		}
		request.ID = id
		return c.engine.Resume(ctx, request)
	}
	id, why := s.Rollout, fmt.Sprintf("the run %q takes it back", s.Run)
	left := func() error { return fmt.Errorf("%w: rollout %q was left where it stands", ErrNoWayBack, id) }
	switch state := status.State; {
	case state.Phase == Done && state.Outcome == Failed:
		return left()
	case state.Phase == Done && state.Outcome != Succeeded:
		return nil // it has come back already
	case state.Phase == Done:
		id = BackID(id)
		if back, err := c.engine.Status(id); err != nil || back.TakesBack != s.Rollout {
			err = c.engine.Act(ctx, s.Rollout, Act{Kind: RollBack, Actor: actor, Reason: why})
			if err != nil {
				return err
			}
		}
	case state.Phase != Back:
		if err := c.engine.Act(ctx, id, Act{Kind: Abort, Actor: actor, Reason: why}); err != nil {
			return err
		}
	}
	switch outcome, err := resume(id); {
	case err != nil:
		return err
	case outcome == Succeeded:
		return errors.New("it has succeeded meanwhile")
	case outcome == Failed:
		return left()
	}
	return nil
}
