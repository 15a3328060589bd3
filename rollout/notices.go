package rollout

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
)

// Notices yields what there is to tell of records, in their order, and errors: of a
// journal's Records, or of [Follow]. The records begin with the first of a journal, or
// with a checkpoint, of which it tells what is not over. It needs memory for the
// rollouts and runs that are not over, and for the last rollout that succeeded of each
// service, environment and flag, about which people may still say something.
func Notices(records iter.Seq2[Record, error]) iter.Seq2[Notice, error] {
	return func(yield func(Notice, error) bool) {
		t := teller{known: map[string]Machine{}, runs: map[string]*course{}, last: map[lane]string{}}
		first := true
		for record, err := range records {
			if err != nil {
				yield(Notice{}, err)
				return
			}
			all := []Record{record}
			if cp := record.Checkpoint; cp != nil {
				if all = nil; first {
					for _, ended := range cp.Ended {
						if ended.Run == nil { // nobody says anything of a run that is over
							t.over(ended.ID, ended.run().machine)
						}
					}
					all = cp.Live
				}
			}
			first = false
			for _, r := range all {
				n, ok, err := t.tell(r)
				if err != nil {
					yield(Notice{}, &Error{"read", r.Rollout, fmt.Errorf("%w: record %d: %w", ErrCorrupt, r.Seq, err)})
					return
				}
				if ok && !yield(n, nil) {
					return
				}
			}
		}
	}
}

// teller folds records into what there is to tell.
type teller struct {
	known map[string]Machine
	runs  map[string]*course // of pipelines, that are not over
	last  map[lane]string    // of known: the last that succeeded
}

func (t *teller) tell(r Record) (n Notice, ok bool, err error) {
	if r.Pipeline != "" {
		c := t.runs[r.Rollout]
		if c == nil {
			c = &course{}
			t.runs[r.Rollout] = c
		}
		before := c.glance()
		if err := c.apply(r); err != nil {
			return n, false, err
		}
		if c.phase == Done {
			delete(t.runs, r.Rollout)
		}
		n, ok = c.notice(before, r)
		return n, ok, nil
	}
	before := t.known[r.Rollout]
	after := before
	if r.Kind == KindActed && before.route == nil {
		return n, false, nil // it was over long ago, and moves nothing
	}
	if err := after.Apply(r); err != nil {
		return n, false, err
	}
	t.known[r.Rollout] = after
	if after.state.Phase == Done {
		t.over(r.Rollout, after)
	}
	n, ok = noticeOf(before, r)
	return n, ok, nil
}

// over forgets a rollout that is over, but for the last that succeeded.
func (t *teller) over(id string, m Machine) {
	if l := m.route.lane(); m.state.Outcome == Succeeded && t.last[l] != id {
		delete(t.known, t.last[l])
		t.known[id], t.last[l] = m, id
	} else if m.state.Outcome != Succeeded {
		delete(t.known, id)
	}
}

// LogNotices returns what logs notices, for Options.OnNotice: one line each, as
// "rollout: goes back". A way back that fails or is held is an error; what needs a
// person otherwise, a way back, an end other than success, what failed later, and what a
// judge only reports, is a warning; everything else is information. The attributes are
// those of [Notice.LogValue]. Nil is slog.Default, as it is when something is logged.
func LogNotices(logger *slog.Logger) func(Notice) {
	return func(n Notice) {
		l := logger
		if l == nil {
			l = slog.Default()
		}
		l.LogAttrs(context.Background(), n.level(), "rollout: "+n.words(), n.LogValue().Group()...)
	}
}

func (n Notice) level() slog.Level {
	switch n.Kind {
	case NoticeFailing, NoticeHeld:
		return slog.LevelError
	case NoticeRollingBack, NoticeReported, NoticeFailedLater:
		return slog.LevelWarn
	}
	if n.Person || n.Kind == NoticeOver && n.Outcome != Succeeded {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// LogValue lays the notice out for package slog: kind, rollout, pipeline, stage, service,
// environment, release, flag, phase, share, outcome, reason, actor, until, person and id,
// but for what is empty.
func (n Notice) LogValue() slog.Value {
	var attrs []slog.Attr
	add := func(name, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(name, value))
		}
	}
	add("kind", string(n.Kind))
	add("rollout", n.Rollout)
	add("pipeline", n.Pipeline)
	add("stage", n.Stage)
	add("service", n.Service)
	add("environment", n.Environment)
	if n.Release.Name+n.Release.Version != "" {
		add("release", n.Release.String())
	}
	add("flag", n.Flag)
	add("phase", n.Phase)
	if n.Pipeline == "" {
		add("share", n.Share.String())
	}
	if n.Outcome != Unfinished {
		add("outcome", n.Outcome.String())
	}
	add("reason", n.Reason)
	add("actor", n.Actor)
	if !n.Until.IsZero() {
		attrs = append(attrs, slog.Time("until", n.Until))
	}
	if n.Person {
		attrs = append(attrs, slog.Bool("person", true))
	}
	add("id", n.ID)
	return slog.GroupValue(attrs...)
}
