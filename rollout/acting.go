package rollout

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/strategy"
)

// stall says why the rollout cannot go on and rests, ever longer. Meanwhile nothing
// goes forward, and judges go on to watch whoever is exposed.
func (d *driver) stall(ctx context.Context, err error) {
	d.stalls++
	d.engine.problem(d.run, err)
	m := d.engine.machine(d.run)
	if d.lost == nil {
		_ = d.look(ctx, m, false) // its errors are the one that we have
	} else if d.retreat(ctx, m) != nil {
		d.stalls = 1 // what hurts must go, as soon as it can
	}
	d.rest(ctx, min(time.Second<<min(d.stalls-1, 3), 10*time.Second))
}

// retreat takes back a change that fails, or goes back already, although the journal
// cannot be written: as much of it as needs no instances to come or go, because the way
// back will be taken once more when the journal has it, and instances that are back by
// then must not go again.
func (d *driver) retreat(ctx context.Context, m Machine) error {
	var steps []strategy.Step
	switch {
	case m.state.Phase == Back:
		steps = m.back[min(m.state.Step, len(m.back)):]
	case !m.gone():
		steps = m.wayBack()
	}
	ctx, cancel := d.engine.clock.within(ctx, d.timeout(), nil)
	defer cancel()
	held := false
	for _, step := range steps {
		switch step.(type) {
		case strategy.Scale:
			held = true
		case strategy.Shift, strategy.Mirror:
			if held {
				return errors.New("the change fails, and could neither be written down nor taken back: the old version's instances come first")
			}
			if err := d.act(ctx, m, step); err != nil {
				return fmt.Errorf("the change fails, and could neither be written down nor taken back: %w", err)
			}
		}
	}
	return nil
}

// act is the only place where anything moves.
func (d *driver) act(ctx context.Context, m Machine, step strategy.Step) error {
	switch step := step.(type) {
	case strategy.Verify:
		if m.State().Forced {
			return nil
		}
		return d.verify(ctx, step)
	case strategy.Scale:
		return d.move(ctx, m, step, func(ctx context.Context) error {
			return d.request.Target.(strategy.Scaler).Scale(ctx, step.Old.To, step.New.To)
		})
	case strategy.Mirror:
		return d.move(ctx, m, step, func(ctx context.Context) error {
			return d.request.Target.(strategy.Mirrorer).Mirror(ctx, step.To)
		})
	case strategy.Shift:
		return d.move(ctx, m, step, func(ctx context.Context) error {
			return d.request.Target.(strategy.Shifter).Shift(ctx, step.To)
		})
	case strategy.Promote:
		plan, version := m.route.Plan, m.route.Plan.New
		if step.Back {
			version = plan.Old
		}
		if promoter, ok := d.request.Target.(strategy.Promoter); ok && version != "" {
			return ask(ctx, func(ctx context.Context) error { return promoter.Promote(ctx, version) })
		}
	}
	return nil
}

// move calls the target and reads back where it stands.
func (d *driver) move(ctx context.Context, m Machine, step strategy.Step, act Gate) error {
	return ask(ctx, func(ctx context.Context) error {
		err := act(ctx)
		back := m.State().Phase == Back
		seen, unseen := d.observe(ctx)
		if unseen == nil {
			unseen = astray(seen, step, back)
		}
		if err == nil || unseen == nil && back {
			return unseen // on the way back, being there is what counts
		}
		return err
	})
}

// verify asks every gate. The worst answer counts: no, before could not tell.
func (d *driver) verify(ctx context.Context, step strategy.Verify) error {
	var no, doubt []error
	for _, name := range step.Gates {
		switch err := ask(ctx, d.request.Gates[name]); {
		case err == nil:
		case doubtful(err):
			doubt = append(doubt, fmt.Errorf("%w: gate %q cannot tell: %w", ErrInconclusive, name, err))
		default:
			no = append(no, fmt.Errorf("gate %q says no: %w", name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	if len(no) > 0 {
		return errors.Join(no...)
	}
	return errors.Join(doubt...)
}

// doubtful is an answer that is no answer.
func doubtful(err error) bool {
	return errors.Is(err, ErrInconclusive) || errors.As(err, new(panicked)) || errors.Is(err, context.DeadlineExceeded)
}

// judge lets a judge look; one that panics fails the change.
func judge(j health.Judge, state health.State, sample health.Sample) (v health.Verdict, next health.State) {
	defer func() {
		if p := recover(); p != nil {
			v, next = health.Verdict{Call: health.Fail, Reason: fmt.Sprintf("the judge panicked: %v", p)}, state
		}
		for _, x := range []*float64{&v.LogE, &v.LogPeak, &v.LogThreshold} {
			if *x != *x {
				*x = 0
			}
			*x = min(max(*x, -math.MaxFloat64), math.MaxFloat64) // JSON knows no infinity
		}
	}()
	return j.Look(state, sample)
}

// passed says whether a judge's last look was a Pass.
func (m Machine) passed(name string) bool {
	i := slices.Index(m.route.judges, name)
	return i >= 0 && m.state.passed&(1<<i) != 0
}

// observe reads back where the target stands.
func (d *driver) observe(ctx context.Context) (strategy.Observation, error) {
	seen, err := d.request.Target.Observe(ctx)
	if err != nil {
		return seen, fmt.Errorf("%w: %w", errUnseen, err)
	}
	return seen, nil
}

// inPlace looks whether the target is where the journal has it: the new version has its
// traffic, and during a hold its instances.
func (d *driver) inPlace(ctx context.Context, m Machine) error {
	seen, err := d.observe(ctx)
	if err != nil {
		return err
	}
	s := m.State()
	if err := astray(seen, strategy.Shift{To: s.Share}, s.Phase == Back); err != nil || s.Phase != Waiting {
		return err
	}
	if want := m.route.Plan.After(s.Step); seen.New < want.New {
		return fmt.Errorf("read back %d new instances, want %d", seen.New, want.New)
	}
	return nil
}

// astray says where a target stands, if a step does not leave it there. On the way back
// less is fine: somebody else may have turned it off altogether.
func astray(seen strategy.Observation, step strategy.Step, back bool) error {
	var there bool
	var found, want any
	switch step := step.(type) {
	case strategy.Shift:
		there, found, want = seen.Share == step.To || back && seen.Share < step.To, seen.Share, step.To
	case strategy.Mirror:
		there, found, want = seen.Mirror == step.To || back && seen.Mirror < step.To, seen.Mirror, step.To
	case strategy.Scale:
		there = seen.Old == step.Old.To && seen.New == step.New.To || back && seen.Old >= step.Old.To && seen.New <= step.New.To
		found, want = instances(seen.Old, seen.New), instances(step.Old.To, step.New.To)
	}
	switch {
	case there && (back || seen.Why == ""):
		return nil
	case seen.Why != "":
		return errors.New(seen.Why)
	}
	return fmt.Errorf("read back %v, want %v", found, want)
}

// place is where a target stands, for people.
func place(o strategy.Observation) string {
	return fmt.Sprintf("%v, %v mirrored, %s", o.Share, o.Mirror, instances(o.Old, o.New))
}

func instances(old, new int) string {
	return fmt.Sprintf("%d old and %d new instances", old, new)
}

// errUnseen is a target that cannot be read back: nobody knows where it is.
var errUnseen = errors.New("cannot be read back")

// panicked is host code that panicked.
type panicked struct{ text string }

func (p panicked) Error() string { return p.text }

// ask contains panics: code of the host must not take the engine down.
func ask(ctx context.Context, gate Gate) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked{fmt.Sprintf("panic: %v", p)}
			slog.Default().Error("rollout: a gate, an alarm or a target panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	return errors.Join(gate(ctx), ctx.Err())
}

// noHarm says why a hold may end: what was not seen, and how much was looked at.
func (d *driver) noHarm(m Machine, hold strategy.Hold) string {
	s := m.State()
	switch {
	case s.Forced:
		return fmt.Sprintf("%v: cut short, as %s promotes it", hold, s.Actor)
	case len(hold.Judges) == 0:
		return fmt.Sprintf("held %v", hold.For)
	}
	d.engine.mu.Lock()
	defer d.engine.mu.Unlock()
	var harm []string
	for _, name := range hold.Judges {
		if v := d.run.verdicts[name]; v.Call == health.Fail {
			harm = append(harm, name+": "+v.Reason)
		}
	}
	if len(harm) > 0 { // they only report, or a person let it go on
		return fmt.Sprintf("held %v at %v, harm seen by %s", hold.For, s.Share, strings.Join(harm, "; "))
	}
	return fmt.Sprintf("held %v at %v, no harm seen: %s", hold.For, s.Share, d.run.verdict.Reason)
}

// tell says how the rollout stands, for a log.
func (d *driver) tell() string {
	if d.request.guard != nil {
		return d.request.guard.Progress().String()
	}
	status, _ := d.engine.Status(d.run.id)
	return status.Phase
}

func why(m Machine, outcome Outcome) string {
	switch s := m.State(); {
	case outcome != Succeeded:
		return s.Reason
	case s.Forced:
		return "every step was taken, by the word of " + s.Actor
	case s.Shadowed != "":
		return "every step was taken, and its judges only report: " + s.Shadowed
	case m.gone() || s.doubted != 0: // a judge may have seen harm, and a person let it go on
		return "every step was taken"
	}
	return "every step was taken and no judge saw harm"
}
