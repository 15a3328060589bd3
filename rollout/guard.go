package rollout

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/strategy"
)

// Guarded says how a flag ramps itself. Flag is required; every other zero is
// right for most.
type Guarded struct {
	// Flag is the boolean flag; its document must have it.
	Flag flag.Switch
	// ID names the rollout in the journal. Empty means the flag's key. A rollout that
	// is over is never run again: to try once more after a rollback, give it another
	// ID ("new-checkout 2"). It names the change behind the flag; a new build of the
	// same change has the same ID and goes on where the last one stopped.
	ID string
	// Release is what the flag releases, for the journal and the delivery metrics.
	Release Release
	// Before must say yes before anybody is exposed.
	Before map[string]Gate
	// Ladder is the shares to go through, ascending, up to 100 %. Nil means 1, 10,
	// 50 and 100 %.
	Ladder []flag.Share
	// Hold is the least time at each share below 100 %. Zero means ten minutes.
	Hold time.Duration
	// Exposed is how many requests on the new side must have been answered during
	// each hold; without them the rollout waits. Zero means 20.
	Exposed int
	// Judge compares those whom the ramp let in with those whom it left out. Nil
	// means [health.DefaultJudge] of errors, and of latency if Cohorts.Slow is set,
	// with its bound of 5 % on a false rollback, for as long as the holds take.
	Judge health.Judge
	// Cohorts says what is counted for the judge. Floor and Seed follow from the
	// rollout, and in strict mode the number of steps does: there any Strict will do,
	// and the ladder has to go in whole steps of 0.1 %. A guard records no history: it
	// counts from the first exposure on.
	Cohorts health.CohortsOptions
	// Classify says how an answer counts; it may look at the latency, too. Nil means
	// its Class: 500 and above is a failure, and so is none at all.
	Classify func(health.Response) health.Class
	// Within is by when the answer to a request must have begun. One that has not
	// counts then, on either side, as what Classify makes of it: a failure, by default.
	// Zero means a minute.
	Within time.Duration
	// Look is how often the judge looks. Zero means once a second.
	Look time.Duration
}

// judgeName is what a guard's plan calls its judge.
const judgeName = "errors"

var defaultLadder = []flag.Share{1 * flag.Percent, 10 * flag.Percent, 50 * flag.Percent, flag.All}

// Guard is a flag that ramps itself on live traffic and comes back by itself. Its
// Middleware joins who was exposed with what became of them; its Run moves the
// ramp.
type Guard struct {
	engine  *Engine
	flag    flag.Switch
	cohorts *health.Cohorts
	judge   health.Judge
	class   func(health.Response) health.Class
	within  time.Duration
	target  *FlagTarget
	request Request
	asked   Requested
	lane    uint64
	resumed bool
	wrapped atomic.Bool // Middleware was called

	noView, notAsked, notByRamp atomic.Uint64 // see Skipped
}

// Guard compiles a guarded rollout and, if the journal knows it, puts the flag
// where the journal has it: call it before the host listens. Nothing moves before
// [Guard.Run].
//
// A flag that serves nobody yet gets a fresh salt, so that nobody's luck of an
// earlier rollout comes back. A flag whose ramp is above zero keeps its salt and
// goes on from there; those who had it before are left out of the comparison.
func (e *Engine) Guard(flags *flag.Store, guarded Guarded) (*Guard, error) {
	id := cmp.Or(guarded.ID, guarded.Flag.Key())
	fail := func(err error) (*Guard, error) { return nil, &Error{"guard", id, err} }
	if id == "" {
		return fail(fmt.Errorf("%w: flag: missing", ErrInvalid))
	}
	status, err := flags.Status(guarded.Flag.Key())
	if err != nil {
		return fail(err)
	}
	if known, err := e.lookUp(id); err != nil {
		return fail(err)
	} else if known == nil && (status.True == "" || status.True == status.Serve) {
		return fail(fmt.Errorf("%w: flag: its document must serve false to everybody whom neither rule nor ramp decides, and have one variant that is true; it serves %q, and true is %q", ErrInvalid, status.Serve, status.True))
	}
	if status.Split || status.Ramp.Schedule != nil {
		return fail(fmt.Errorf("%w: flag: its document has a split or a scheduled ramp of its own, want a ramp without a schedule, or none: the guard moves it", ErrInvalid))
	}
	if guarded.Within < 0 {
		return fail(fmt.Errorf("%w: within: found %v, want more than 0", ErrInvalid, guarded.Within))
	}
	asked, plan, err := e.asked(id, guarded, status)
	if err != nil {
		return fail(err)
	}
	cohorts, err := e.Cohorts(id, judgeName, guarded.counting(asked, plan))
	if err != nil {
		return fail(err)
	}
	g := &Guard{
		engine: e, flag: guarded.Flag, cohorts: cohorts, asked: asked,
		judge: guarded.Judge, class: guarded.Classify, within: cmp.Or(guarded.Within, time.Minute),
		lane: bucket.Lane(asked.Salt, bucket.Ramp),
	}
	if g.judge == nil {
		g.judge = guarded.defaultJudge(plan)
	}
	if g.class == nil {
		g.class = health.Response.Class
	}
	g.target = NewFlagTarget(flags, guarded.Flag, asked.Salt)
	g.request = Request{
		guard: g,
		ID:    id, Release: guarded.Release, Plan: plan, Look: guarded.Look,
		Target:  g.target,
		Gates:   guarded.Before,
		Watches: map[string]Watch{judgeName: {Judge: g.judge, Cohorts: cohorts}},
	}
	if err := g.request.check(); err != nil {
		return fail(err)
	}
	if err := e.reserve(g); err != nil {
		return fail(err)
	}
	if err := g.restore(); err != nil {
		return fail(err)
	}
	return g, nil
}

// reserve lets one guard at a time have a flag: two would move it, and count its
// users, apart from one another.
func (e *Engine) reserve(g *Guard) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if other := e.guards[g.asked.Flag]; other != nil {
		if r := e.runs[other.request.ID]; r == nil || r.machine.State().Phase != Done {
			return fmt.Errorf("%w: this process guards the flag already, for rollout %q", ErrConflict, other.request.ID)
		}
	}
	e.guards[g.asked.Flag] = g
	return nil
}

// asked is what the journal will keep, or keeps, of a guarded rollout, and its plan.
func (e *Engine) asked(id string, guarded Guarded, status flag.Status) (Requested, strategy.Plan, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	asked := Requested{Flag: guarded.Flag.Key(), Salt: status.Ramp.Salt, Floor: strategy.Share(status.Ramp.Share)}
	r := e.runs[id]
	known := r != nil && r.machine.State().Phase != Pending
	switch {
	case known:
		asked.Salt, asked.Floor = r.request.Salt, r.request.Floor
	case asked.Floor == 0:
		asked.Salt = asked.Flag + "." + rand.Text()
	default:
		if err := e.fresh(asked, status); err != nil {
			return asked, strategy.Plan{}, err
		}
	}
	plan, err := guarded.plan(asked.Floor)
	if err != nil {
		return asked, plan, fmt.Errorf("%w: as a plan: %w", ErrInvalid, err)
	}
	for _, share := range guarded.Ladder {
		if guarded.Cohorts.Strict > 0 && share%(flag.Percent/10) != 0 {
			return asked, plan, fmt.Errorf("%w: ladder: %v is no whole step of 0.1 %%, which strict mode needs", ErrInvalid, share)
		}
	}
	asked.Digest = digest(struct {
		Flag string
		Plan strategy.Plan
	}{asked.Flag, plan})
	if known && r.request.Digest != asked.Digest {
		return asked, plan, r.conflict(plan)
	}
	return asked, plan, nil
}

// fresh says whether users who have the flag already can be left out without a bias:
// nothing but the flag's own ramp may look at their slots, and no rollout may have
// judged the others before, whose luck would come back. Called with mu held.
func (e *Engine) fresh(asked Requested, status flag.Status) error {
	if slices.Contains(status.Salts, asked.Salt) {
		return fmt.Errorf("%w: flag: the ramp of one of its rules has the salt %q of its own ramp, which is above zero: give the rule's ramp a salt", ErrInvalid, asked.Salt)
	}
	for id, r := range e.runs {
		if r.machine.State().Phase == Done && r.request.Flag == asked.Flag && r.request.Salt == asked.Salt {
			return fmt.Errorf("%w: flag: rollout %q has judged the same users by the salt %q: start again from 0 %%, or pin another salt in the document", ErrConflict, id, asked.Salt)
		}
	}
	return nil
}

// plan is a canary on the flag.
func (g Guarded) plan(from strategy.Share) (strategy.Plan, error) {
	ladder := g.Ladder
	if ladder == nil {
		ladder = defaultLadder
	}
	c := strategy.Canary{
		Hold:    cmp.Or(g.Hold, 10*time.Minute),
		Exposed: cmp.Or(g.Exposed, 20),
		Gates:   slices.Sorted(maps.Keys(g.Before)),
		Judges:  []string{judgeName},
	}
	for _, share := range ladder {
		c.Weights = append(c.Weights, strategy.Share(share))
	}
	return c.Plan(strategy.Input{From: from})
}

// counting is how cohorts count for this rollout.
func (g Guarded) counting(asked Requested, plan strategy.Plan) health.CohortsOptions {
	o := g.Cohorts
	o.Floor, o.Seed = int32(asked.Floor), bucket.Lane(asked.Salt, "placebo")
	if o.Strict > 0 {
		o.Strict = 0
		for _, step := range plan.Steps {
			if shift, ok := step.(strategy.Shift); ok && shift.To > asked.Floor && shift.To < strategy.Share(flag.All) {
				o.Strict++
			}
		}
	}
	return o
}

// defaultJudge spends its alpha over the holds.
func (g Guarded) defaultJudge(plan strategy.Plan) health.Judge {
	over := time.Duration(0)
	for _, step := range plan.Steps {
		if hold, ok := step.(strategy.Hold); ok {
			over += hold.For
		}
	}
	signals := []health.Signal{health.Errors}
	if len(g.Cohorts.Slow) > 0 {
		signals = append(signals, health.Latency)
	}
	return health.DefaultJudge(over, signals...)
}

// restore puts the flag where the journal has it.
func (g *Guard) restore() error {
	status, err := g.engine.Status(g.request.ID)
	if errors.Is(err, ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	g.resumed = true
	return g.target.set(status.State.Share, fmt.Sprintf("rollout %s: restored from the journal, %s", g.request.ID, status.State))
}

// Run moves the ramp until the rollout is over. When the context ends first, it
// returns the context's error and leaves the ramp and the journal as they are: Run
// again, in this process or the next, goes on. A rollout that is over returns its
// outcome at once. Run is refused while nothing could be judged, because
// [Guard.Middleware] was never called.
//
// A rollout of the same flag under another ID that is not over goes back first.
// Whoever kills the flag, disables it, or gives it another ramp meanwhile ends the
// rollout: it goes back, and the journal says who did it and why.
func (g *Guard) Run(ctx context.Context) (Outcome, error) {
	if status, _ := g.engine.Status(g.request.ID); !g.wrapped.Load() && status.State.Phase != Done {
		return Unfinished, &Error{"run", g.request.ID, fmt.Errorf("%w: guard.Middleware was never called, so no request could be judged", ErrInvalid)}
	}
	if _, err := g.engine.Status(g.request.ID); errors.Is(err, ErrNotFound) {
		if seen, err := g.target.Observe(ctx); err == nil && seen.Share != g.asked.Floor {
			return Unfinished, &Error{"run", g.request.ID, fmt.Errorf("%w: the flag's ramp is at %v, and was at %v when it was guarded", ErrConflict, seen.Share, g.asked.Floor)}
		}
	}
	return g.engine.deploy(ctx, g.request, g.asked)
}

// Middleware joins exposure and outcome. It must stand inside flaghttp.Middleware,
// which gives each request its view of the flags, and outside the handlers that
// evaluate the flag. A request counts if it evaluated the flag through its view,
// before it was answered, and the ramp decided; those that a rule, a kill or
// another ramp decided are left out. It counts once, when its handler returns: as a
// failure if that panics, or if the client gave up before there was an answer; or
// when no answer has begun in time, see [Guarded.Within].
func (g *Guard) Middleware(next http.Handler) http.Handler {
	g.wrapped.Store(true)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		view := flag.FromContext(r.Context())
		if view == nil {
			g.noView.Add(1)
			next.ServeHTTP(w, r)
			return
		}
		exposure := g.flag.Watch(view)
		health.ObserveWithin(w, r, next, g.within, func(answer health.Response) {
			if exposure.Seen() {
				g.record(view, answer)
			} else {
				g.notAsked.Add(1)
			}
		})
	})
}

func (g *Guard) record(view *flag.View, answer health.Response) {
	d := g.flag.DecideFrom(view)
	if d.Reason != flag.ReasonRamp || strategy.Share(d.Ramp) <= g.asked.Floor || bucket.Slot(d.Unit, g.lane) != d.Slot {
		g.notByRamp.Add(1)
		return
	}
	o := health.Outcome{Unit: d.Unit, Slot: d.Slot, Ramp: int32(d.Ramp), Latency: answer.Latency}
	defer func() {
		if p := recover(); p != nil {
			o.Class = health.Failure // a Classify that panics must not hide what it was given
		}
		g.cohorts.Record(o)
	}()
	o.Class = g.class(answer)
}
