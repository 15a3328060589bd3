package rollout

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/guidon-go/guidon/strategy"
)

// NoticeKind is what a notice tells.
type NoticeKind string

// The kinds of notices.
const (
	NoticeBegan       NoticeKind = "began"            // a rollout was requested, and goes forward
	NoticeApproval    NoticeKind = "approval"         // a hold began that a person has to approve
	NoticePaused      NoticeKind = "paused"           // a person, a deadline, a judge or a doubt keeps it until somebody continues it
	NoticeFrozen      NoticeKind = "frozen"           // a freeze keeps it, until it is over; or a failure past the point of no return
	NoticeActed       NoticeKind = "acted"            // a person approved, continued or promoted it, hurried its way back, or ended a run as it is
	NoticeReported    NoticeKind = "reported"         // a judge that only reports says that the change fails
	NoticeRollingBack NoticeKind = "rolling_back"     // it turned round, or the way back of one that had succeeded was requested
	NoticeHeld        NoticeKind = "held"             // the way back waits, because the old version is no better
	NoticeFailing     NoticeKind = "rollback_failing" // a step of the way back failed: the first time, the second, the fourth, ...
	NoticeOver        NoticeKind = "over"             // it ended: see Outcome
	NoticeFailedLater NoticeKind = "failed_later"     // a person says that it turned out bad
)

// Notice is what people want to be told of a rollout, or of a run of a pipeline: few of
// its records, in words. It follows from the records alone, so that whoever reads a
// journal makes the same ones; see [Options.OnNotice], [Notices] and package
// rollout/webhook.
type Notice struct {
	// ID is of the record that it tells: the same whoever tells it, and how often.
	ID          string         `json:"id"`
	Seq         uint64         `json:"seq"`                   // of the record
	Kind        NoticeKind     `json:"kind"`                  // what it tells
	At          time.Time      `json:"at"`                    // when that was, in UTC
	Rollout     string         `json:"rollout"`               // the rollout's ID, or the run's
	Pipeline    string         `json:"pipeline,omitempty"`    // of which it is a run
	Stage       string         `json:"stage,omitempty"`       // of a run: whose way back fails
	Service     string         `json:"service,omitempty"`     // what it changes
	Environment string         `json:"environment,omitempty"` // and where
	Release     Release        `json:"release,omitzero"`      // what is rolled out
	Flag        string         `json:"flag,omitempty"`        // a guarded flag's key
	TakesBack   string         `json:"takes_back,omitempty"`  // the rollout that it takes back, if any
	Phase       string         `json:"phase"`                 // where it stands, as Status has it
	Share       strategy.Share `json:"share"`                 // what the new version may have, by a rollout
	Outcome     Outcome        `json:"outcome,omitempty"`     // of NoticeOver
	Reason      string         `json:"reason,omitempty"`      // why, on one line of about 1,000 bytes at most
	Actor       string         `json:"actor,omitempty"`       // who: a person, "engine", "judge errors"
	// Until is when it ends by itself, or is tried or asked again; for an approval, by
	// when it has to come. Zero means never.
	Until time.Time `json:"until,omitzero"`
	// Person says that somebody is needed: to approve, to continue or abort, to decide
	// what is better, or to see why the way back fails.
	Person bool `json:"person,omitempty"`
}

// noticeOf is what there is to tell of a record that follows in a rollout. Of most
// there is nothing.
func noticeOf(before Machine, r Record) (Notice, bool) {
	after := before
	if err := after.Apply(r); err != nil || after.records == before.records {
		return Notice{}, false
	}
	q, s := after.route.Requested, after.state
	n := Notice{
		ID: fmt.Sprintf("%d-%.16s", r.Seq, r.Sum), Seq: r.Seq, At: r.At, Rollout: r.Rollout,
		Service: q.Service, Environment: q.Environment, Release: q.Release, Flag: q.Flag, TakesBack: q.TakesBack,
		Phase: after.phase(), Share: s.Share, Outcome: s.Outcome, Reason: r.Reason, Actor: r.Actor,
	}
	switch n.Kind = before.noticed(after, r); n.Kind {
	case "":
		return Notice{}, false
	case NoticeApproval:
		n.Until = s.Deadline
	case NoticePaused:
		n.Until, n.Reason = s.Paused.Until, s.Paused.Reason
	case NoticeFrozen, NoticeHeld, NoticeFailing:
		n.Until = r.Until
	}
	if r.Kind == KindActed {
		n.Reason = string(r.Act.Kind)
		if r.Reason != "" {
			n.Reason += ": " + r.Reason
		}
	}
	switch n.Kind {
	case NoticeApproval, NoticePaused, NoticeHeld, NoticeFailing:
		n.Person = true
	case NoticeOver:
		n.Person = n.Outcome == Failed // something is left
	}
	n.Reason = oneLine(n.Reason)
	return n, true
}

// noticed says what has happened between two states of a rollout that people want to
// be told.
func (m Machine) noticed(after Machine, r Record) NoticeKind {
	was, is := m.state, after.state
	turned := (was.Generation != is.Generation || was.Phase == Pending) && !after.left
	hold, _ := after.current().(strategy.Hold)
	switch {
	case is.Phase == Done && was.Phase != Done:
		return NoticeOver
	case is.FailedLater != was.FailedLater:
		return NoticeFailedLater
	case turned && is.Phase == Back:
		return NoticeRollingBack
	case was.Phase == Pending:
		return NoticeBegan
	case is.Held && !was.Held:
		return NoticeHeld
	case is.Phase == Back && r.Kind == KindFailed && r.Attempt&(r.Attempt-1) == 0:
		return NoticeFailing
	case is.Paused.on() && !was.Paused.on():
		return NoticePaused
	case r.Kind == KindFrozen:
		return NoticeFrozen
	case is.Shadowed != was.Shadowed, is.doubted != was.doubted:
		return NoticeReported
	case r.Kind == KindWaiting && hold.Approval:
		return NoticeApproval
	case r.Kind == KindActed:
		return NoticeActed
	}
	return ""
}

// oneLine is a reason without line breaks, cut off after about 1,000 bytes: host code
// may say anything, at any length.
func oneLine(text string) string {
	const most = 1000
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " ..."
	}
	return strings.ReplaceAll(text, "\n", "; ")
}

var noticeWords = map[NoticeKind]string{
	NoticeBegan: "has begun", NoticeApproval: "needs approval", NoticePaused: "is paused", NoticeFrozen: "is frozen",
	NoticeActed: "is acted on", NoticeReported: "fails a judge that only reports", NoticeRollingBack: "goes back",
	NoticeHeld: "waits to go back", NoticeFailing: "could not be taken back, and is tried again", NoticeOver: "is over", NoticeFailedLater: "has turned out bad",
}

// words say what happened, after whom it happened to.
func (n Notice) words() string {
	switch {
	case n.Kind == NoticeFailing && n.Until.IsZero():
		return "could not be taken back, and waits for a person"
	case n.Kind == NoticeFrozen && n.Person:
		return "is frozen, and waits for a person"
	}
	return cmp.Or(noticeWords[n.Kind], string(n.Kind))
}

// untilWords say what Until is, where it is not until when.
var untilWords = map[NoticeKind]string{NoticeApproval: "by", NoticeHeld: "asked again at", NoticeFailing: "at"}

// String is one line for people.
func (n Notice) String() string {
	text := n.Rollout
	if n.Environment != "" {
		text += " in " + n.Environment
	}
	if n.Stage != "" {
		text += ": " + n.Stage
	}
	text += " " + n.words()
	if n.Kind == NoticeOver {
		text += ", " + n.Outcome.String()
	}
	if n.Actor != "" && n.Actor != actor {
		text += ", by " + n.Actor
	}
	if !n.Until.IsZero() {
		text += ", " + cmp.Or(untilWords[n.Kind], "until") + " " + n.Until.Format(time.DateTime)
	}
	if n.Reason != "" {
		text += ": " + n.Reason
	}
	return text
}
