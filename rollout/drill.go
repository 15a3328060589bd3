package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/guidon-go/guidon/strategy"
)

// Drill is what a drill came to: see [Engine.Drill]. Its times are those of the journal.
type Drill struct {
	ID       string  // the rollout's
	Release  Release // what was rolled out
	Previous Release // what it came back to
	// Outcome is how the way forward ended: Succeeded, or RolledBack by itself, and so
	// on. Unfinished while it is under way.
	Outcome Outcome
	Reason  string   // why it ended so
	Forward DrillWay // from the request to the last step
	Back    DrillWay // from the order to go back to the last step
	// Astray is where the target stood when it had come back, if that is not where it was
	// before. Empty means that it was there, that the drill is not over, or that nobody
	// could look, as it was over before, or the next rollout has begun.
	Astray string
}

// DrillWay is one of its ways.
type DrillWay struct {
	Ordered time.Time     // when it was asked for, or decided; zero if it was not
	Took    time.Duration // from then until its last step was done, and read back
	Over    bool          // there is no step left
	// Steps are in order. Of a drill whose records are gone, and that only a checkpoint
	// knows, there are none.
	Steps []DrillStep
}

// DrillStep is one step of a way.
type DrillStep struct {
	Step     string        // as the plan says it
	Begun    time.Time     // for the first time
	Took     time.Duration // from then until it was done, and read back; zero if it was not
	Attempts int           // how often it was begun
}

// Drill practises a rollback: it carries a request out as [Engine.Deploy] does, with its
// gates, holds and judges, and when that has succeeded, takes it back, and says how long
// each part took. The journal has it as a drill; the release to come back to is the same
// afterwards; and for [Delivery] it is no deployment. No other rollout of the same service
// and environment has its turn between, unless the process dies there.
//
// It is refused before anything moves if it could not come back: see [ErrNoWayBack]. One
// that fails comes back by itself, and then that is what was practised: [Drill.Err] says
// so.
//
// When the context ends, or the process, the same request given again goes on. One that
// is over moves nothing any more, and returns the same times. A rollout is a drill from
// its first record on: another call with its ID is [ErrConflict]. An error comes with
// what is known of the drill until then.
//
// A stage of a [Pipeline] drills in its Do, with an ID that follows from StageRun.Run.
func (e *Engine) Drill(ctx context.Context, request Request) (Drill, error) {
	request.drill = true
	before, _ := e.Status(BackID(request.ID))
	outcome, err := e.Deploy(ctx, request)
	if err == nil && outcome == Succeeded {
		err = e.practiseBack(ctx, request)
	}
	d, unread := e.drilled(request.ID)
	switch {
	case err != nil:
		return d, err
	case unread != nil:
		return d, &Error{"drill", request.ID, unread}
	}
	if before.State.Phase != Done { // otherwise others have had their turn since
		d.Astray = e.astray(ctx, request, d.Previous)
	}
	return d, nil
}

// Err is nil if the drill went forward, came back, and left the target where it was.
// Otherwise it says what went wrong.
func (d Drill) Err() error {
	problem := ""
	switch {
	case d.Outcome != Unfinished && d.Outcome != Succeeded:
		problem = fmt.Sprintf("it did not get there, and is %v: %s", d.Outcome, d.Reason)
	case !d.Back.Over:
		problem = "it has not come back"
	case d.Astray != "":
		problem = "it left the target elsewhere: " + d.Astray
	default:
		return nil
	}
	return &Error{"drill", d.ID, errors.New(problem)}
}

// String is a table for people: a line about the drill, and one for each step.
func (d Drill) String() string {
	var b strings.Builder
	short := func(took time.Duration) time.Duration { return took.Round(time.Millisecond) }
	text := fmt.Sprintf("%v went out in %v and came back in %v, and the target is where it was", d.Release, short(d.Forward.Took), short(d.Back.Took))
	if err := errors.Unwrap(d.Err()); err != nil {
		text = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	fmt.Fprintf(&b, "drill %s: %s", d.ID, text)
	for i, way := range []DrillWay{d.Forward, d.Back} {
		if way.Ordered.IsZero() {
			continue
		}
		fmt.Fprintf(&b, "\n%-7s  %9v", [...]string{"forward", "back"}[i], short(way.Took))
		for _, step := range way.Steps {
			fmt.Fprintf(&b, "\n         %9v  %s", short(step.Took), step.Step)
			if step.Attempts > 1 {
				fmt.Fprintf(&b, ", attempt %d", step.Attempts)
			}
		}
	}
	return b.String()
}

// drillBack is who takes a drill back.
func (r Request) drillBack() Act {
	return Act{Kind: RollBack, Actor: cmp.Or(r.Actor, "host"), Reason: "drill"}
}

// practiseBack takes a drill back that has succeeded.
func (e *Engine) practiseBack(ctx context.Context, request Request) error {
	back, err := e.Status(BackID(request.ID))
	if errors.Is(err, ErrNotFound) || err == nil && back.TakesBack != request.ID { // the process died before it asked for it
		err = e.Act(ctx, request.ID, request.drillBack())
	}
	if err != nil {
		return err
	}
	request.ID = BackID(request.ID)
	_, err = e.Resume(ctx, request)
	return err
}

// astray says where the target stands, if that is not where the plan begins.
func (e *Engine) astray(ctx context.Context, request Request, previous Release) string {
	d := driver{engine: e, request: request}
	ctx, cancel := context.WithTimeout(ctx, d.timeout())
	defer cancel()
	plan := request.Plan
	if err := d.named(ctx, &plan, previous); err != nil {
		return err.Error()
	}
	idle := func() bool { // whoever comes next tells the target of other versions
		e.mu.Lock()
		defer e.mu.Unlock()
		t := e.track(lane{cmp.Or(request.Service, e.options.Service), cmp.Or(request.Environment, e.options.Environment), ""})
		return t.active == nil && len(t.queue) == 0
	}
	if !idle() {
		return ""
	}
	var seen strategy.Observation
	err := ask(ctx, func(ctx context.Context) (err error) { seen, err = d.observe(ctx); return err })
	switch {
	case !idle():
		return ""
	case err != nil:
		return "target: " + err.Error()
	}
	want := plan.Start()
	if _, scales := request.Target.(strategy.Scaler); !scales {
		want.Old, want.New = seen.Old, seen.New
	}
	if want.Why = seen.Why; seen != want {
		return fmt.Sprintf("target: found %v, want %v", place(seen), place(want))
	}
	return ""
}

// drilled is what the journal has of a drill.
func (e *Engine) drilled(id string) (Drill, error) {
	d := Drill{ID: id}
	parts := map[string]*Machine{}
	for record, err := range e.journal.Records() {
		if err != nil {
			return d, err
		}
		for _, part := range []string{id, BackID(id)} {
			for r := range record.of(part, parts[part] == nil) {
				if parts[part] == nil {
					parts[part] = &Machine{}
				}
				if err := d.take(parts[part], r); err != nil {
					return d, fmt.Errorf("%w: record %d: %w", ErrCorrupt, r.Seq, err)
				}
			}
		}
	}
	for _, part := range []string{id, BackID(id)} {
		r, err := e.lookUp(part)
		if err != nil {
			return d, err
		}
		if parts[part] != nil || r == nil || r.machine.state.Phase != Done {
			continue
		}
		way := DrillWay{Ordered: r.started, Took: max(r.ended.Sub(r.started), 0), Over: r.machine.state.Outcome != Failed}
		if d.about(r.machine); part == id {
			d.Forward = way
		} else {
			d.Back = way
		}
	}
	return d, nil
}

// about takes in what is so at any time.
func (d *Drill) about(m Machine) {
	if q, s := m.route, m.state; q.TakesBack == "" {
		d.Release, d.Previous, d.Outcome, d.Reason = q.Release, q.Previous, s.Outcome, s.Reason
	}
}

// take folds one record of it in.
func (d *Drill) take(m *Machine, r Record) error {
	before, step := m.state, m.current()
	if err := m.Apply(r); err != nil {
		return err
	}
	after, way := m.state, &d.Forward
	if before.Phase == Back || after.Phase == Back {
		way = &d.Back
	}
	switch {
	case before.Phase == Pending, before.Phase != Back && after.Phase == Back:
		way.Ordered = r.At
	case r.Kind == KindBegun && before.Attempt == 0, r.Kind == KindWaiting:
		way.Steps = append(way.Steps, DrillStep{Step: step.String(), Begun: r.At, Attempts: 1})
	case r.Kind == KindBegun:
		way.Steps[len(way.Steps)-1].Attempts = r.Attempt
	case r.Kind == KindDone:
		last := &way.Steps[len(way.Steps)-1]
		last.Took, way.Took = max(r.At.Sub(last.Begun), 0), max(r.At.Sub(way.Ordered), 0)
	case after.Phase == Done:
		way.Over = after.Outcome != Failed // left on its way
	}
	d.about(*m)
	return nil
}
