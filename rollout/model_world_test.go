package rollout_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
)

// span is some time in the life of a world, from its beginning on. The zero span is
// never.
type span struct{ from, to time.Duration }

func (s span) has(at time.Duration) bool { return at >= s.from && at < s.to }

// fate is all that is going to happen in a world, drawn from a seed.
type fate struct {
	plans    [2]strategy.Plan // of the rollout "r", and of "s", which comes on top of it
	requests [2]rollout.Request
	comes    time.Duration // when "s" is requested; negative for never
	options  rollout.Options
	segment  int // records between two checkpoints; 0 for none

	gates      map[string]string // yes, no, doubt, panic, hang, or doubt at first
	apart      [2]bool           // the second judge has cohorts of its own
	stuck      strategy.Share    // a shift to it fails always; negative for none
	ready      int               // so many new instances can be, and no more; negative for any
	once       strategy.Share    // a shift to it fails the first time
	flaky      int               // so many moves back fail
	slow       time.Duration     // that a move takes
	lag        time.Duration     // that the journal takes, before and after it has written
	tells      time.Duration     // that whoever is told of a record takes
	late       bool              // a move is done even if its context ends
	unreadable span
	byHand     time.Duration  // when somebody moves the target down; negative for never
	moved      bool           // that was so
	why        string         // what the target says of it
	badAbove   strategy.Share // the judge fails more than this
	badFrom    time.Duration  // and fails everything from here on
	passes     bool           // the judge says Pass instead of nothing
	chatty     bool           // the judge has something to remember at every look
	alarm      span
	sick       span              // the old version is no better
	full       span              // the journal takes nothing
	hangs      span              // the journal takes nothing before its end
	then       [2]rollout.Expiry // what the judges' first Fail does
	idle       bool              // nobody sends any request
	people     []deed
	crashes    string // never, everywhere, or random
	downtime   time.Duration
}

// deed is what a person does, and when.
type deed struct {
	at   time.Duration
	id   string
	kind rollout.ActKind
}

// What is done about a world that nobody acts in any more.
const (
	mended   = 45 * time.Minute // nothing fails from here on, and somebody sees to what waits for a person
	doomsday = 3 * time.Hour    // all must be over
)

// timeless says that a crash cannot change how it ends: nothing in this world
// depends on when or how often something is done.
func (f *fate) timeless() bool {
	never := span{}
	return len(f.people) == 0 && f.comes < 0 && f.byHand < 0 && f.badFrom == 0 && f.once < 0 && f.downtime == 0 && f.lag == 0 && f.tells == 0 && !f.late &&
		f.unreadable == never && f.alarm == never && f.sick == never && f.full == never && f.hangs == never &&
		f.requests[0].Deadlines.Overall.Within == 0 && len(f.options.Freezes) == 0 && f.gates["smoke"] != "doubt at first" && f.gates["later"] != "doubt at first"
}

// draw draws a world.
func draw(seed uint64) *fate {
	r := rand.New(rand.NewPCG(seed, 5))
	chance := func(p float64) bool { return r.Float64() < p }
	upTo := func(d time.Duration) time.Duration { return time.Duration(r.Int64N(int64(d))) }
	sometimes := func(p float64, within, long time.Duration) span {
		if !chance(p) {
			return span{}
		}
		from := upTo(within)
		return span{from, from + 1 + upTo(long)}
	}
	f := &fate{comes: -1, stuck: -1, ready: -1, once: -1, byHand: -1, badAbove: strategy.All, gates: map[string]string{}}
	for i := range f.plans {
		f.plans[i] = drawPlan(r)
		f.requests[i] = rollout.Request{
			ID: []string{"r", "s"}[i], Plan: f.plans[i], StepTimeout: 20 * time.Second, Look: 10 * time.Second,
			Release:   rollout.Release{Name: "shop", Version: []string{"2", "3"}[i], Digest: []string{"two", "three"}[i]},
			Doubt:     rollout.Expiry(r.IntN(3)),
			Shadow:    chance(0.1),
			Overlap:   rollout.Overlap(r.IntN(3)),
			Deadlines: drawDeadlines(r),
		}
		if overall := &f.requests[i].Deadlines.Overall.Within; *overall > 0 {
			*overall += f.plans[i].Length() // shorter is refused
		}
		f.apart[i] = !shareable(f.plans[i]) || chance(0.3)
		if decisive(f.plans[i]) && chance(0.3) {
			f.requests[i].Promotion = rollout.EvidenceOfNoHarm
		}
	}
	for _, name := range []string{"smoke", "later"} {
		f.gates[name] = "yes"
		if chance(0.25) {
			f.gates[name] = []string{"no", "doubt", "panic", "hang", "doubt at first"}[r.IntN(5)]
		}
	}
	if shares := f.plans[0].Steps; chance(0.15) {
		for _, step := range shares {
			if shift, ok := step.(strategy.Shift); ok && chance(0.6) {
				f.stuck = shift.To
			}
		}
	}
	if chance(0.1) {
		f.ready = r.IntN(4)
	}
	switch {
	case chance(0.15):
		f.badAbove = []strategy.Share{0, 5, 25, 50}[r.IntN(4)] * strategy.Percent
	case chance(0.15):
		f.badFrom = 1 + upTo(8*time.Minute)
	}
	f.passes, f.chatty, f.idle = chance(0.5), chance(0.1), chance(0.15)
	if chance(0.2) {
		f.then = [2]rollout.Expiry{rollout.Expiry(r.IntN(3)), rollout.Expiry(r.IntN(3))}
		f.requests[0].Promotion, f.requests[1].Promotion = rollout.NoHarmSeen, rollout.NoHarmSeen
	}
	switch {
	case chance(0.3):
		f.flaky = r.IntN(5)
	case chance(0.1):
		f.flaky = 1000 // until a person leaves it
	}
	if chance(0.5) { // a world that is the same whenever it is looked at
		f.crashes = []string{"everywhere", "everywhere", "random"}[r.IntN(3)]
		if chance(0.5) {
			return f
		}
	} else {
		f.crashes = []string{"never", "random", "random", "everywhere"}[r.IntN(4)]
	}
	if chance(0.1) {
		f.once = 50 * strategy.Percent
	}
	if chance(0.3) {
		f.slow, f.late = 1+upTo(25*time.Second), chance(0.5)
	}
	if chance(0.2) {
		f.lag = 1 + upTo(2*time.Second)
	}
	if chance(0.2) {
		f.tells = 1 + upTo(5*time.Second)
	}
	f.unreadable = sometimes(0.15, 6*time.Minute, 6*time.Minute)
	f.alarm = sometimes(0.1, 8*time.Minute, 4*time.Minute)
	f.sick = sometimes(0.2, 6*time.Minute, 12*time.Minute)
	f.full = sometimes(0.15, 6*time.Minute, 6*time.Minute)
	f.hangs = sometimes(0.1, 6*time.Minute, 6*time.Minute)
	if chance(0.1) {
		f.byHand = upTo(8 * time.Minute)
		f.why = []string{"", "changed by hand"}[r.IntN(2)]
	}
	if chance(0.4) {
		f.comes = upTo(8 * time.Minute)
	}
	if chance(0.15) {
		f.options.Freezes = []rollout.Freeze{{Name: "night", From: "2000-01-01 00:0" + string('0'+byte(r.IntN(5))), To: "2000-01-01 00:" + []string{"07", "12", "20"}[r.IntN(3)]}}
	}
	if chance(0.1) {
		f.options.Cooldown = upTo(5*time.Minute) + 1
	}
	if chance(0.1) {
		f.options.RollbacksPerHour = 1
	}
	if chance(0.2) {
		f.segment = 3 + r.IntN(20)
	}
	if chance(0.3) {
		f.downtime = upTo(90 * time.Second)
	}
	kinds := []rollout.ActKind{rollout.Pause, rollout.Pause, rollout.Continue, rollout.Continue, rollout.Approve, rollout.Abort, rollout.Promote, rollout.RollBack, rollout.FailedLater, rollout.Leave, rollout.Leave, rollout.Leave}
	if chance(0.6) {
		for range 1 + r.IntN(6) {
			f.people = append(f.people, deed{upTo(12 * time.Minute), []string{"r", "r", "r", "s", "r back", "base"}[r.IntN(6)], kinds[r.IntN(len(kinds))]})
		}
		slices.SortFunc(f.people, func(a, b deed) int { return int(a.at - b.at) })
	}
	return f
}

func drawDeadlines(r *rand.Rand) rollout.Deadlines {
	one := func(then ...rollout.Expiry) (d rollout.Deadline) {
		if r.IntN(3) == 0 {
			d = rollout.Deadline{Within: time.Minute + time.Duration(r.IntN(180))*time.Second, Then: then[r.IntN(len(then))]}
		}
		return d
	}
	d := rollout.Deadlines{
		Progress: one(rollout.ThenAbort, rollout.ThenPause, rollout.ThenGoOn),
		Approval: one(rollout.ThenAbort, rollout.ThenPause, rollout.ThenGoOn),
		Pause:    one(rollout.ThenAbort, rollout.ThenGoOn),
	}
	if r.IntN(4) == 0 {
		d.Overall = one(rollout.ThenAbort, rollout.ThenPause)
	}
	return d
}

var (
	errStuck = errors.New("stuck")
	errLoad  = errors.New("cannot be reached")
)

// request is a request as this process makes it.
func (l *life) request(i int) rollout.Request {
	q := l.requests[i]
	q.Target = l.process
	q.Gates, q.Watches = map[string]rollout.Gate{}, map[string]rollout.Watch{}
	for name, says := range l.gates {
		q.Gates[name] = func(ctx context.Context) error {
			if l.isMended() {
				return nil
			}
			switch says {
			case "no":
				return errors.New("no")
			case "panic":
				panic("boo")
			case "hang":
				<-ctx.Done()
				return ctx.Err()
			case "doubt at first":
				if l.now() > 3*time.Minute {
					return nil
				}
				fallthrough
			case "doubt":
				return rollout.ErrInconclusive
			}
			return nil
		}
	}
	judge := health.JudgeFunc(func(state health.State, sample health.Sample) (health.Verdict, health.State) {
		if l.chatty {
			state = health.State(strconv.Itoa(int(sample.Elapsed)))
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		bad := l.at.Share > l.badAbove || l.badFrom > 0 && l.now() >= l.badFrom
		switch {
		case !l.model.mended && bad && l.at.Share > 0:
			return health.Verdict{Call: health.Fail, Reason: "it hurts"}, state
		case l.model.mended || l.passes:
			return health.Verdict{Call: health.Pass, Reason: "no harm"}, state
		}
		return health.Verdict{Reason: "nothing to see"}, state
	})
	for j, name := range judges {
		q.Watches[name] = rollout.Watch{Judge: judge, Cohorts: l.cohorts[i][j], Then: l.then[j]}
	}
	q.Alarms = map[string]rollout.Gate{"pager": func(context.Context) error { return l.in(l.alarm, "ringing") }}
	q.Stable = func(context.Context) error { return l.in(l.sick, "it is sick, too") }
	return q
}

func (l *life) isMended() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.model.mended
}

func (l *life) in(s span, what string) error {
	if s.has(l.now()) && !l.isMended() {
		return errors.New(what)
	}
	return nil
}
