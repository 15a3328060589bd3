package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/internal/bucket"
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
	// Before must say yes before anybody is exposed: a smoke suite's Check, for example.
	Before map[string]Gate
	// Alarms are hard health failures, which take the change back at once: the Check of
	// a [health.Monitor], as a method value, stands there, and says no when a check is
	// down beyond its threshold. They are asked with every look, as long as somebody is
	// exposed; see Request.Alarms. Nil means that the guard acts on its judge alone.
	Alarms map[string]Gate
	// Ladder is the shares to go through, ascending, up to 100 %. Nil means 1, 10,
	// 50 and 100 %.
	Ladder []flag.Share
	// Hold is the least time at each share below 100 %. Zero means ten minutes. Time in
	// which no process watched does not count, so that one that starts again and again
	// goes nowhere.
	Hold time.Duration
	// Rungs are Ladder and Hold in one, with a hold for each share, as [Budget.Ladder]
	// derives them. Nil means that Ladder and Hold count.
	Rungs Ladder
	// Budget says how many users the change may harm: Rungs follow from it when the
	// rollout begins, and the rollout pauses, once, when more were harmed than that
	// ([Budget.Spent]), for a person to continue or abort it. What the journal has of a
	// rollout wins. Nil means no budget.
	Budget *Budget
	// Exposed is how many requests on the new side must have been answered during
	// each hold; without them the rollout waits. Zero means 20.
	Exposed int
	// Judge compares those whom the ramp let in with those whom it left out. Nil
	// means [health.DefaultJudge] of errors, and of latency if Cohorts.Slow is set,
	// with its bound of 5 % on a false rollback, for as long as the holds take; and of
	// what a Pass needs, if Promotion asks for one.
	Judge health.Judge
	// Traffic says what to do when one side has more or fewer requests than its users'
	// share and history let expect: requests get lost there, or are not counted, so what
	// the judge says of them is not to be trusted; or the change makes people ask more
	// or less, as it may be meant to. A change that does neither is paused by it with
	// probability at most 1 %. Zero pauses the rollout, once, for a person to continue
	// or abort it. What the journal has of a rollout wins.
	Traffic Mismatch
	// Cohorts says what is counted for the judge. Floor and Seed follow from the
	// rollout, and in strict mode the number of steps does: there any Strict will do,
	// and the ladder has to go in whole steps of 0.1 %. Harm is 2 where Promotion asks
	// for evidence and nothing else is said. What came before the first exposure is
	// history, by which the judge knows how users differ anyway.
	Cohorts health.CohortsOptions
	// Classify says how an answer counts; it may look at the latency, too. Nil means
	// its Class: 500 and above is a failure, and so is none at all. Work that is told
	// of by [Guard.Do] has a status of 200, or of 500 beside its error.
	Classify func(health.Response) health.Class
	// Within is by when the answer to a request must have begun. One that has not
	// counts then, on either side, as what Classify makes of it: a failure, by default.
	// Zero means a minute.
	Within time.Duration
	// Look is how often the judge looks. Zero means once a second.
	Look time.Duration
	// Manual says that views come into contexts by the host itself ([flag.NewContext]),
	// or requests by [Guard.Do] or [Guard.Begin], so that Run does not ask for the
	// usual middleware.
	Manual bool

	// What follows is as in [Request], where it is described. Of Promotion, Shadow and
	// Deadlines, what the journal has of a rollout wins.

	Promotion Promotion // what it takes to leave the last hold
	Shadow    bool      // the judge only reports
	Stable    Gate      // says no if the old side is no better
	Doubt     Expiry    // what a gate does that cannot tell
	Deadlines Deadlines // of holds, pauses, and all
	Rework    bool      // it is a hotfix
	Actor     string    // who asks
	Reason    string    // why
}

// Mismatch is what a guard does about a sample ratio that cannot be.
type Mismatch uint8

// What it does.
const (
	MismatchPauses  Mismatch = iota // the rollout waits for a person
	MismatchReports                 // [Progress] and the journal say so
	MismatchIgnored                 // nobody looks
)

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
	manual  bool
	wrapped atomic.Bool // Middleware was called
	around  atomic.Bool // it stands around flaghttp.Middleware instead of inside
	viewed  atomic.Bool // a request had a view
	told    atomic.Bool // it was said that none has

	answers                     sync.Pool     // of *answer
	works                       sync.Pool     // of *Work, in Do
	noView, notAsked, notByRamp atomic.Uint64 // see Skipped
}

// Guard compiles a guarded rollout and, if the journal knows it, puts the flag
// where the journal has it: call it before the host listens. Nothing moves before
// [Guard.Run].
//
// A flag that serves nobody yet gets a fresh salt, so that nobody's luck of an
// earlier rollout comes back, and from now on a ramp of 0 % by it, which serves
// nobody either and lies over its document: requests are history until the first
// exposure. A flag whose ramp is above zero keeps its salt and goes on from there;
// those who had it before are left out of the comparison. No other flag and no
// earlier rollout may use that salt.
//
// What a rollout of the same flag under another ID has done, and that is not over, is
// none of that: it goes back first, so the guard begins where that one began.
//
// Whoever has no key, no ramp admits: give requests without a user [flag.Anonymous],
// and each counts as a unit of its own.
//
// Any number of flags may be guarded at once, on the same requests: their salts make
// them independent, so each is judged as if the others did not move. Flags of one
// layer may be, too: a layer shares out who is eligible by a lane of its own, and each
// flag's ramp divides those by another.
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
	known, err := e.lookUp(id)
	if err != nil {
		return fail(err)
	}
	if known != nil && known.machine.State().Phase == Pending {
		known = nil
	}
	asked, plan, err := e.asked(id, known, guarded, status, flags)
	target := NewFlagTarget(flags, guarded.Flag, asked.Salt)
	problems := []error{guarded.check(status, known == nil), err}
	if known != nil {
		guarded.Promotion = known.request.Promotion // what the journal has wins
	}
	if err != nil { // the rest of it is checked beside a plan that is right
		right, _ := Guarded{Before: guarded.Before, Hold: time.Second}.plan(0, []string{judgeName})
		problems = append(problems, guarded.request(id, right, target, health.NewCohorts(health.CohortsOptions{})).check())
		return fail(errors.Join(problems...))
	}
	cohorts, err := e.Cohorts(id, judgeName, guarded.counting(asked, plan))
	if err != nil {
		return fail(errors.Join(append(problems, err)...))
	}
	request := guarded.request(id, plan, target, cohorts)
	if err := errors.Join(append(problems, request.check())...); err != nil {
		return fail(err)
	}
	g := &Guard{
		engine: e, flag: guarded.Flag, cohorts: cohorts, asked: asked, target: target, request: request,
		judge: request.Watches[judgeName].Judge, class: guarded.Classify, within: cmp.Or(guarded.Within, time.Minute),
		lane: bucket.Lane(asked.Salt, bucket.Ramp), manual: guarded.Manual,
	}
	g.request.guard = g
	g.answers.New = func() any { return newAnswer(g) }
	g.works.New = func() any { return newWork(g) }
	if g.class == nil {
		g.class = health.Response.Class
	}
	if err := e.reserve(g); err != nil {
		return fail(err)
	}
	if err := g.restore(); err != nil {
		e.mu.Lock()
		delete(e.guards, g.asked.Flag)
		e.mu.Unlock()
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
		if _, over := e.ended[maphash.String(e.seed, other.request.ID)]; !over {
			return fmt.Errorf("%w: this process guards the flag already, for rollout %q", ErrConflict, other.request.ID)
		}
	}
	e.guards[g.asked.Flag] = g
	return nil
}

// back is the rollout that takes this one back after it has succeeded, if somebody
// asked for that: see [Engine.Act].
func (g *Guard) back() (Status, bool) {
	status, err := g.engine.Status(BackID(g.request.ID))
	return status, err == nil && status.TakesBack == g.request.ID
}

// restore puts the flag where the journal has it, or at a ramp that serves nobody yet.
func (g *Guard) restore() error {
	status, err := g.engine.Status(g.request.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return g.wait()
	case err != nil:
		return err
	}
	if back, ok := g.back(); ok {
		status = back
	}
	g.resumed = true
	return g.target.set(status.State.Share, fmt.Sprintf("rollout %s: restored from the journal, %s", status.ID, status.State))
}

// wait gives the flag its ramp of 0 %, by which there is a history. What somebody has
// killed or overridden stays as it is, and so does who did it.
func (g *Guard) wait() error {
	status, err := g.target.flags.Status(g.flag.Key())
	if err != nil || g.asked.Floor > 0 || status.Killed || status.Override != "" {
		return err
	}
	return g.target.set(0, fmt.Sprintf("rollout %s: has not begun", g.request.ID))
}

// Run moves the ramp until the rollout is over. When the context ends first, it
// returns the context's error and leaves the ramp and the journal as they are: Run
// again, in this process or the next, goes on. A rollout that is over returns its
// outcome at once; if it has succeeded and a person has asked to take it back
// ([Engine.Act] with [RollBack]), Run does that, and returns [RolledBack].
//
// Run is refused while nothing could be judged, because [Guard.Middleware] was never
// called, or was given what flaghttp.Middleware returns, the wrong way round, or no
// flaghttp.Middleware was made for the flags; see [Guarded.Manual]. When
// requests come and none of them has a view of the flags, it says so, once, in the
// default log of package slog.
//
// A rollout of the same flag under another ID that is not over goes back first.
// Whoever kills the flag, disables it, or gives it another ramp meanwhile ends the
// rollout: it goes back, and the journal says who did it and why.
func (g *Guard) Run(ctx context.Context) (Outcome, error) { return g.run(ctx, "") }

// run is told the run of a pipeline whose stage it is.
func (g *Guard) run(ctx context.Context, parent string) (Outcome, error) {
	fail := func(err error) (Outcome, error) { return Unfinished, &Error{"run", g.request.ID, err} }
	status, err := g.engine.Status(g.request.ID)
	if err := g.wired(); err != nil && status.State.Phase != Done {
		return fail(err)
	}
	if errors.Is(err, ErrNotFound) {
		if seen, err := g.target.Observe(ctx); err == nil && seen.Share != g.asked.Floor {
			return fail(fmt.Errorf("%w: the flag's ramp is at %v, and was at %v when it was guarded", ErrConflict, seen.Share, g.asked.Floor))
		}
	}
	request := g.request
	request.parent = parent
	outcome, err := g.engine.deploy(ctx, request, g.asked, nil)
	if back, ok := g.back(); ok && outcome == Succeeded {
		return g.engine.Resume(ctx, Request{ID: back.ID, Target: g.target})
	}
	return outcome, err
}

// wired says why no request could be judged.
func (g *Guard) wired() error {
	switch {
	case g.manual:
	case !g.wrapped.Load():
		return fmt.Errorf("%w: guard.Middleware was never called, so no request could be judged", ErrInvalid)
	case g.around.Load():
		return fmt.Errorf("%w: guard.Middleware stands around flaghttp.Middleware, where no request has a view of the flags yet, so none could be judged: want %s", ErrInvalid, rightWay)
	case !flaghttp.Serves(g.target.flags):
		return fmt.Errorf("%w: no flaghttp.Middleware was made for these flags, so no request has a view of them, and none could be judged: want %s, or Guarded.Manual", ErrInvalid, rightWay)
	}
	return nil
}

const rightWay = "flaghttp.Middleware(flags, who)(guard.Middleware(handler))"

// complain says, once, that requests come and none can be judged.
func (g *Guard) complain() {
	if n := g.noView.Load(); n >= 10 && !g.viewed.Load() && g.told.CompareAndSwap(false, true) {
		slog.Default().Error("rollout: requests come, and none has a view of the flags, so nothing can be judged: flaghttp.Middleware must stand around guard.Middleware", "rollout", g.request.ID, "requests", n)
	}
}
