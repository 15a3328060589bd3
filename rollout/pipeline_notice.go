package rollout

import "fmt"

// glance is of a run what notices are about.
type glance struct {
	phase          Phase
	paused, frozen bool
}

func (c *course) glance() glance { return glance{c.phase, c.paused.on(), c.frozen.on()} }

// notice is what there is to tell of a record that was folded in. Of most there is
// nothing: what becomes of each stage is in the report.
func (c *course) notice(was glance, r Record) (Notice, bool) {
	is, q := c.glance(), c.asked
	n := Notice{
		ID: fmt.Sprintf("%d-%.16s", r.Seq, r.Sum), Seq: r.Seq, At: r.At, Rollout: r.Rollout, Pipeline: c.name,
		Service: q.Service, Environment: q.Environment, Release: q.Release, Phase: c.String(), Outcome: c.outcome, Reason: r.Reason, Actor: r.Actor,
	}
	if r.Kind == KindActed {
		n.Reason = string(r.Act.Kind)
		if r.Act.Reason != "" {
			n.Reason += ": " + r.Act.Reason
		}
	}
	switch {
	case is.phase == Done:
		n.Kind, n.Person = NoticeOver, c.leave
	case was.phase == Pending:
		n.Kind = NoticeBegan
	case was.phase == Forward && is.phase == Back && !c.leave: // otherwise nothing goes back
		if n.Kind = NoticeRollingBack; r.Kind != KindActed {
			n.Reason = c.reason
		}
	case r.Kind == KindFailed && c.stages[c.find(r.Stage)].Status == StageStuck && (r.Attempt&(r.Attempt-1) == 0 || r.Until.IsZero()):
		n.Kind, n.Stage, n.Until, n.Person = NoticeFailing, r.Stage, r.Until, true
	case is.frozen && !was.frozen:
		n.Kind, n.Reason, n.Person = NoticeFrozen, c.frozen.Reason, true
	case is.paused && !was.paused:
		n.Kind, n.Person = NoticePaused, true
	case r.Kind == KindActed:
		n.Kind = NoticeActed
	default:
		return Notice{}, false
	}
	n.Reason = oneLine(n.Reason)
	return n, true
}
