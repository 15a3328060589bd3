package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/internal/dag"
)

// course is the whole of a run's logic: a fold over its records, which says what comes
// next. Like a [Machine], it has no clock, no goroutine and no I/O. Unlike one it is
// changed in place, so that each record costs as much as the stages that it is about.
type course struct {
	name   string
	asked  RequestedRun
	graph  *dag.Graph
	phase  Phase // Pending, Forward, Back or Done
	stages []courseStage

	ready []int // all that they need is done, in the order in which that came about
	skips []int // what they need was not done
	busy  []int // begun and not over: under way or resting
	open  int   // those that go forward still
	gone  int   // those past whose begin there is no return

	paused  Stop  // by a person
	frozen  Stop  // by a failure past the point of no return
	failed  []int // by which
	over    []int // what was done or cut short, in that order
	leave   bool  // nothing is taken back any more
	drops   []int // optional ones that were cut short, and are taken back before the run ends
	way     []int // of over, what is not taken back yet; nothing before all has ended
	undoing int   // is being taken back, or -1
	took    int   // how many were taken back

	outcome        Outcome
	reason, actor  string // why it turned round, or ended, and who made it
	started, ended time.Time
	at             time.Time // of the newest record
	records        int
}

// courseStage is what a run's records say of one stage.
type courseStage struct {
	StageReport
	rest   time.Duration // from its last failure to Until
	unmet  int           // needs that are not done
	waits  []int         // who waits for it, if it has failed after it was done
	passed bool          // it is past its point of no return
	fresh  int           // attempts before a person had it tried again
	cut    bool          // an attempt was cut short
	clear  bool          // on the way back: nothing of it, and of what needs it, is left
	users  int           // who needs it and is not clear
	person bool          // its way back is tried again only if a person says so
}

// due says whether it is tried again now: its rest is over, or the clock was put back.
func (s *courseStage) due(now time.Time) bool {
	return !now.Before(s.Until) || s.Until.Sub(now) > 2*s.rest
}

// What comes next in a run.
type courseDo uint8

const (
	courseRest   courseDo = iota // nothing: it was not requested, or is over
	courseBegin                  // begin move.stage
	courseSkip                   // skip it
	courseCut                    // it was under way in a process that is gone
	courseUndo                   // begin its way back
	courseWait                   // nothing before move.at, if that is not zero, or before a stage ends
	courseFinish                 // record the end
)

// move is the single thing to do next. After it is done, there may be another one to do
// at the same time.
type move struct {
	do    courseDo
	stage int
	at    time.Time
	why   string // of courseSkip and courseCut
}

// next says what comes next. mine says of a stage that is under way, or its way back,
// whether it is in this process: what is not was left behind by a crash.
func (c *course) next(now time.Time, mine func(stage int) bool) move {
	switch c.phase {
	case Forward:
		return c.forward(now, mine)
	case Back:
		return c.back(now, mine)
	}
	return move{do: courseRest}
}

func (c *course) forward(now time.Time, mine func(int) bool) move {
	wait := move{do: courseWait}
	halted := c.paused.on() || c.frozen.on()
	if c.undoing >= 0 && !mine(c.undoing) {
		return move{do: courseUndo, stage: c.undoing}
	}
	for _, i := range c.drops {
		switch s := &c.stages[i]; {
		case c.undoing >= 0 || s.person:
		case !s.due(now):
			wait.at = earlier(wait.at, s.Until)
		default:
			return move{do: courseUndo, stage: i}
		}
	}
	for _, i := range c.busy {
		s := &c.stages[i]
		switch {
		case s.Status == StageRunning && !mine(i):
			return move{do: courseBegin, stage: i}
		case s.Status == StageRunning || halted:
		case s.due(now):
			return move{do: courseBegin, stage: i}
		default:
			wait.at = earlier(wait.at, s.Until)
		}
	}
	switch {
	case len(c.skips) > 0:
		return move{do: courseSkip, stage: c.skips[0], why: c.unmet(c.skips[0])}
	case c.open == 0:
		return move{do: courseFinish}
	case len(c.ready) > 0 && len(c.busy) < c.asked.Parallel && !halted:
		return move{do: courseBegin, stage: c.ready[0]}
	}
	return wait
}

func (c *course) back(now time.Time, mine func(int) bool) move {
	wait := move{do: courseWait}
	for _, i := range c.busy {
		if !mine(i) {
			return move{do: courseCut, stage: i, why: "its process is gone, and nobody knows how far it had come"}
		}
	}
	switch {
	case len(c.busy) > 0:
		return wait
	case c.undoing >= 0 && mine(c.undoing):
		return wait
	case c.leave:
		return move{do: courseFinish}
	case c.undoing >= 0:
		return move{do: courseUndo, stage: c.undoing}
	}
	for _, i := range slices.Backward(c.way) {
		s := &c.stages[i]
		switch {
		case s.clear || s.users > 0 || s.person:
		case !s.due(now):
			wait.at = earlier(wait.at, s.Until)
		default:
			return move{do: courseUndo, stage: i}
		}
	}
	if len(c.way) == 0 {
		return move{do: courseFinish}
	}
	return wait
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// unmet says which need of a stage was not done.
func (c *course) unmet(i int) string {
	for _, need := range c.graph.Needs(i) {
		if s := c.stages[need]; s.Status == StageSkipped || s.Status == StageFailed || s.Status == StageUndone {
			verb := "failed"
			if s.Status == StageSkipped {
				verb = "was skipped"
			}
			return fmt.Sprintf("it needs %s, which %s", s.Name, verb)
		}
	}
	return "what it needs was not done"
}

// String is "forward", "forward, frozen", "back", "succeeded": what records call From
// and To, and [Act] Seen.
func (c *course) String() string {
	switch {
	case c.phase == Pending:
		return "pending"
	case c.phase == Done:
		return c.outcome.String()
	case c.phase == Back:
		return "back"
	case c.frozen.on():
		return "forward, frozen"
	case c.paused.on():
		return "forward, paused"
	}
	return "forward"
}

// state is where a record's stage stands, or the run if it is of none.
func (c *course) state(r Record) string {
	if i := c.find(r.Stage); i >= 0 {
		return c.stages[i].Status.String()
	}
	return c.String()
}

// becomes is where a record that may follow leaves its stage, or the run.
func (c *course) becomes(r Record) string {
	s := StagePending
	if i := c.find(r.Stage); i >= 0 {
		s = c.stages[i].Status
	}
	switch {
	case r.Kind == KindRequested:
		return "forward"
	case r.Kind == KindFinished:
		return c.ends().String()
	case r.Kind == KindActed && r.Act.Kind == Pause:
		return "forward, paused"
	case r.Kind == KindActed && (r.Act.Kind == Abort || c.phase == Back):
		return "back"
	case r.Kind == KindActed:
		return "forward"
	case r.Kind == KindBegun && (c.phase == Back || s == StageFailed || s == StageUndoing || s == StageStuck):
		s = StageUndoing
	case r.Kind == KindBegun:
		s = StageRunning
	case r.Kind == KindSkipped:
		s = StageSkipped
	case r.Kind == KindDone && s == StageUndoing:
		s = StageUndone
	case r.Kind == KindDone:
		s = StageDone
	case s == StageUndoing:
		s = StageStuck
	case r.Until.IsZero() || c.phase == Back:
		s = StageFailed
	default:
		s = StageResting
	}
	return s.String()
}

// find is the number of a stage, or -1.
func (c *course) find(name string) int {
	if name == "" || c.graph == nil {
		return -1
	}
	return c.graph.Find(name)
}

// holds says whether there is something of a stage to take back.
func (c *course) holds(i int) bool {
	s := &c.stages[i]
	switch s.Status {
	case StageDone, StageUndoing, StageStuck:
		return c.asked.Stages[i].Undo
	case StageFailed:
		return c.asked.Stages[i].Undo && s.cut
	}
	return false
}

// ends is the outcome if it ended now.
func (c *course) ends() Outcome {
	switch {
	case c.phase == Forward:
		return Succeeded
	case c.took > 0 && !c.leave:
		return RolledBack
	}
	return Failed
}

// why is the reason of the record that ends it.
func (c *course) why() string {
	if c.phase == Back {
		var left []string
		for i := range c.stages {
			if c.leave && c.holds(i) {
				left = append(left, c.stages[i].Name)
			}
		}
		if len(left) > 0 {
			return fmt.Sprintf("%s; not taken back: %s", c.reason, strings.Join(left, ", "))
		}
		return c.reason
	}
	var but []string
	for _, s := range c.stages {
		switch s.Status {
		case StageSkipped:
			but = append(but, s.Name+" was skipped")
		case StageFailed:
			but = append(but, s.Name+" failed")
		case StageUndone:
			but = append(but, s.Name+" failed and was taken back")
		}
	}
	const most = 10
	switch more := len(but) - most; {
	case len(but) == 0:
		return "every stage was done"
	case more > 0:
		but = append(but[:most], fmt.Sprintf("and %d more", more))
	}
	return "every stage was done, but " + strings.Join(but, ", ")
}
