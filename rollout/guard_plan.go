package rollout

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/strategy"
)

// What a guard's plan calls its judges.
const (
	judgeName   = "errors"
	trafficName = "traffic"
	budgetName  = "budget"
)

var defaultLadder = []flag.Share{1 * flag.Percent, 10 * flag.Percent, 50 * flag.Percent, flag.All}

const defaultHold = 10 * time.Minute

// asked is what the journal will keep, or keeps, of a guarded rollout, and its plan.
// known is the rollout, if the journal has it.
func (e *Engine) asked(id string, known *run, guarded Guarded, status flag.Status, flags *flag.Store) (Requested, strategy.Plan, error) {
	asked := Requested{Flag: guarded.Flag.Key(), Salt: status.Ramp.Salt, Floor: strategy.Share(status.Ramp.Share)}
	asked.Floor = e.before(id, asked)
	judges := []string{judgeName}
	if guarded.Traffic != MismatchIgnored {
		judges = append(judges, trafficName)
	}
	if guarded.Budget != nil {
		judges = append(judges, budgetName)
	}
	var problems []error
	switch {
	case known != nil:
		asked.Salt, asked.Floor = known.request.Salt, known.request.Floor
		if kept := known.request.Plan; len(kept.Steps) > 0 { // of what is over, a checkpoint keeps few plans
			if judges = kept.Judges(); guarded.Budget != nil {
				guarded.Rungs = rungs(kept)
			}
		}
	case guarded.Budget != nil && asked.Floor > 0:
		problems = append(problems, fmt.Errorf("%w: budget: %v have the flag already, and a budget begins at nobody", ErrInvalid, asked.Floor))
	case guarded.Budget != nil:
		ladder, err := guarded.Budget.Ladder()
		guarded.Rungs, problems = ladder, append(problems, err)
	}
	switch {
	case known != nil:
	case asked.Floor == 0:
		asked.Salt = asked.Flag + "." + rand.Text()
	default:
		problems = append(problems, e.fresh(id, asked, status, flags))
	}
	plan, err := guarded.plan(asked.Floor, judges)
	if err != nil {
		problems = append(problems, fmt.Errorf("%w: as a plan: %w", ErrInvalid, err))
	}
	for _, share := range guarded.shares() {
		if guarded.Cohorts.Strict > 0 && share%(flag.Percent/10) != 0 {
			problems = append(problems, fmt.Errorf("%w: ladder: %v is no whole step of 0.1 %%, which strict mode needs", ErrInvalid, share))
		}
	}
	for i, rung := range guarded.Rungs {
		if rung.Share < flag.All && rung.Hold <= 0 {
			problems = append(problems, fmt.Errorf("%w: rungs[%d]: hold: found %v, want more than 0 below 100 %%", ErrInvalid, i, rung.Hold))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return asked, plan, err
	}
	// The digest leaves out who else watches: it is older than that.
	without, err := guarded.plan(asked.Floor, []string{judgeName})
	asked.Digest = digest(struct {
		Flag string
		Plan strategy.Plan
	}{asked.Flag, without})
	if known != nil && guarded.Budget != nil && guarded.Rungs == nil { // they were in that plan
		asked.Digest = known.request.Digest
	}
	if known != nil && known.request.Digest != asked.Digest {
		return asked, plan, known.conflict(plan)
	}
	return asked, plan, err
}

// before is the share that had the flag before anybody guarded it. What a rollout under
// another ID that is not over has made of its ramp does not count: that one goes back first.
func (e *Engine) before(id string, asked Requested) strategy.Share {
	e.mu.Lock()
	defer e.mu.Unlock()
	for other, r := range e.runs {
		phase := r.machine.State().Phase
		if q := r.request; other != id && q.Flag == asked.Flag && q.Salt == asked.Salt && phase != Pending && phase != Done {
			return q.Floor
		}
	}
	return asked.Floor
}

// fresh says whether users who have the flag already can be left out without a bias:
// nothing but the flag's own ramp may look at their slots, and no rollout may have
// judged the others by them, whose luck would come back. A salt that was drawn for
// the rollout needs no such look.
func (e *Engine) fresh(id string, asked Requested, status flag.Status, flags *flag.Store) error {
	if slices.Contains(status.Salts, asked.Salt) {
		return fmt.Errorf("%w: flag: the ramp of one of its rules has the salt %q of its own ramp, which is above zero: give the rule's ramp a salt", ErrInvalid, asked.Salt)
	}
	// Every other flag, not only those that this one depends on: what shares a salt
	// exposes the same users, and its harm would look like this one's.
	for other := range flags.All() {
		if other.Key != asked.Flag && (other.Ramp.Salt == asked.Salt || slices.Contains(other.Salts, asked.Salt)) {
			return fmt.Errorf("%w: flag: flag %q has a ramp with the same salt %q, so it exposes the same users, and nobody could tell their harm apart: give one of them another salt", ErrConflict, other.Key, asked.Salt)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for other, r := range e.runs {
		switch q := r.request; {
		case other == id || q.Salt != asked.Salt || r.machine.State().Phase == Pending:
		case q.Flag != asked.Flag:
			return fmt.Errorf("%w: flag: rollout %q of flag %q judges the same users by the salt %q: pin another salt in the document", ErrConflict, other, q.Flag, asked.Salt)
		default: // over or not
			return fmt.Errorf("%w: flag: rollout %q has judged the same users by the salt %q: start again from 0 %%, or pin another salt in the document", ErrConflict, other, asked.Salt)
		}
	}
	if _, used := e.salts[maphash.String(e.seed, asked.Salt)]; used {
		return fmt.Errorf("%w: flag: an earlier rollout has judged the same users by the salt %q: start again from 0 %%, or pin another salt in the document", ErrConflict, asked.Salt)
	}
	return nil
}

// plan is a canary on the flag, under these judges.
func (g Guarded) plan(from strategy.Share, judges []string) (strategy.Plan, error) {
	c := strategy.Canary{
		Hold:    cmp.Or(g.Hold, defaultHold),
		Exposed: cmp.Or(g.Exposed, 20),
		Gates:   slices.Sorted(maps.Keys(g.Before)),
		Judges:  judges,
	}
	for _, share := range g.shares() {
		c.Weights = append(c.Weights, strategy.Share(share))
	}
	plan, err := c.Plan(strategy.Input{From: from})
	if err != nil || g.Rungs == nil {
		return plan, err
	}
	holds := map[strategy.Share]time.Duration{}
	for _, rung := range g.Rungs {
		holds[strategy.Share(rung.Share)] = rung.Hold
	}
	for i, step := range plan.Steps {
		if hold, ok := step.(strategy.Hold); ok {
			hold.For = holds[plan.Steps[i-1].(strategy.Shift).To] // a canary holds after each shift
			plan.Steps[i] = hold
		}
	}
	return plan, nil
}

// rungs are the ladder of a plan that a budget had made.
func rungs(plan strategy.Plan) (l Ladder) {
	for i, step := range plan.Steps {
		if shift, ok := step.(strategy.Shift); ok {
			rung := Rung{Share: flag.Share(shift.To)}
			if hold, ok := plan.Steps[min(i+1, len(plan.Steps)-1)].(strategy.Hold); ok {
				rung.Hold = hold.For
			}
			l = append(l, rung)
		}
	}
	return l
}

// shares are those to go through.
func (g Guarded) shares() []flag.Share {
	switch {
	case g.Rungs != nil:
		var shares []flag.Share
		for _, rung := range g.Rungs {
			shares = append(shares, rung.Share)
		}
		return shares
	case g.Ladder != nil:
		return g.Ladder
	}
	return defaultLadder
}

// check says what is wrong with what only a guard has, and with the flag, if it begins now.
func (g Guarded) check(status flag.Status, begins bool) error {
	var problems []error
	if begins && (status.True == "" || status.True == status.Serve) {
		problems = append(problems, fmt.Errorf("flag: its document must serve false to everybody whom neither rule nor ramp decides, and have one variant that is true; it serves %q, and true is %q", status.Serve, status.True))
	}
	if status.Split || status.Ramp.Schedule != nil {
		problems = append(problems, errors.New("flag: its document has a split or a scheduled ramp of its own, want a ramp without a schedule, or none: the guard moves it"))
	}
	if g.Within < 0 {
		problems = append(problems, fmt.Errorf("within: found %v, want more than 0", g.Within))
	}
	if g.Traffic > MismatchIgnored {
		problems = append(problems, fmt.Errorf("traffic: found %d, want one of the constants", g.Traffic))
	}
	if g.Rungs != nil && (g.Ladder != nil || g.Hold != 0) {
		problems = append(problems, errors.New("rungs: given beside ladder or hold, want one or the other"))
	}
	if g.Budget != nil && (g.Rungs != nil || g.Ladder != nil || g.Hold != 0) {
		problems = append(problems, errors.New("budget: given beside rungs, ladder or hold, which follow from it"))
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// request is what the engine is asked for.
func (g Guarded) request(id string, plan strategy.Plan, target *FlagTarget, cohorts *health.Cohorts) Request {
	judge := g.Judge
	if judge == nil {
		judge = g.defaultJudge(plan)
	}
	return Request{
		ID: id, Release: g.Release, Plan: plan, Look: g.Look, Target: target,
		Gates: g.Before, Alarms: g.Alarms, Stable: g.Stable,
		Watches: map[string]Watch{
			judgeName:   {Judge: judge, Cohorts: cohorts},
			trafficName: {Judge: traffic(plan), Cohorts: cohorts, Then: g.Traffic.then()},
			budgetName:  {Judge: spending{g.budget()}, Cohorts: cohorts, Then: ThenPause},
		},
		Promotion: g.Promotion, Shadow: g.Shadow, Doubt: g.Doubt, Deadlines: g.Deadlines,
		Rework: g.Rework, Actor: g.Actor, Reason: g.Reason,
	}
}

// budget is one that nobody can spend, where there is none any more.
func (g Guarded) budget() Budget {
	if g.Budget == nil {
		return Budget{Harmed: math.Inf(1)}
	}
	return *g.Budget
}

// counting is how cohorts count for this rollout.
func (g Guarded) counting(asked Requested, plan strategy.Plan) health.CohortsOptions {
	o := g.Cohorts
	if g.Promotion == EvidenceOfNoHarm {
		o.Harm = cmp.Or(o.Harm, 2)
	}
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
	signals := []health.Signal{health.Errors}
	if len(g.Cohorts.Slow) > 0 {
		signals = append(signals, health.Latency)
	}
	judge := health.DefaultJudge(plan.Length(), signals...)
	if g.Promotion == EvidenceOfNoHarm {
		judge.Pass = []health.Part{{Name: "no harm", Judge: health.NoHarm{Over: plan.Length()}}}
	}
	return judge
}

// traffic is the alarm for a sample ratio that cannot be.
func traffic(plan strategy.Plan) health.Judge {
	return health.Placebo{Of: health.Traffic, Alpha: 0.01, Over: plan.Length()}
}

// then is what its Fail does.
func (m Mismatch) then() Expiry {
	if m == MismatchPauses {
		return ThenPause
	}
	return ThenGoOn
}
