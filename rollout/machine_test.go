package rollout_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// plan is the plan of most tests: smoke, 5 %, 50 %, 100 %.
func plan(t testing.TB) strategy.Plan {
	t.Helper()
	p, err := strategy.Canary{
		Weights: []strategy.Share{5 * strategy.Percent, 50 * strategy.Percent, strategy.All},
		Hold:    time.Minute,
		Exposed: 10,
		Gates:   []string{"smoke"},
		Judges:  []string{"errors"},
	}.Plan(strategy.Input{})
	require.NoError(t, err)
	return p
}

// hasty is a plan whose holds wait for no requests.
func hasty(p strategy.Plan) strategy.Plan {
	p.Steps = slices.Clone(p.Steps)
	for i, step := range p.Steps {
		if hold, ok := step.(strategy.Hold); ok {
			hold.Exposed = 0
			p.Steps[i] = hold
		}
	}
	return p
}

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// story plays events against a machine, one minute apart, and tells what it
// thinks after each.
func story(t *testing.T, p strategy.Plan, events ...string) string {
	t.Helper()
	var m rollout.Machine
	var b strings.Builder
	now, exposed := noon, uint64(0)
	for _, event := range events {
		s := m.State()
		r := rollout.Record{At: now, Generation: s.Generation, Step: s.Step, Actor: "test"}
		kind, detail, _ := strings.Cut(event, " ")
		switch kind {
		case "request":
			floor, _ := strconv.Atoi(detail) // in percent
			r.Kind, r.Request = rollout.KindRequested, &rollout.Requested{Plan: p, Floor: strategy.Share(floor) * strategy.Percent}
		case "begin":
			r.Kind, r.Attempt, r.Until = rollout.KindBegun, s.Attempt+1, now.Add(time.Minute)
		case "hold":
			r.Kind, r.Until = rollout.KindWaiting, now.Add(time.Minute)
			if detail != "" {
				r.Until = noon.Add(time.Hour)
			}
		case "fail":
			r.Kind, r.Reason, r.Until = rollout.KindFailed, detail, now.Add(2*time.Minute)
		case "look":
			if detail == "" || detail == "fail" {
				exposed += 10
			}
			seen := exposed
			if detail == "at less" {
				seen--
			}
			look := &rollout.Look{Watch: "errors", Checkpoint: health.Checkpoint{Sample: health.Sample{Candidate: health.Side{Successes: seen}}}}
			if detail == "fail" {
				look.Verdict.Call = health.Fail
			}
			r.Kind, r.Look, r.Reason = rollout.KindLooked, look, "evidence 21"
		case "stale":
			r.Kind, r.Generation = rollout.KindDone, s.Generation-1
		case "wait":
			if detail != "" {
				now = noon.Add(time.Hour)
			}
		default:
			r.Kind = rollout.Kind(map[string]string{"done": "done", "finish": "finished"}[kind])
		}
		line := event
		if r.Kind != "" {
			if err := m.Apply(r); err != nil {
				line += " (refused: " + err.Error() + ")"
			}
		}
		next := m.Next(now)
		fmt.Fprintf(&b, "%-12s %-12s share %-5v %s\n", line, m.State(), m.State().Share, tell(next))
		now = now.Add(time.Minute)
	}
	if reason := m.State().Reason; reason != "" {
		fmt.Fprintf(&b, "because %s\n", reason)
	}
	return b.String()
}

func tell(e rollout.Effect) string {
	switch e.Do {
	case rollout.DoBegin, rollout.DoHold:
		return "next: " + e.Step.String()
	case rollout.DoWait:
		return "next: wait until " + e.At.Format("15:04")
	case rollout.DoWatch:
		return "next: see more"
	case rollout.DoAdvance:
		return "next: go on"
	case rollout.DoFinish:
		return "next: end, " + e.Outcome.String()
	}
	return "rest"
}

func TestMachineStories(t *testing.T) {
	tests := []struct {
		name   string
		events []string
		want   string
	}{
		{"good", strings.Split("request,begin,done,begin,done,hold,look,done,begin,done,hold,look,done,begin,done,begin,done,finish", ","), `
request      forward 0    share 0 %   next: verify by smoke
begin        forward 0    share 0 %   next: verify by smoke
done         forward 1    share 0 %   next: shift from 0 % to 5 %
begin        forward 1    share 5 %   next: shift from 0 % to 5 %
done         forward 2    share 5 %   next: hold 1m0s and 10 requests under errors
hold         waiting 2    share 5 %   next: wait until 12:06
look         waiting 2    share 5 %   next: go on
done         forward 3    share 5 %   next: shift from 5 % to 50 %
begin        forward 3    share 50 %  next: shift from 5 % to 50 %
done         forward 4    share 50 %  next: hold 1m0s and 10 requests under errors
hold         waiting 4    share 50 %  next: wait until 12:11
look         waiting 4    share 50 %  next: go on
done         forward 5    share 50 %  next: shift from 50 % to 100 %
begin        forward 5    share 100 % next: shift from 50 % to 100 %
done         forward 6    share 100 % next: promote
begin        forward 6    share 100 % next: promote
done         forward 7    share 100 % next: end, succeeded
finish       succeeded    share 100 % rest
`},
		{"the gate says no", []string{"request", "begin", "fail smoke", "finish"}, `
request      forward 0    share 0 %   next: verify by smoke
begin        forward 0    share 0 %   next: verify by smoke
fail smoke   back 0       share 0 %   next: end, cancelled
finish       cancelled    share 0 %   rest
because smoke
`},
		{"the judge says no, and the way back fails once", []string{"request", "begin", "done", "begin", "done", "hold", "look fail", "stale", "begin", "fail lost", "wait", "wait", "begin", "done", "finish"}, `
request      forward 0    share 0 %   next: verify by smoke
begin        forward 0    share 0 %   next: verify by smoke
done         forward 1    share 0 %   next: shift from 0 % to 5 %
begin        forward 1    share 5 %   next: shift from 0 % to 5 %
done         forward 2    share 5 %   next: hold 1m0s and 10 requests under errors
hold         waiting 2    share 5 %   next: wait until 12:06
look fail    back 0       share 0 %   next: shift from 5 % to 0 %
stale        back 0       share 0 %   next: shift from 5 % to 0 %
begin        back 0       share 0 %   next: shift from 5 % to 0 %
fail lost    back 0       share 0 %   next: wait until 12:11
wait         back 0       share 0 %   next: wait until 12:11
wait         back 0       share 0 %   next: shift from 5 % to 0 %
begin        back 0       share 0 %   next: shift from 5 % to 0 %
done         back 1       share 0 %   next: end, rolled back
finish       rolled back  share 0 %   rest
because evidence 21
`},
		{"time alone is not enough", []string{"request", "begin", "done", "begin", "done", "hold", "wait", "wait", "look", "done"}, `
request      forward 0    share 0 %   next: verify by smoke
begin        forward 0    share 0 %   next: verify by smoke
done         forward 1    share 0 %   next: shift from 0 % to 5 %
begin        forward 1    share 5 %   next: shift from 0 % to 5 %
done         forward 2    share 5 %   next: hold 1m0s and 10 requests under errors
hold         waiting 2    share 5 %   next: wait until 12:06
wait         waiting 2    share 5 %   next: see more
wait         waiting 2    share 5 %   next: see more
look         waiting 2    share 5 %   next: go on
done         forward 3    share 5 %   next: shift from 5 % to 50 %
`},
		{"every hold needs requests of its own", []string{"request", "begin", "done", "begin", "done", "hold", "look", "done", "begin", "done", "hold", "look at nothing new", "look at less", "look"}, `
request      forward 0    share 0 %   next: verify by smoke
begin        forward 0    share 0 %   next: verify by smoke
done         forward 1    share 0 %   next: shift from 0 % to 5 %
begin        forward 1    share 5 %   next: shift from 0 % to 5 %
done         forward 2    share 5 %   next: hold 1m0s and 10 requests under errors
hold         waiting 2    share 5 %   next: wait until 12:06
look         waiting 2    share 5 %   next: go on
done         forward 3    share 5 %   next: shift from 5 % to 50 %
begin        forward 3    share 50 %  next: shift from 5 % to 50 %
done         forward 4    share 50 %  next: hold 1m0s and 10 requests under errors
hold         waiting 4    share 50 %  next: wait until 12:11
look at nothing new waiting 4    share 50 %  next: see more
look at less (refused: looked after waiting 4: the judge saw 9 requests on the new side and the journal has 10 already, want the cohorts of Engine.Cohorts: cannot follow) waiting 4    share 50 %  next: see more
look         waiting 4    share 50 %  next: go on
`},
		{"what was seen in time does not end a hold", []string{"request", "begin", "done", "begin", "done", "hold long", "look", "wait long", "look at nothing new"}, `
request      forward 0    share 0 %   next: verify by smoke
begin        forward 0    share 0 %   next: verify by smoke
done         forward 1    share 0 %   next: shift from 0 % to 5 %
begin        forward 1    share 5 %   next: shift from 0 % to 5 %
done         forward 2    share 5 %   next: hold 1m0s and 10 requests under errors
hold long    waiting 2    share 5 %   next: wait until 13:00
look         waiting 2    share 5 %   next: wait until 13:00
wait long    waiting 2    share 5 %   next: see more
look at nothing new waiting 2    share 5 %   next: go on
`},
		{"some have it already", []string{"request 2", "begin", "fail smoke", "finish"}, `
request 2    forward 0    share 2 %   next: verify by smoke
begin        forward 0    share 2 %   next: verify by smoke
fail smoke   back 0       share 2 %   next: end, cancelled
finish       cancelled    share 2 %   rest
because smoke
`},
		{"nothing out of place", []string{"done", "request", "request", "done", "hold", "finish", "begin", "look", "finish"}, `
done (refused: done after pending: cannot follow) pending      share 0 %   rest
request      forward 0    share 0 %   next: verify by smoke
request (refused: requested after forward 0: cannot follow) forward 0    share 0 %   next: verify by smoke
done (refused: done after forward 0: cannot follow) forward 0    share 0 %   next: verify by smoke
hold (refused: waiting after forward 0: cannot follow) forward 0    share 0 %   next: verify by smoke
finish (refused: finished after forward 0: cannot follow) forward 0    share 0 %   next: verify by smoke
begin        forward 0    share 0 %   next: verify by smoke
look (refused: looked after forward 0: no judge "errors" watches: cannot follow) forward 0    share 0 %   next: verify by smoke
finish (refused: finished after forward 0: cannot follow) forward 0    share 0 %   next: verify by smoke
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), story(t, plan(t), tt.events...)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// TestCopiesEndAgain: whoever begins anew in the middle of a way back begins to copy
// again, and the next way back ends that, though the plan has ended it by its own end.
func TestCopiesEndAgain(t *testing.T) {
	p := strategy.Plan{Strategy: "shadow", Steps: []strategy.Step{
		strategy.Mirror{To: strategy.All}, strategy.Hold{For: time.Minute}, strategy.Mirror{From: strategy.All}, strategy.Shift{To: strategy.All},
	}}
	var m rollout.Machine
	for _, r := range []rollout.Record{
		{Kind: rollout.KindRequested, Request: &rollout.Requested{Plan: p}},
		{Kind: rollout.KindBegun},
		{Kind: rollout.KindFailed},
		{Kind: rollout.KindActed, Actor: "anna", Act: &rollout.Act{Kind: rollout.Promote, Actor: "anna"}},
		{Kind: rollout.KindBegun},
		{Kind: rollout.KindFailed},
	} {
		r.At, r.Generation = noon, m.State().Generation
		require.NoError(t, m.Apply(r))
	}
	require.Equal(t, strategy.Step(strategy.Mirror{From: strategy.All}), m.Next(noon).Step)
}
