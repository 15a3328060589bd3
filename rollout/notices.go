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
// rollouts that are not over, and for the last that succeeded of each service,
// environment and flag, about which people may still say something.
func Notices(records iter.Seq2[Record, error]) iter.Seq2[Notice, error] {
	return func(yield func(Notice, error) bool) {
		known, last := map[string]Machine{}, map[lane]string{}
		over := func(id string, m Machine) { // of those that are over, the last that succeeded is kept
			if l := m.route.lane(); m.state.Outcome == Succeeded && last[l] != id {
				delete(known, last[l])
				known[id], last[l] = m, id
			} else if m.state.Outcome != Succeeded {
				delete(known, id)
			}
		}
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
						over(ended.ID, ended.run().machine)
					}
					all = cp.Live
				}
			}
			first = false
			for _, r := range all {
				before := known[r.Rollout]
				after := before
				if r.Kind == KindActed && before.route == nil {
					continue // it was over long ago, and moves nothing
				}
				if err := after.Apply(r); err != nil {
					yield(Notice{}, &Error{"read", r.Rollout, fmt.Errorf("%w: record %d: %w", ErrCorrupt, r.Seq, err)})
					return
				}
				known[r.Rollout] = after
				if after.state.Phase == Done {
					over(r.Rollout, after)
				}
				if n, ok := NoticeOf(before, r); ok && !yield(n, nil) {
					return
				}
			}
		}
	}
}

// LogNotices returns what logs notices, for Options.OnNotice: one line each, as
// "rollout: goes back". A way back that fails or is held is an error; what needs a
// person otherwise, a way back, an end other than success, and what failed later or
// would have, is a warning; everything else is information. The attributes are those of
// [Notice.LogValue]. Nil is slog.Default, as it is when something is logged.
func LogNotices(logger *slog.Logger) func(Notice) {
	return func(n Notice) {
		l := logger
		if l == nil {
			l = slog.Default()
		}
		l.LogAttrs(context.Background(), n.level(), "rollout: "+noticeWords[n.Kind], n.LogValue().Group()...)
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

// LogValue lays the notice out for package slog: kind, rollout, service, environment,
// release, flag, phase, share, outcome, reason, actor, until, person and id, but for
// what is empty.
func (n Notice) LogValue() slog.Value {
	var attrs []slog.Attr
	add := func(name, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(name, value))
		}
	}
	add("kind", string(n.Kind))
	add("rollout", n.Rollout)
	add("service", n.Service)
	add("environment", n.Environment)
	if n.Release.Name+n.Release.Version != "" {
		add("release", n.Release.String())
	}
	add("flag", n.Flag)
	add("phase", n.Phase)
	add("share", n.Share.String())
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
