package rollout

import (
	"fmt"
	"slices"
	"time"

	"github.com/guidon-go/guidon/internal/dag"
)

// apply folds one record in. A record that cannot follow is an error, and changes
// nothing.
func (c *course) apply(r Record) error {
	change, err := c.follow(r)
	if err != nil {
		return fmt.Errorf("%s of %q after %s: %w", r.Kind, r.Stage, c.state(r), err)
	}
	change()
	c.at = r.At
	c.records++
	return nil
}

// follow returns what a record changes, or why it cannot follow.
func (c *course) follow(r Record) (change func(), err error) {
	i := c.find(r.Stage)
	switch {
	case i < 0 && r.Stage != "":
		return nil, fmt.Errorf("the pipeline has no such stage: %w", errOutOfPlace)
	case i >= 0:
		return c.ofStage(i, r)
	case r.Kind == KindRequested && c.phase == Pending && r.Run != nil:
		graph, problems := dag.New(r.Run.names(), func(i int) []string { return r.Run.Stages[i].Needs })
		if len(problems) > 0 || len(r.Run.Stages) == 0 || r.Run.Parallel < 1 {
			return nil, fmt.Errorf("its pipeline cannot be: %w", errOutOfPlace)
		}
		return func() { c.begin(r, graph) }, nil
	case r.Kind == KindActed && r.Act != nil:
		return c.acted(r)
	case r.Kind == KindFinished && c.next(r.At, func(int) bool { return true }).do == courseFinish:
		return func() {
			c.outcome, c.reason, c.ended = c.ends(), r.Reason, r.At
			if c.phase == Forward {
				c.actor = r.Actor
			}
			c.phase = Done
		}, nil
	}
	return nil, errOutOfPlace
}

func (q *RequestedRun) names() []string {
	names := make([]string, len(q.Stages))
	for i, s := range q.Stages {
		names[i] = s.Name
	}
	return names
}

func (c *course) begin(r Record, graph *dag.Graph) {
	c.name, c.asked, c.graph, c.phase, c.started = r.Pipeline, *r.Run, graph, Forward, r.At
	c.stages, c.open, c.undoing = make([]courseStage, graph.Len()), graph.Len(), -1
	for i, s := range c.asked.Stages {
		c.stages[i].Name, c.stages[i].Needs = s.Name, s.Needs
		if c.stages[i].unmet = len(graph.Needs(i)); c.stages[i].unmet == 0 {
			c.ready = append(c.ready, i)
		}
	}
}

// ofStage is a record of a stage.
func (c *course) ofStage(i int, r Record) (change func(), err error) {
	s := &c.stages[i]
	running := s.Status == StageRunning
	next := move{do: courseWait}
	if c.phase == Forward || c.phase == Back {
		next = c.next(r.At, func(other int) bool { return other != i })
	}
	comes := next.stage == i
	switch {
	case r.Kind == KindBegun && comes && next.do == courseBegin && r.Attempt == s.Attempts+1:
		return func() { c.run(i, r) }, nil
	case r.Kind == KindBegun && running && r.Attempt == s.Attempts && c.phase == Forward && c.asked.Stages[i].NoReturn != "" && !s.passed:
		return func() { s.passed, c.gone = true, c.gone+1 }, nil
	case r.Kind == KindBegun && comes && next.do == courseUndo:
		return func() { c.undo(i, r) }, nil
	case r.Kind == KindSkipped && comes && next.do == courseSkip:
		return func() {
			c.skips = c.skips[1:]
			s.Begun = r.At
			c.skipped(i, r)
		}, nil
	case r.Kind == KindSkipped && running:
		return func() {
			c.leaves(i)
			c.skipped(i, r)
		}, nil
	case r.Kind == KindDone && running:
		return func() { c.done(i, r) }, nil
	case r.Kind == KindFailed && running:
		return func() { c.fails(i, r) }, nil
	case r.Kind == KindFailed && s.Status == StageDone && c.phase == Forward && !c.frozen.on():
		return func() { c.revoke(i, r) }, nil
	case r.Kind == KindDone && s.Status == StageUndoing:
		return func() {
			c.undoing = -1
			s.Status, s.Undo.Ended, s.Undo.StageResult = StageUndone, r.At, r.result()
			switch c.drops = slices.DeleteFunc(c.drops, func(one int) bool { return one == i }); {
			case c.phase == Forward:
				c.open--
				c.pass(i)
			case c.way == nil: // what was under way has not ended yet
				c.took++
			default:
				c.took++
				c.clears(i)
			}
		}, nil
	case r.Kind == KindFailed && s.Status == StageUndoing:
		return func() {
			c.undoing = -1
			s.Status, s.Until, s.rest, s.person = StageStuck, r.Until, r.Until.Sub(r.At), r.Until.IsZero()
			s.Undo.Reason, s.Undo.StageResult = r.Reason, r.result()
		}, nil
	}
	return nil, errOutOfPlace
}

// result is what the record has of an attempt.
func (r Record) result() StageResult {
	if r.Result == nil {
		return StageResult{}
	}
	return *r.Result
}

// run begins an attempt at a stage.
func (c *course) run(i int, r Record) {
	s := &c.stages[i]
	if s.Status == StagePending {
		c.ready, c.busy = c.ready[1:], append(c.busy, i)
	}
	if s.Attempts == 0 {
		s.Begun = r.At
	}
	s.Status, s.Attempts, s.Until = StageRunning, r.Attempt, r.Until
}

// leaves is a stage that is no longer under way.
func (c *course) leaves(i int) {
	c.busy = slices.DeleteFunc(c.busy, func(one int) bool { return one == i })
}

// done is a stage that is done: what needs it may have all that it needs.
func (c *course) done(i int, r Record) {
	s := &c.stages[i]
	c.leaves(i)
	s.Status, s.Ended, s.Until, s.Reason, s.StageResult = StageDone, r.At, time.Time{}, "", r.result()
	c.open--
	c.over = append(c.over, i)
	for _, user := range c.users(i) {
		if u := &c.stages[user]; u.Status == StagePending && u.unmet > 0 { // it may have begun before this one failed after all
			if u.unmet--; u.unmet == 0 {
				c.ready = append(c.ready, user)
			}
		}
	}
	c.collect()
}

// skipped is a stage that was skipped, and with it those that need it.
func (c *course) skipped(i int, r Record) {
	s := &c.stages[i]
	s.Status, s.Ended, s.Until, s.Reason, s.StageResult = StageSkipped, r.At, time.Time{}, r.Reason, r.result()
	c.open--
	c.pass(i)
	if s.passed && s.Attempts == 1 {
		s.passed = false
		if c.gone--; c.gone == 0 && c.frozen.on() { // so there was a way back all the time
			c.turn(c.reason, c.actor, r.At)
		}
	}
	c.collect()
}

// pass skips whoever needs a stage that was not done.
func (c *course) pass(i int) {
	for _, user := range c.users(i) {
		if s := &c.stages[user]; s.unmet >= 0 && s.Status == StagePending {
			s.unmet = -1 // once, whoever else of its needs is not done
			c.skips = append(c.skips, user)
		}
	}
}

// fails is an attempt that has failed.
func (c *course) fails(i int, r Record) {
	s := &c.stages[i]
	s.Reason, s.StageResult, s.cut = r.Reason, r.result(), s.cut || r.result().Cut
	if !r.Until.IsZero() && c.phase == Forward {
		s.Status, s.Until, s.rest = StageResting, r.Until, r.Until.Sub(r.At)
		return
	}
	c.leaves(i)
	c.lost(i, r.At)
	c.without(i, fmt.Sprintf("%s failed: %s", s.Name, r.Reason), r)
}

// users are those who wait for a stage.
func (c *course) users(i int) []int {
	if waits := c.stages[i].waits; waits != nil {
		return waits
	}
	return c.graph.Users(i)
}

// revoke is a stage that was done and has failed after all: what needs it, by way of
// others or not, and has not begun, waits for it again.
func (c *course) revoke(i int, r Record) {
	s := &c.stages[i]
	s.Status, s.Ended, s.Reason, s.cut, s.Cut = StageFailed, r.At, r.Reason, true, true
	c.open++
	s.waits = []int{}
	seen := map[int]bool{}
	for next := []int{i}; len(next) > 0; {
		one := next[0]
		next = next[1:]
		for _, user := range c.graph.Users(one) {
			if seen[user] {
				continue
			}
			seen[user] = true
			next = append(next, user)
			if u := &c.stages[user]; u.Status == StagePending && u.unmet >= 0 {
				u.unmet++
				s.waits = append(s.waits, user)
			}
		}
	}
	c.ready = slices.DeleteFunc(c.ready, func(one int) bool { return seen[one] })
	c.without(i, fmt.Sprintf("%s failed after it was done: %s", s.Name, r.Reason), r)
}

// without is how the run goes on when a stage has failed for good.
func (c *course) without(i int, why string, r Record) {
	asked := c.asked.Stages[i]
	switch {
	case c.phase == Back:
	case asked.Optional && c.holds(i): // the run goes on without it once it is taken back
		c.drops = append(c.drops, i)
	case asked.Optional:
		c.open--
		c.pass(i)
	case c.gone > 0:
		c.failed = append(c.failed, i)
		if !c.frozen.on() {
			c.reason, c.actor = why, r.Actor
			c.frozen = Stop{Since: r.At, Reason: why + " (there is no way back: " + c.point() + ")", Actor: r.Actor}
		}
	default:
		c.turn(why, r.Actor, r.At)
	}
	c.collect()
}

// lost is a stage that has failed for good.
func (c *course) lost(i int, at time.Time) {
	s := &c.stages[i]
	s.Status, s.Ended, s.Until = StageFailed, at, time.Time{}
	if s.cut {
		c.over = append(c.over, i)
	}
}

// point says why there is no way back.
func (c *course) point() string {
	for i, s := range c.asked.Stages {
		if c.stages[i].passed {
			return s.NoReturn
		}
	}
	return ""
}

// turn begins the way back. What is under way ends first.
func (c *course) turn(reason, actor string, at time.Time) {
	c.phase, c.reason, c.actor = Back, reason, actor
	c.paused, c.frozen, c.failed, c.ready, c.skips = Stop{}, Stop{}, nil, nil, nil
	for _, i := range slices.Clone(c.busy) {
		if s := &c.stages[i]; s.Status == StageResting {
			c.leaves(i)
			c.lost(i, at)
		}
	}
}
