package rollout

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/strategy"
)

// Policy is how recorded rollouts would have been judged: see [Backtest]. The zero value
// is as they were, but for those that only reported ([Request.Shadow]), which act.
type Policy struct {
	// Judge looks in place of every judge of a plan that Watches does not name. Nil
	// leaves those as the journal has them.
	Judge health.Judge
	// Watches are who looks in place of the plan's judge of that name, and what a Fail
	// does then. A nil Judge leaves what the judge said, and changes only what it does.
	// Cohorts are not used: the journal has what was counted.
	Watches map[string]Watch
	// Only says which rollouts count: those of one environment, or one flag. Nil means
	// all.
	Only func(Requested) bool
}

// check says everything that is wrong with the policy.
func (p Policy) check() error {
	var problems []error
	valid := func(place string, judge health.Judge) {
		if v, ok := judge.(interface{ Validate() error }); ok {
			if err := v.Validate(); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", place, err))
			}
		}
	}
	valid("judge", p.Judge)
	for _, name := range slices.Sorted(maps.Keys(p.Watches)) {
		w := p.Watches[name]
		valid(fmt.Sprintf("watches: %q", name), w.Judge)
		if w.Then > ThenGoOn {
			problems = append(problems, fmt.Errorf("watches: %q: then: found %d, want one of the constants", name, w.Then))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// watch is who looks in place of a judge of the plan, nil for who did, and what a Fail
// does.
func (p Policy) watch(q *Requested, name string) Watch {
	if w, named := p.Watches[name]; named {
		return w
	}
	return Watch{Judge: p.Judge, Then: q.Fails[name]}
}

// judges says whether anybody looks anew.
func (p Policy) judges() bool {
	for _, w := range p.Watches {
		if w.Judge != nil {
			return true
		}
	}
	return p.Judge != nil
}

// Backtest says what another policy would have done on the rollouts of a journal: each
// recorded look is laid before the policy's judges, with the sample of that moment and
// a state of their own, until the first Fail that sends a rollout back. It reads the
// records once, and keeps the rollouts that are not over and the newest 1,000 that differ,
// so a journal of years takes no more memory than one of days. Rollouts that exposed
// nobody do not count, and neither do those that take another one back.
//
// # What it cannot know
//
// Everything but the judges is as it was: gates, alarms, deadlines, what people did, and
// for how long each hold lasted, though the policy's judges might have made it longer
// ([EvidenceOfNoHarm]), or people might have done something else.
//
// There was no traffic after a rollout went back, so nobody can tell whether the policy
// would have taken it back later, or never: that is [FindingMissed].
//
// The journal has the looks at which something was new to the judge of that time, and
// the last of each hold. A judge that minds more than failures, such as one of latency or
// of totals, may have failed a change earlier than it does here. One that shares its
// cohorts with another judge of the plan sees the counts by bucket as of the other's last
// look. Of a rollout with no look at all there is nothing to say: [FindingUnclear].
//
// A bad policy is [ErrInvalid].
func Backtest(records iter.Seq2[Record, error], policy Policy) (BacktestReport, error) {
	fail := func(id string, err error) (BacktestReport, error) {
		return BacktestReport{}, &Error{"backtest", id, err}
	}
	if err := policy.check(); err != nil {
		return fail("policy", err)
	}
	b := backtest{policy: policy, anew: policy.judges(), under: map[string]*replay{}, unmatched: map[string]bool{}}
	for name := range policy.Watches {
		b.unmatched[name] = true
	}
	for w, err := range walk(records, map[string]*run{}) {
		if err == nil {
			err = b.take(w)
		}
		if err != nil {
			return fail(w.Rollout, err)
		}
	}
	return b.sum(), nil
}

// backtest is one under way.
type backtest struct {
	policy    Policy
	anew      bool               // somebody looks anew
	under     map[string]*replay // by rollout: those that are not over
	unmatched map[string]bool    // names of the policy that no plan had yet
	report    BacktestReport
}

// replay is a rollout that is not over.
type replay struct {
	machine    Machine // before the record that comes next
	was, would Turn
	judged     bool                         // it turned round by a judge's look
	same       bool                         // and by the policy at the same look
	looks      int                          // that were laid before the policy's judges
	counted    map[string]health.Checkpoint // by judge: all that its looks have counted by bucket
	states     map[string]health.State      // of the policy's judges
}

// take takes one record in.
func (b *backtest) take(w walked) error {
	if w.run == nil { // it is over
		if w.Act != nil && w.Act.Kind == FailedLater {
			b.failedLater(w.Rollout)
		}
		return nil
	}
	q, s := &w.run.request, w.run.machine.State()
	if q.TakesBack != "" {
		if s.Phase == Done && !q.Drill {
			b.failedLater(q.TakesBack)
		}
		return nil
	}
	r := b.under[w.Rollout]
	switch {
	case b.policy.Only != nil && !b.policy.Only(*q):
		return nil
	case r == nil && w.Kind != KindRequested:
		return nil // a checkpoint has no more than its end
	case r == nil:
		r = &replay{counted: map[string]health.Checkpoint{}, states: map[string]health.State{}}
		b.under[w.Rollout] = r
		for _, name := range q.Plan.Judges() {
			delete(b.unmatched, name)
		}
	}
	b.report.span(w.At)
	fails := false
	if w.Look != nil && r.would.At.IsZero() {
		if err := b.look(r, w.Record, q); err != nil {
			return err
		}
		fails = !r.would.At.IsZero()
	}
	if before := r.machine.state; before.Phase != Back && s.Phase == Back && r.was.At.IsZero() {
		r.was = Turn{w.At, before.Share, s.Actor, s.Reason}
		r.judged, r.same = w.Kind == KindLooked, fails
	}
	if r.machine = w.run.machine; s.Phase == Done {
		delete(b.under, w.Rollout)
		b.end(w, r)
	}
	return nil
}

// look lays a recorded look before the policy's judge.
func (b *backtest) look(r *replay, record Record, q *Requested) error {
	name, verdict := record.Look.Watch, record.Look.Verdict
	if b.anew {
		sample, err := r.sample(record.Look, q.Plan)
		if err != nil {
			return fmt.Errorf("%w: record %d: %w", ErrCorrupt, record.Seq, err)
		}
		if other := b.policy.watch(q, name).Judge; other != nil {
			verdict, r.states[name] = judge(other, r.states[name], sample)
			r.looks++
			b.report.Looks++
		}
	}
	s := r.machine.state
	if verdict.Call != health.Fail || b.policy.watch(q, name).Then != ThenAbort || s.Forced || r.machine.gone() {
		return nil
	}
	r.would = Turn{record.At, s.Share, "judge " + name, verdict.Reason}
	r.counted, r.states = nil, nil // nobody looks any more
	return nil
}

// sample is what the judge saw. The record has all of it but the counts by bucket: of
// these it has what came since the record before. Those of shared cohorts stand with the
// judge that the plan names first.
func (r *replay) sample(look *Look, plan strategy.Plan) (health.Sample, error) {
	cp := look.Checkpoint
	cp.Marks, cp.Slow, cp.Kept = nil, nil, nil // the sample has their sums
	sum, err := cp.After(r.counted[look.Watch])
	if err != nil {
		return health.Sample{}, err
	}
	r.counted[look.Watch] = sum
	sample := sum.Sample
	sample.Tables = sum.Tables
	for _, name := range plan.Judges() {
		if len(sample.Tables) > 0 || name == look.Watch {
			break
		}
		if other := r.counted[name]; sameCohorts(other.Sample, sample) {
			sample.Tables = other.Tables
		}
	}
	return sample, nil
}

// sameCohorts says whether a sample can be an earlier one of the same cohorts.
func sameCohorts(earlier, later health.Sample) bool {
	a, b := earlier.Options, later.Options
	return a.Floor == b.Floor && a.Harm == b.Harm && a.Strict == b.Strict && a.Seed == b.Seed && slices.Equal(a.Slow, b.Slow) &&
		later.Candidate.Requests()+later.Baseline.Requests() > 0 &&
		earlier.Candidate.Requests() <= later.Candidate.Requests() && earlier.Baseline.Requests() <= later.Baseline.Requests()
}

// end notes a rollout that is over.
func (b *backtest) end(w walked, r *replay) {
	q, s := &w.run.request, w.run.machine.State()
	if s.Peak <= q.Floor {
		return // nobody was exposed
	}
	one := Backtested{
		ID: w.Rollout, Service: q.Service, Environment: q.Environment, Flag: q.Flag, Release: q.Release,
		Outcome: s.Outcome, FailedLater: s.FailedLater, Ended: w.At, Was: r.was, Would: r.would, Looks: r.looks,
	}
	one.Finding = b.finding(r, s.Outcome, q)
	b.report.add(one)
}

// wentBack says whether it turned round, although a person may have left it on the way.
func (o Outcome) wentBack() bool { return o == RolledBack || o == Failed }

// finding compares.
func (b *backtest) finding(r *replay, outcome Outcome, q *Requested) Finding {
	would := !r.would.At.IsZero()
	switch {
	case r.same:
		return FindingSame
	case would && outcome.wentBack():
		return FindingEarlier
	case would && outcome == Succeeded:
		return FindingFalseAlarm
	case would:
		return FindingUnclear
	case outcome.wentBack() && r.judged:
		return FindingMissed
	case outcome == Succeeded && r.looks == 0 && slices.ContainsFunc(q.Plan.Judges(), func(name string) bool { return b.policy.watch(q, name).Judge != nil }):
		return FindingUnclear
	}
	return FindingSame
}

// failedLater notes that a rollout which had succeeded was bad.
func (b *backtest) failedLater(id string) {
	for i := range b.report.Differ {
		if one := &b.report.Differ[i]; one.ID == id && one.Finding == FindingFalseAlarm {
			one.FailedLater, one.Finding = true, FindingCaught
			b.report.FalseAlarms--
			b.report.Caught++
		}
	}
}

// sum is the report, when all records were read.
func (b *backtest) sum() BacktestReport {
	b.report.UnderWay = len(b.under)
	b.report.FalseAlarmRate = wilson(b.report.FalseAlarms, b.report.Succeeded)
	b.report.Unmatched = slices.Sorted(maps.Keys(b.unmatched))
	return b.report
}

// span widens the report's time.
func (r *BacktestReport) span(at time.Time) {
	if r.From.IsZero() || at.Before(r.From) {
		r.From = at
	}
	if at.After(r.To) {
		r.To = at
	}
}
