package rollout

import (
	"fmt"
	"slices"
	"time"
)

// collect finds out what there is to take back, as soon as nothing is under way.
func (c *course) collect() {
	if c.phase != Back || len(c.busy) > 0 || c.way != nil {
		return
	}
	c.way = []int{}
	for _, i := range c.over {
		if c.holds(i) {
			c.way = append(c.way, i)
		}
	}
	for i := range c.stages {
		c.stages[i].users = len(c.graph.Users(i))
	}
	for i := range c.stages {
		if s := &c.stages[i]; s.users == 0 && !s.clear && !c.holds(i) {
			c.clears(i)
		}
	}
}

// clears is a stage of which nothing is left. What it needs may be taken back now.
func (c *course) clears(i int) {
	next := []int{i}
	for len(next) > 0 {
		one := next[len(next)-1]
		next = next[:len(next)-1]
		c.stages[one].clear = true
		for _, need := range c.graph.Needs(one) {
			s := &c.stages[need]
			if s.users--; s.users == 0 && !c.holds(need) {
				next = append(next, need)
			}
		}
	}
	for n := len(c.way); n > 0 && c.stages[c.way[n-1]].clear; n-- {
		c.way = c.way[:n-1]
	}
}

// undo begins an attempt at a stage's way back.
func (c *course) undo(i int, r Record) {
	s := &c.stages[i]
	if s.Undo == nil {
		s.Undo = &UndoReport{Begun: r.At}
	}
	c.undoing = i
	s.Undo.Attempts++
	s.Status, s.Until = StageUndoing, r.Until
}

// acted is what a person does to a run.
func (c *course) acted(r Record) (change func(), err error) {
	switch seen := r.Act.Seen; {
	case c.phase == Pending:
		return nil, refused("it has not begun")
	case seen != "" && seen != c.String():
		return nil, refused("it is %v by now, and was seen %s", c, seen)
	case c.phase == Done:
		return nil, fmt.Errorf("%w: it is %v", ErrOver, c)
	}
	why := string(r.Act.Kind) + " by " + r.Actor
	if r.Act.Reason != "" {
		why += ": " + r.Act.Reason
	}
	switch forward := c.phase == Forward; r.Act.Kind {
	case Pause:
		switch {
		case !forward:
			return nil, refused("it is going back, and a way back is never paused")
		case c.paused.on():
			return nil, refused("it is paused already: %s", c.paused.Reason)
		case c.frozen.on():
			return nil, refused("it is frozen already: %s", c.frozen.Reason)
		}
		return func() { c.paused = Stop{Since: r.At, Reason: r.Act.Reason, Actor: r.Actor} }, nil
	case Continue:
		if !c.sticks() && !(forward && (c.paused.on() || c.frozen.on())) {
			return nil, refused("it is neither paused nor frozen, and no way back has failed")
		}
		return c.goOn, nil
	case Abort:
		switch {
		case c.leave:
			return nil, refused("it is being ended already")
		case !forward && !c.sticks():
			return nil, refused("it is going back already: %s", c.reason)
		}
		return func() {
			if !forward { // what could not be taken back stays
				c.leave = true
				return
			}
			c.leave = c.gone > 0
			if c.frozen.on() {
				why = c.frozen.Reason + "; " + why
			}
			c.turn(why, r.Actor, r.At)
			c.collect()
		}, nil
	}
	return nil, refused("a run of a pipeline can be paused, continued and aborted")
}

// sticks says whether a way back has failed.
func (c *course) sticks() bool {
	for _, i := range slices.Concat(c.drops, c.way) {
		if s := &c.stages[i]; s.Status == StageStuck || s.Status == StageUndoing && s.Undo.Attempts > 1 {
			return true
		}
	}
	return false
}

// goOn is a person's word that it may go on: what has failed past the point of no
// return is tried again, and so is each way back that has failed.
func (c *course) goOn() {
	for _, i := range c.failed {
		s := &c.stages[i]
		s.Status, s.Ended, s.fresh = StagePending, time.Time{}, s.Attempts
	}
	c.ready = append(c.failed, c.ready...)
	c.failed, c.paused, c.frozen = nil, Stop{}, Stop{}
	if c.phase == Forward {
		c.reason, c.actor = "", ""
	}
	for _, i := range slices.Concat(c.drops, c.way) {
		c.stages[i].Until, c.stages[i].person = time.Time{}, false
	}
}
