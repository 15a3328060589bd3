package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// RunRequest asks for one run of a pipeline. ID is required.
type RunRequest struct {
	// ID names the run in the journal, beside those of rollouts. A request with the ID of a
	// run that is over returns its report, and one with that of an interrupted run goes on
	// with it, if release and stages are the same; otherwise it is [ErrConflict].
	ID string
	// Service and Environment are what the run is about, if that is one. Empty means what
	// Options say, or nothing, where the stages say it.
	Service, Environment string
	// Release is what gets out. If it has no Digest, the run's rollouts of one service have
	// to find the same one, by Request.Artifact, in every environment: the first that one of
	// them found.
	Release Release
	// Actor and Reason are who asks, and why, for the journal. Empty means "host".
	Actor, Reason string
}

// Run takes a release through a pipeline, and returns what became of each stage. Stages
// begin as soon as all that they need is done, at most Pipeline.Parallel at once.
//
// When a stage fails for good, and it is not Optional, the run turns round: nothing
// begins any more, the contexts of those that are under way end, and then what was done,
// or cut short, is taken back, the last first, and nothing before what needs it. What
// cannot be taken back is tried again, after a second, two, and so on up to a minute,
// until it is, and meanwhile all that it does not stand on is taken back; where there is
// no way back ([ErrNoWayBack]), a person decides. The run ends as RolledBack when all is
// taken back, and as Failed if there was nothing.
//
// Once a stage with NoReturn has begun, a failure freezes the run instead: nothing
// begins, and what is under way goes on to its end. A person decides, by [Engine.Act]:
// Continue tries the failed stages again, and Abort ends the run as Failed, with all as it
// is. In general Pause keeps stages from beginning (one that was under way
// in a process that is gone begins again all the same, as a rollout must not stand still
// unwatched), Continue ends that, or has a way back
// tried again at once; and Abort makes the run turn round, or, if a way back has failed,
// leaves what is left.
//
// There is one run at a time of a pipeline in a service and environment, by the three
// names together. Another one waits, in order of arrival, while this process carries the
// first out; if nobody does here, it is [ErrConflict]: [Engine.Runs] has what is not over,
// to be run again, or acted on. So a stage cannot run its own pipeline, and two pipelines
// without names count as one.
//
// A run that fails is no error: look at Report.Outcome, or Report.Err. When the context
// ends first, Run stops where it is and returns the context's error: that is no abort, and
// the same request goes on from there, also in another process, as does one after a crash.
// It waits for the stages to return, ten seconds at most: the error names those that have
// not, whose goroutines are left behind.
func (e *Engine) Run(ctx context.Context, request RunRequest, pipeline Pipeline) (Report, error) {
	fail := func(err error) (Report, error) { return Report{}, &Error{"run", request.ID, err} }
	asked, err := e.askedRun(request, pipeline)
	if err != nil {
		return fail(err)
	}
	r, err := e.claimRun(ctx, request.ID, pipeline.name(), &asked)
	if err != nil {
		return fail(err)
	}
	if r.isOver() {
		return r.course.report(r.id), nil // nobody writes to it any more
	}
	defer e.releaseRun(r, pipeline.name(), asked)
	c := &conductor{engine: e, run: r, pipeline: pipeline, request: request, flights: map[int]*flight{}, takings: -1, landed: make(chan landing, len(pipeline.Stages))}
	err = c.conduct(ctx, asked)
	report, unknown := e.Report(r.id)
	if err == nil {
		err = unknown
	}
	if err != nil {
		return report, &Error{"run", request.ID, err}
	}
	return report, nil
}

// askedRun checks what was asked for, all at once.
func (e *Engine) askedRun(request RunRequest, pipeline Pipeline) (RequestedRun, error) {
	problems := []error{pipeline.Check()}
	if request.ID == "" || !utf8.ValidString(request.ID) {
		problems = append(problems, fmt.Errorf("%w: id: found %q, want some text in UTF-8", ErrInvalid, request.ID))
	}
	for i, s := range pipeline.Stages {
		if s.Guard != nil && s.Guard.engine != e {
			problems = append(problems, fmt.Errorf("%w: stages[%d] %q: guard: it is of another engine", ErrInvalid, i, s.Name))
		}
	}
	var asked Requested
	about := Request{Service: request.Service, Environment: request.Environment}
	problems = append(problems, e.place(&about, &asked))
	if err := errors.Join(problems...); err != nil {
		return RequestedRun{}, err
	}
	q := pipeline.requested(request.Release)
	q.Service, q.Environment = asked.Service, asked.Environment
	return q, nil
}

// conductor drives one run. Nothing but it touches its fields.
type conductor struct {
	engine   *Engine
	run      *run
	pipeline Pipeline
	request  RunRequest
	flights  map[int]*flight // what is under way, by stage
	landed   chan landing    // what has ended, with room for all: whoever sends wakes the run up
	pins     pins            // what the release was found to be; any goroutine may ask
	takings  int             // of the engine, when it has looked whether one is its
	hangs    bool            // the journal did not take the last word
}

// lastWord is how long the journal has for what ends as the context does.
const lastWord = 3 * time.Second

// conduct goes on until the run is over or the context ends.
func (c *conductor) conduct(ctx context.Context, asked RequestedRun) (err error) {
	defer func() { err = errors.Join(err, c.land(ctx)) }()
	if c.engine.nextOf(c.run, time.Time{}, c.mine).phase == Pending {
		if asked.Previous, err = c.engine.sailing(ctx, c.run, shipment{c.pipeline.name(), asked.Service, asked.Environment}); err != nil {
			return err
		}
		reason := c.pipeline.name() + " of " + asked.Release.String()
		if c.request.Reason != "" {
			reason += ": " + c.request.Reason
		}
		r := Record{Kind: KindRequested, Pipeline: c.pipeline.name(), Actor: cmp.Or(c.request.Actor, "host"), Reason: reason, Run: &asked}
		if err := c.write(ctx, r); err != nil {
			return err
		}
	}
	for {
		at := c.engine.clock.now()
		next := c.engine.nextOf(c.run, at, c.mine)
		if next.phase == Forward && !next.frozen && (next.do == courseBegin || next.do == courseFinish) {
			if r, found := c.taken(); found {
				if err := c.write(ctx, r); err != nil && !errors.Is(err, errOutOfPlace) {
					return err
				}
				continue
			}
		}
		if next.phase == Back {
			for _, f := range c.flights {
				if !f.undo || next.leave {
					f.cancel(errTurned)
				}
			}
		}
		switch next.do {
		case courseRest:
			return nil
		case courseBegin, courseUndo:
			err = c.begin(ctx, next.move, at)
		case courseSkip:
			err = c.write(ctx, Record{Kind: KindSkipped, At: at, Stage: c.name(next.stage), Actor: actor, Reason: next.why})
		case courseCut:
			err = c.write(ctx, Record{Kind: KindFailed, At: at, Stage: c.name(next.stage), Actor: actor, Reason: next.why, Result: &StageResult{Cut: true}})
		case courseFinish:
			err = c.write(ctx, Record{Kind: KindFinished, At: at, Actor: actor, Reason: c.why()})
		case courseWait:
			err = c.wait(ctx, next.at)
		}
		if errors.Is(err, errOutOfPlace) && c.engine.nextOf(c.run, at, c.mine).records != next.records {
			err = nil // somebody acted meanwhile: look again
		}
		if err != nil {
			return err
		}
	}
}

func (c *conductor) name(i int) string { return c.pipeline.Stages[i].Name }

func (c *conductor) mine(i int) bool { return c.flights[i] != nil }

// wait lets a stage end, a person act, or time go by.
func (c *conductor) wait(ctx context.Context, until time.Time) error {
	rest := forever
	if !until.IsZero() {
		rest = min(until.Sub(c.engine.clock.now()), longestRest) // the clock may be put back
	}
	landing, landed := c.arrival()
	if !landed {
		c.engine.clock.wait(ctx, rest, c.run.wake)
		landing, landed = c.arrival()
	}
	if !landed {
		return ctx.Err()
	}
	r := c.ended(landing)
	err := c.write(ctx, r)
	if err != nil && ctx.Err() != nil {
		c.keep(ctx, r)
	}
	return err
}

// arrival is something that has ended.
func (c *conductor) arrival() (l landing, ok bool) {
	select {
	case l = <-c.landed:
		return l, true
	default:
		return l, false
	}
}

// write appends a record, and tries again while the journal cannot be written: nothing
// goes on without it.
func (c *conductor) write(ctx context.Context, r Record) error {
	for stalls := 0; ; stalls++ {
		err := c.engine.record(ctx, c.run, r)
		switch {
		case err == nil && stalls > 0:
			c.engine.problem(c.run, nil)
			return nil
		case err == nil || ctx.Err() != nil || !heals(err):
			return err
		}
		c.engine.problem(c.run, err)
		c.engine.clock.wait(ctx, min(time.Second<<min(stalls, 3), 10*time.Second), nil)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// keep writes of what ended as the context did that it was done, so that it is not done
// again.
func (c *conductor) keep(ctx context.Context, r Record) {
	if r.Kind == KindFailed || c.hangs {
		return
	}
	ctx, cancel := c.engine.clock.within(context.WithoutCancel(ctx), lastWord, nil)
	defer cancel()
	_ = c.engine.record(ctx, c.run, r) // otherwise it is done again, which it bears
	c.hangs = ctx.Err() != nil
}

// land ends what is under way, and waits for it.
func (c *conductor) land(ctx context.Context) error {
	for _, f := range c.flights {
		f.cancel(context.Canceled)
	}
	var lost []string
	for len(c.flights) > 0 {
		landing, landed := c.arrival()
		if !landed {
			c.engine.clock.wait(context.Background(), forever, c.run.wake)
			continue
		}
		if errors.Is(landing.err, errGiven) {
			lost = append(lost, c.name(landing.stage))
		}
		c.keep(ctx, c.ended(landing))
	}
	if len(lost) > 0 {
		slices.Sort(lost)
		return fmt.Errorf("it has not waited longer than %v for %s, whose goroutines are left behind", patience, strings.Join(lost, ", "))
	}
	return nil
}
