package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/guidon-go/guidon/strategy"
)

// Deploy carries a request out and returns its outcome. When the context ends
// first, it stops where it is and returns the context's error: that is no abort,
// and the same request, given again, goes on from there, also in another process.
// A request that is over returns its outcome at once; one that this process carries
// out already is joined.
func (e *Engine) Deploy(ctx context.Context, request Request) (Outcome, error) {
	if err := request.check(); err != nil {
		return Unfinished, &Error{"deploy", request.ID, err}
	}
	asked := digest(struct {
		Release Release
		Plan    any
		Drill   bool `json:",omitempty"`
	}{request.Release.anonymous(), request.Plan, request.drill})
	return e.deploy(ctx, request, Requested{Digest: asked, Promotion: request.Promotion, Shadow: request.Shadow, Deadlines: request.Deadlines, Fails: request.fails()}, nil)
}

// anonymous leaves out what may differ between two requests for the same thing.
func (r Release) anonymous() Release {
	r.Committed = time.Time{}
	return r
}

// Resume goes on with a rollout that the journal knows, by its ID: the plan and all
// that it was asked with come from there; of the request it needs the ID, Target,
// Artifact, Gates, Watches, Alarms and Stable. It returns as Deploy does. A rollout that the
// journal does not know is [ErrNotFound].
func (e *Engine) Resume(ctx context.Context, request Request) (Outcome, error) {
	fail := func(err error) (Outcome, error) { return Unfinished, &Error{"resume", request.ID, err} }
	r, err := e.lookUp(request.ID)
	if err != nil {
		return fail(err)
	}
	if r == nil || e.machine(r).State().Phase == Pending {
		return fail(ErrNotFound)
	}
	return e.deploy(ctx, request, r.request, &r.request)
}

func (e *Engine) deploy(ctx context.Context, request Request, asked Requested, resumed *Requested) (Outcome, error) {
	op := "deploy"
	if request.guard != nil {
		op = "run"
	}
	fail := func(err error) (Outcome, error) { return Unfinished, &Error{op, request.ID, err} }
	if err := e.place(&request, &asked); err != nil {
		return fail(err)
	}
	if resumed != nil {
		asked.Service, asked.Environment = resumed.Service, resumed.Environment
	}
	run, err := e.claim(ctx, request, asked)
	if err != nil {
		return fail(err)
	}
	defer e.release(run)
	if s := e.machine(run).State(); s.Phase == Done {
		return s.Outcome, nil
	} else if s.Phase != Pending {
		request = run.request.bound(request)
	}
	if err := request.check(); err != nil {
		return fail(err)
	}
	d := &driver{engine: e, run: run, request: request}
	if e.machine(run).State().Phase == Pending {
		if err := d.sameArtifact(ctx); err != nil { // nobody makes room for what is refused
			return fail(err)
		}
		request = d.request
		if err := e.myTurn(ctx, run, request, asked.lane()); err != nil {
			return fail(err)
		}
		asked.Release, asked.Plan = request.Release, request.Plan
		if request.guard == nil {
			asked.Floor = request.Plan.Start().Share
		}
		asked.Promotion, asked.Shadow, asked.Deadlines, asked.Rework = request.Promotion, request.Shadow, request.Deadlines, request.Rework
		asked.Fails, asked.Drill = request.fails(), request.drill
		if err := d.begin(ctx, asked); err != nil {
			return fail(err)
		}
	}
	outcome, err := d.drive(ctx)
	if err == nil && outcome == Succeeded && run.request.Drill { // before anybody else has a turn
		if err = e.takeBack(ctx, run, request.drillBack()); e.known(BackID(run.id)) {
			err = nil // a person was faster
		}
	}
	if err != nil {
		return fail(err)
	}
	return outcome, nil
}

// bound is what the journal has of a request, with what binds its names now.
func (q Requested) bound(r Request) Request {
	r.Service, r.Environment, r.Release, r.Plan = q.Service, q.Environment, q.Release, q.Plan
	r.Promotion, r.Shadow, r.Deadlines, r.Rework = q.Promotion, q.Shadow, q.Deadlines, q.Rework
	return r
}

// place says which service and environment the request is about.
func (e *Engine) place(request *Request, asked *Requested) error {
	o := e.options
	if request.Service == "" {
		request.Service = o.Service
	}
	if request.Environment == "" {
		request.Environment = o.Environment
	}
	if o.Service != "" && request.Service != o.Service || o.Environment != "" && request.Environment != o.Environment {
		return fmt.Errorf("%w: service, environment: found %q in %q, want %q in %q, which the engine is for", ErrInvalid, request.Service, request.Environment, o.Service, o.Environment)
	}
	if !utf8.ValidString(request.Service) || !utf8.ValidString(request.Environment) {
		return fmt.Errorf("%w: service, environment: found %q in %q, want text in UTF-8", ErrInvalid, request.Service, request.Environment)
	}
	asked.Service, asked.Environment = request.Service, request.Environment
	return nil
}

// claim finds or makes the run of an ID, for one driver at a time; whoever comes
// second waits until the first is done with it.
func (e *Engine) claim(ctx context.Context, request Request, asked Requested) (*run, error) {
	for {
		r, err := e.lookUp(request.ID)
		if err != nil {
			return nil, err
		}
		e.mu.Lock()
		switch live := e.runs[request.ID]; {
		case live != nil:
			r = live
		case r == nil:
			r = newRun(request.ID)
			e.runs[r.id] = r
		}
		if r.course != nil {
			e.mu.Unlock()
			return nil, fmt.Errorf("%w: the journal has this ID for a run of a pipeline", ErrConflict)
		}
		phase, changed := r.machine.State().Phase, e.changed
		var policy error
		if phase != Pending && request.guard == nil { // of a guard, what the journal has wins
			policy = r.request.samePolicy(asked)
		}
		switch {
		case phase != Pending && (r.request.Digest != asked.Digest || r.request.lane() != asked.lane()):
			e.mu.Unlock()
			return nil, r.conflict(request.Plan)
		case policy != nil:
			e.mu.Unlock()
			return nil, fmt.Errorf("%w: the journal has this ID for another request: %w; give this one an ID of its own, or Resume that one as it is", ErrConflict, policy)
		case phase == Done || !r.active:
			r.active = r.active || phase != Done
			if phase == Done {
				r = &run{id: r.id, machine: r.machine} // nobody drives it: nothing to release
			}
			e.mu.Unlock()
			return r, nil
		}
		e.mu.Unlock()
		if request.guard != nil && request.parent == "" { // a stage waits for what becomes of it
			return nil, ErrRunning
		}
		e.clock.wait(ctx, forever, changed)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// release ends a claim.
func (e *Engine) release(r *run) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.runs[r.id] != r {
		return
	}
	r.active, r.problem = false, nil
	phase := r.machine.State().Phase
	if phase == Pending { // it never began
		delete(e.runs, r.id)
	}
	if phase == Pending || phase == Done {
		for _, l := range e.lanes {
			if l.active == r {
				l.active = nil
			}
		}
	}
	e.tell()
}

// conflict says where another request with the ID of this run differs.
func (r *run) conflict(plan strategy.Plan) error {
	there, here := r.request.Plan.Steps, plan.Steps
	if len(there) == 0 { // it is over, and a checkpoint has not kept it
		here = nil
	}
	for i := range max(len(there), len(here)) {
		was, is := "nothing", "nothing"
		if i < len(there) {
			was = there[i].String()
		}
		if i < len(here) {
			is = here[i].String()
		}
		if was != is {
			return fmt.Errorf("%w: the journal has this ID for another plan: its step %d is %q, and this one's %q; a plan cannot change on its way; under another ID, it takes the place of the one there, which goes back first", ErrConflict, i+1, was, is)
		}
	}
	return fmt.Errorf("%w: the journal has this ID for another request; give this one an ID of its own", ErrConflict)
}

// myTurn waits until no other rollout of the lane is under way.
func (e *Engine) myTurn(ctx context.Context, r *run, request Request, l lane) error {
	e.mu.Lock()
	r.request.Service, r.request.Environment, r.request.Release, r.request.Flag = l.service, l.environment, request.Release, l.flag // for Status, while it waits
	at, queue := 0, e.track(l).queue                                                                                                // whoever does not queue goes first, too, in order of arrival
	for at < len(queue) && (request.Overlap != Supersede || queue[at].hurries) {
		at++
	}
	r.hurries = request.Overlap == Supersede
	e.track(l).queue = slices.Insert(queue, at, r)
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.track(l).queue = slices.DeleteFunc(e.track(l).queue, func(q *run) bool { return q == r })
		e.tell()
	}()
	for {
		e.mu.Lock()
		here, changed := e.track(l), e.changed
		other := here.active
		if other == nil && here.queue[0] == r {
			here.active = r
			e.mu.Unlock()
			return nil
		}
		e.mu.Unlock()
		switch {
		case request.Overlap == Reject:
			return fmt.Errorf("%w: another rollout is under way, or waits: %s", ErrConflict, e.others(l, r))
		case request.Overlap == Supersede && other != nil:
			driven, err := e.supersede(ctx, other, request)
			if err != nil {
				return err
			}
			if driven {
				continue
			}
		}
		e.clock.wait(ctx, forever, changed)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// others names what keeps a request from its turn.
func (e *Engine) others(l lane, r *run) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if other := e.track(l).active; other != nil {
		return fmt.Sprintf("%q", other.id)
	}
	for _, other := range e.track(l).queue {
		if other != r {
			return fmt.Sprintf("%q", other.id)
		}
	}
	return "it is just over"
}

// supersede makes another rollout go back. If nobody drives it, because its process
// is gone, it does so itself, and says so.
func (e *Engine) supersede(ctx context.Context, other *run, by Request) (driven bool, err error) {
	m := e.machine(other)
	if s := m.State(); s.Phase != Done && !m.replaced {
		r := Record{Kind: KindReplaced, Step: s.Step, Generation: -1, Actor: actor, Reason: fmt.Sprintf("rollout %q takes its place", by.ID)}
		if err := e.record(ctx, other, r); err != nil && !errors.Is(err, errOutOfPlace) {
			return false, err
		}
		other.wakeUp()
	}
	e.mu.Lock()
	driven = !other.active && other.machine.State().Phase == Back
	other.active = other.active || driven
	e.mu.Unlock()
	if !driven {
		return false, nil
	}
	defer e.release(other)
	bindings := Request{ID: other.id, Target: by.Target, StepTimeout: by.StepTimeout}
	e.mu.Lock()
	if other.target != nil {
		bindings.Target = other.target
	}
	e.mu.Unlock()
	if by.guard != nil {
		bindings.Target = NewFlagTarget(by.guard.target.flags, by.guard.flag, other.request.Salt)
	}
	_, err = (&driver{engine: e, run: other, request: other.request.bound(bindings)}).drive(ctx)
	return true, err
}

// frozen says what keeps a rollout from going forward now, and until when. start
// says that it has not begun yet.
func (e *Engine) frozen(l lane, now time.Time, start bool) (why string, until time.Time, yes bool) {
	if why, until, yes = e.calendar.frozen(now); yes {
		return "freeze: " + why, until.UTC(), true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var hour []time.Time
	for _, b := range e.backs {
		if since := now.Sub(b.at); b.lane == l && start && since < e.options.Cooldown {
			why, until, yes = fmt.Sprintf("cooldown: the last one turned round by itself, and was over at %s", b.at.Format(time.TimeOnly)), b.at.Add(e.options.Cooldown), true
		} else if since < time.Hour {
			hour = append(hour, b.at)
		}
	}
	if limit := e.options.RollbacksPerHour; limit > 0 && len(hour) >= limit {
		if free := hour[len(hour)-limit].Add(time.Hour); free.After(until) {
			why, until, yes = fmt.Sprintf("%d rollouts turned round by themselves within an hour, and %d are allowed", len(hour), limit), free, true
		}
	}
	return why, until, yes
}
