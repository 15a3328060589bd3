package rollout_test

import (
	"context"
	"slices"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
)

// unseen is a rollout before a record of somebody else than its driver, of which the
// engine may know nothing yet.
type unseen struct {
	machine rollout.Machine
	until   time.Time
}

// machine is a copy of a rollout's.
func (l *ledger) machine(id string) rollout.Machine {
	if m := l.machines[id]; m != nil {
		return *m
	}
	return rollout.Machine{}
}

// acted notes it if somebody else than its driver has written a record, which takes
// the journal until then.
func (l *ledger) acted(r rollout.Record, before rollout.Machine, until time.Time) {
	if r.Kind != rollout.KindActed && r.Kind != rollout.KindReplaced {
		return
	}
	u, ok := l.unseen[r.Rollout]
	if !ok || time.Now().After(u.until) {
		u.machine = before
	}
	u.until = until
	l.unseen[r.Rollout] = u
}

// ends checks where the target stands at the end of a rollout.
func (l *ledger) ends(r rollout.Record, s rollout.State, at strategy.Observation) {
	q := l.requests[r.Rollout]
	end := q.Plan.After(len(q.Plan.Steps) - 1)
	switch {
	case at.Share > s.Share:
	case s.Outcome == rollout.Succeeded && (at.Mirror != end.Mirror || at.Old != end.Old || at.New != end.New):
	case s.Outcome == rollout.Succeeded, l.gone[r.Rollout]:
		return
	default:
		if q.TakesBack == "" {
			end = q.Plan.Start()
		}
		if at.Share <= end.Share && at.Mirror <= end.Mirror && at.Old >= end.Old && at.New <= end.New {
			return
		}
	}
	l.breaks("record %d: %q is %v, and the target is at %+v, want %+v", r.Seq, r.Rollout, s, at, end)
}

// scales says whether a plan has instances.
func scales(p strategy.Plan) bool { return p.Start().Old+p.Start().New > 0 }

// moves checks a step of the target that is about to be taken, and where it leads.
func (l *ledger) moves(step strategy.Step, to strategy.Observation, full, byHand bool) {
	if l.active == "" {
		l.breaks("%v, and no rollout is under way", step)
		return
	}
	q := l.requests[l.active]
	n := q.Plan.Start().Old
	if q.TakesBack != "" {
		n = q.Plan.After(len(q.Plan.Steps) - 1).Old
	}
	if !byHand && !l.anew[l.active] && (to.New < serving(n, to.Share) || to.Old < serving(n, strategy.All-to.Share)) {
		l.breaks("%v, and too few serve: %+v", step, to)
	}
	if fits(l.machine(l.active), q, step, full) {
		return
	}
	if u := l.unseen[l.active]; !time.Now().After(u.until) && fits(u.machine, q, step, full) {
		return
	}
	l.breaks("%v, and %q is %v, which allows %v", step, l.active, l.machine(l.active).State(), l.machine(l.active).State().Share)
}

// fits says whether a rollout that stands somewhere may take a step: on its way forward
// that of its plan, on its way back that of the way back, and while that cannot be written
// down, any way back.
func fits(m rollout.Machine, q *rollout.Requested, step strategy.Step, full bool) bool {
	s := m.State()
	if s.Phase == rollout.Forward && s.Attempt > 0 && s.Step < len(q.Plan.Steps) && same(q.Plan.Steps[s.Step], step) {
		shift, ok := step.(strategy.Shift)
		return !ok || shift.To <= s.Share
	}
	if s.Phase == rollout.Back && s.Begun && same(m.Next(time.Now()).Step, step) {
		return true
	}
	if !full {
		return false
	}
	back := q.Plan.Steps // of one that takes another back
	if q.TakesBack == "" {
		back = nil
		for at := range q.Plan.Steps {
			back = append(back, q.Plan.Undo(at)...)
		}
	}
	return slices.ContainsFunc(back, func(back strategy.Step) bool { return same(back, step) })
}

// same says that two steps lead to the same.
func same(a, b strategy.Step) bool {
	switch a := a.(type) {
	case strategy.Shift:
		b, ok := b.(strategy.Shift)
		return ok && a.To == b.To
	case strategy.Mirror:
		b, ok := b.(strategy.Mirror)
		return ok && a.To == b.To
	case strategy.Scale:
		b, ok := b.(strategy.Scale)
		return ok && a.Old.To == b.Old.To && a.New.To == b.New.To
	}
	return false
}

// Shift moves the target, if the world lets it.
func (p *process) Shift(ctx context.Context, to strategy.Share) error {
	return p.move(ctx, strategy.Shift{To: to}, func(at *strategy.Observation) { at.Share, at.Why = to, "" })
}

// Mirror is likewise.
func (p *process) Mirror(ctx context.Context, to strategy.Share) error {
	return p.move(ctx, strategy.Mirror{To: to}, func(at *strategy.Observation) { at.Mirror = to })
}

// Scale is likewise. One that fails leaves it half way.
func (p *process) Scale(ctx context.Context, old, new int) error {
	step := strategy.Scale{Old: strategy.Count{To: old}, New: strategy.Count{To: new}}
	return p.move(ctx, step, func(at *strategy.Observation) { at.Old, at.New = old, new })
}

func (p *process) move(ctx context.Context, step strategy.Step, move func(*strategy.Observation)) error {
	w := p.model
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.dead {
		return errCrash
	}
	to := w.at
	move(&to)
	w.ledger.moves(step, to, w.full.to > 0 || w.hangs.to > 0, w.moved)
	if w.slow > 0 && !w.sound() {
		w.mu.Unlock()
		select {
		case <-time.After(w.slow):
		case <-ctx.Done():
		}
		w.mu.Lock()
		if !w.late && (p.dead || ctx.Err() != nil) {
			return errCrash
		}
	}
	to = w.at
	move(&to)
	switch {
	case w.sound():
	case to.Share == w.stuck && to.Share > 0 && to.Share != w.at.Share:
		return errStuck
	case to.Share == w.once && to.Share > 0 && to.Share != w.at.Share:
		w.once = -1
		return errStuck
	case w.ready >= 0 && to.New > max(w.ready, w.at.New):
		w.at.New = max(w.ready, w.at.New)
		return errStuck
	case (to.Share < w.at.Share || to.Old > w.at.Old || to.New < w.at.New) && w.flaky > 0:
		w.flaky--
		w.at.Old, w.at.New = (w.at.Old+to.Old+1)/2, (w.at.New+to.New+1)/2
		return errStuck
	}
	w.at = to
	return nil
}

// Observe reads the target back.
func (p *process) Observe(context.Context) (strategy.Observation, error) {
	w := p.model
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unreadable.has(w.now()) {
		return strategy.Observation{}, errLoad
	}
	return w.at, nil
}
