package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/health"
)

// Progress is a guarded rollout as it stands this moment.
type Progress struct {
	Status
	// Sample is what both sides have done so far.
	Sample health.Sample
	// Verdict is what the judge makes of it now.
	Verdict health.Verdict
	// Traffic is what the alarm for the sample ratio makes of it now; zero if the
	// rollout has none. See Guarded.Traffic.
	Traffic health.Verdict
	// Resumed says that the journal knew the rollout when this process began.
	Resumed bool
	// Skipped is what this process saw and did not count.
	Skipped Skipped
}

// Skipped counts requests that came through a guard's middleware and say nothing
// about the change.
type Skipped struct {
	NoView    uint64 // without a view of the flags: flaghttp.Middleware must stand around the guard
	NotAsked  uint64 // the flag was not evaluated through the request's context before the answer
	NotByRamp uint64 // somebody else decided: a rule, a kill, another ramp, or there was no key; or the view overrides a flag
}

// Progress returns how the rollout stands this moment. It moves nothing.
func (g *Guard) Progress() Progress {
	status, err := g.engine.Status(g.request.ID)
	if back, ok := g.back(); ok {
		status = back
	}
	if err != nil {
		status = Status{ID: g.request.ID, Release: g.request.Release, Flag: g.asked.Flag, Phase: "pending"}
		status.State.Share = g.asked.Floor
	}
	p := Progress{
		Status: status, Sample: g.cohorts.Snapshot(), Resumed: g.resumed,
		Skipped: Skipped{g.noView.Load(), g.notAsked.Load(), g.notByRamp.Load()},
	}
	if p.Sample.Elapsed = status.State.elapsed(g.engine.clock.now()); status.State.Phase == Done || status.State.Phase == Back {
		p.Verdict = status.Verdict // there is nothing left to judge
		return p
	}
	p.Verdict, _ = judge(g.judge, g.engine.judgeState(g.request.ID, judgeName), p.Sample)
	if slices.Contains(g.request.Plan.Judges(), trafficName) {
		p.Traffic, _ = judge(g.request.Watches[trafficName].Judge, g.engine.judgeState(g.request.ID, trafficName), p.Sample)
	}
	return p
}

// String is one line for people: where it stands, and why.
func (p Progress) String() string {
	s := p.State
	at := fmt.Sprintf("%s: %s at %v", p.ID, p.Phase, s.Share)
	if p.Problem != nil {
		at += fmt.Sprintf("; it cannot go on at the moment, and tries again: %v", p.Problem)
	}
	switch {
	case s.Phase == Done || s.Phase == Back:
		return at + ": " + s.Reason
	case s.Paused.on():
		at += s.Paused.line("paused")
	case s.Frozen.on():
		at += s.Frozen.line("frozen")
	}
	if s.Phase != Waiting {
		return at
	}
	at += ": " + p.Verdict.Reason
	if s.Shadowed != "" {
		at += "; its judge, which only reports, would have taken it back: " + s.Shadowed
	}
	if p.Traffic.Call == health.Fail {
		at += "; the sides' numbers of requests cannot be by chance: " + p.Traffic.Reason
	}
	if p.hold.Approval && !s.Approved {
		at += "; it needs a person to approve"
	}
	if need := p.hold.Exposed; need > 0 {
		if seen := p.Sample.Candidate.Requests() - min(s.ExposedBefore, p.Sample.Candidate.Requests()); seen < uint64(need) {
			at += fmt.Sprintf("; this hold has %d of %d requests on the new side", seen, need)
		}
	}
	if p.Sample.Candidate.Requests() == 0 {
		at += p.Skipped.hint()
	}
	return at
}

// line is a stop, for people.
func (s Stop) line(what string) string {
	text := fmt.Sprintf("; %s by %s", what, s.Actor)
	if !s.Until.IsZero() {
		text += " until " + s.Until.Format(time.DateTime)
	}
	if s.Reason != "" {
		text += ": " + s.Reason
	}
	return text
}

// hint says what may be wired wrongly when nothing is counted.
func (s Skipped) hint() string {
	var parts []string
	add := func(n uint64, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(s.NoView, "came without a view of the flags: put flaghttp.Middleware around the guard")
	add(s.NotAsked, "did not evaluate the flag through their context")
	add(s.NotByRamp, "were not decided by the ramp: a rule, a kill, an override, or no key")
	if len(parts) == 0 {
		return ""
	}
	return "; of the requests that do not count, " + strings.Join(parts, ", ")
}
