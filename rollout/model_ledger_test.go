package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
)

// ledger is a journal that checks every record by the invariants of a rollout as it
// is written: it folds them by itself. It is used under the lock of its model.
type ledger struct {
	machines map[string]*rollout.Machine
	requests map[string]*rollout.Requested
	moved    map[string]time.Time              // of the last record but looks
	verdicts map[string]map[string]health.Call // last ones
	gone     map[string]bool                   // past a point of no return
	left     map[string]bool                   // by a person, in the middle of a way back
	anew     map[string]bool                   // begun in the middle of a way back, with the first steps' instances
	active   string
	order    []string
	records  int
	unseen   map[string]unseen
	wrong    []string // what is broken
}

func newLedger() *ledger {
	return &ledger{machines: map[string]*rollout.Machine{}, requests: map[string]*rollout.Requested{}, moved: map[string]time.Time{}, verdicts: map[string]map[string]health.Call{}, gone: map[string]bool{}, left: map[string]bool{}, anew: map[string]bool{}, unseen: map[string]unseen{}}
}

func (l *ledger) breaks(format string, args ...any) {
	l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
}

// state is where a rollout stands by the ledger, and whether it is known.
func (l *ledger) state(id string) (rollout.State, bool) {
	if m := l.machines[id]; m != nil {
		return m.State(), true
	}
	return rollout.State{}, false
}

// step is the step of its plan that a rollout stands at, on its way forward.
func (l *ledger) step(id string) strategy.Step {
	s, q := l.machines[id].State(), l.requests[id]
	if (s.Phase == rollout.Forward || s.Phase == rollout.Waiting) && s.Step < len(q.Plan.Steps) {
		return q.Plan.Steps[s.Step]
	}
	return nil
}

// hold is the hold that a rollout is in.
func (l *ledger) hold(id string) (strategy.Hold, bool) {
	m := l.machines[id]
	if l.requests[id] == nil || m.State().Phase != rollout.Waiting {
		return strategy.Hold{}, false
	}
	hold, holds := l.step(id).(strategy.Hold)
	return hold, holds
}

// held checks the end of a hold: it has all that it waited for, or a person, or a
// deadline, says that it goes on without.
func (l *ledger) held(r rollout.Record, s rollout.State, hold strategy.Hold) {
	d := l.requests[r.Rollout].Deadlines.Progress
	if hold.Approval {
		d = l.requests[r.Rollout].Deadlines.Approval
	}
	switch {
	case s.Forced, d.Then == rollout.ThenGoOn && !s.Deadline.IsZero() && !r.At.Before(s.Deadline):
	case r.At.Before(s.Until):
		l.breaks("record %d ends a hold before its time", r.Seq)
	case s.Paused != (rollout.Stop{}), r.At.Before(s.Frozen.Until):
		l.breaks("record %d ends a hold, and it is %v", r.Seq, s)
	case hold.Approval && !s.Approved:
		l.breaks("record %d ends a hold that nobody has approved", r.Seq)
	case len(hold.Judges) > 0 && (s.Looked.Before(s.Until) || s.Exposed < s.ExposedBefore+uint64(hold.Exposed)):
		l.breaks("record %d ends a hold whose judges have not seen enough", r.Seq)
	}
}

// pass notes it if a rollout is past a point of no return.
func (l *ledger) pass(id string) {
	s := l.machines[id].State()
	if _, gone := l.step(id).(strategy.NoReturn); gone && s.Begun {
		l.gone[id] = true
	}
}

// took folds one record in that was written while the target stood somewhere; nil is
// unknown.
func (l *ledger) took(r rollout.Record, at *strategy.Observation) {
	l.records++
	if r.Kind == rollout.KindCheckpoint {
		return
	}
	m := l.machines[r.Rollout]
	if m == nil {
		m = &rollout.Machine{}
		l.machines[r.Rollout], l.verdicts[r.Rollout] = m, map[string]health.Call{}
		l.order = append(l.order, r.Rollout)
	}
	before := m.State()
	if r.From != before.String() {
		l.breaks("record %d is from %q, and the rollout was %q", r.Seq, r.From, before)
	}
	if r.Kind == rollout.KindRequested {
		if l.active != "" {
			l.breaks("record %d begins %q, and %q is not over", r.Seq, r.Rollout, l.active)
		}
		l.active, l.requests[r.Rollout] = r.Rollout, r.Request
	} else if l.active != r.Rollout && (r.Act == nil || r.Act.Kind != rollout.FailedLater) {
		l.breaks("record %d is of %q, which is over or never began", r.Seq, r.Rollout)
	}
	if q := l.requests[r.Rollout]; r.Kind == rollout.KindDone && before.Phase != rollout.Back && !before.Forced && !q.Shadow && !l.gone[r.Rollout] {
		for name, call := range l.verdicts[r.Rollout] {
			if call == health.Fail && q.Fails[name] == rollout.ThenAbort {
				l.breaks("record %d goes on, and the last word of judge %q is no", r.Seq, name)
			}
		}
	}
	if hold, holds := l.hold(r.Rollout); holds && r.Kind == rollout.KindDone && before.Generation == r.Generation {
		l.held(r, before, hold)
	}
	if err := m.Apply(r); err != nil {
		l.breaks("record %d (%v) cannot follow: %v", r.Seq, r, err)
		return
	}
	s, q := m.State(), l.requests[r.Rollout]
	if r.To != s.String() {
		l.breaks("record %d is to %q, and the rollout is %q", r.Seq, r.To, s)
	}
	if s.Share < 0 || s.Share > strategy.All || s.Share > s.Peak {
		l.breaks("record %d: shares %v of at most %v", r.Seq, s.Share, s.Peak)
	}
	if s.Phase == rollout.Back && s.Share > q.Floor && !l.gone[r.Rollout] && !scales(q.Plan) { // instances may come back rung by rung
		l.breaks("record %d: %q goes back, and the journal allows %v still", r.Seq, r.Rollout, s.Share)
	}
	if turned := (s.Phase == rollout.Back) != (before.Phase == rollout.Back); turned && before.Phase != rollout.Pending && s.Phase != rollout.Done && s.Generation != before.Generation+1 {
		l.breaks("record %d turns %q round, and late answers count", r.Seq, r.Rollout)
	}
	if r.Act != nil && r.Act.Kind == rollout.Leave {
		l.left[r.Rollout] = true
		if before.Phase != rollout.Back || before.Attempt == 0 {
			l.breaks("record %d leaves %q, whose way back has not failed: %v", r.Seq, r.Rollout, before)
		}
	}
	if s.Phase == rollout.Forward && before.Phase == rollout.Back {
		l.anew[r.Rollout] = true
	}
	if s.Generation != before.Generation {
		clear(l.verdicts[r.Rollout])
	} else if r.Look != nil {
		l.verdicts[r.Rollout][r.Look.Watch] = r.Look.Verdict.Call
	}
	l.pass(r.Rollout)
	if r.Kind != rollout.KindLooked {
		l.moved[r.Rollout] = r.At
	}
	if r.Kind == rollout.KindFinished {
		l.active = ""
		if s.Outcome == rollout.Unfinished || s.Phase != rollout.Done {
			l.breaks("record %d ends %q, which is %v", r.Seq, r.Rollout, s)
		}
		if left := s.Outcome == rollout.Failed; left != l.left[r.Rollout] {
			l.breaks("record %d ends %q as %v, and that a person has left it is %v", r.Seq, r.Rollout, s, !left)
		} else if at != nil && !left {
			l.ends(r, s, *at)
		}
	}
}

// String is who is where.
func (l *ledger) String() string {
	var b strings.Builder
	for _, id := range l.order {
		fmt.Fprintf(&b, "%s: %v; ", id, l.machines[id].State())
	}
	return b.String()
}

// process is one life of the host's process, and what it has of the world. After
// its death nothing of it moves anything.
type process struct {
	*rollout.Memory
	model *model
	die   context.CancelFunc
	n     int  // it dies at so many records from now; 0 for never
	after bool // it is written, but nobody is told
	dead  bool
}

var errHangs = errors.New("the journal hangs")

// Append is of a journal that may be full, or hang, and whose process may die.
func (p *process) Append(ctx context.Context, r rollout.Record) (rollout.Record, error) {
	return p.write(ctx, r, func() (rollout.Record, error) { return p.Memory.Append(ctx, r) })
}

// Checkpoint is likewise.
func (p *process) Checkpoint(ctx context.Context, r rollout.Record) (rollout.Record, error) {
	return p.write(ctx, r, func() (rollout.Record, error) { return p.Memory.Checkpoint(ctx, r) })
}

func (p *process) write(ctx context.Context, r rollout.Record, write func() (rollout.Record, error)) (rollout.Record, error) {
	w := p.model
	if now := w.now(); w.hangs.has(now) {
		if err := sleep(ctx, w.hangs.to-now); err != nil {
			return r, fmt.Errorf("%w: %w", errHangs, err)
		}
	}
	if w.lag > 0 {
		<-time.After(w.lag)
		defer func() { <-time.After(w.lag) }()
	}
	if err := ctx.Err(); err != nil {
		return r, fmt.Errorf("%w: %w", errHangs, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	gone := fmt.Errorf("%w: %w", errCrash, rollout.ErrFenced)
	switch {
	case p.dead:
		return r, gone
	case w.full.has(w.now()):
		return r, errFull
	}
	if p.n--; p.n == 0 && !p.after {
		p.dead = true
		p.die()
		return r, gone
	}
	if r.Kind == rollout.KindRequested {
		w.newVersion(r.Request)
	}
	written, err := write()
	if err != nil {
		return written, err
	}
	before := w.ledger.machine(written.Rollout)
	w.ledger.took(written, &w.at)
	w.ledger.acted(written, before, time.Now().Add(w.lag))
	if p.n == 0 || w.crashes == "everywhere" && w.fresh(written) {
		p.dead = true
		p.die()
		return r, gone
	}
	return written, nil
}
