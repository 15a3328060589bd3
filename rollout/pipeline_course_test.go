package rollout_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// journey plays a run without an engine: what each stage does is up to the dice.
type journey struct {
	t        testing.TB
	random   *rand.Rand
	asked    rollout.RequestedRun
	course   *rollout.Course
	records  []rollout.Record
	now      time.Time
	flying   map[string]bool // under way in this process
	gone     map[string]bool // past its point of no return
	revoked  map[string]bool // somebody has taken it back before
	finished []string        // done or cut short, in that order
	smooth   bool            // no way back has failed
	fails    int             // in a hundred
}

func (j *journey) mine(stage string) bool { return j.flying[stage] }

// write folds a record in, twice: the second time from the beginning.
func (j *journey) write(r rollout.Record) {
	r.Rollout, r.Pipeline, r.At = "run", "ship", j.now
	want := j.course.Becomes(r)
	require.NoError(j.t, j.course.Apply(r))
	require.Equal(j.t, want, j.course.Where(r), "what a record becomes is known before: %v", r)
	j.records = append(j.records, r)
}

// needs are all that a stage needs, by way of others, too.
func (j *journey) needs(stage string) map[string]bool {
	all := map[string]bool{}
	for _, s := range j.asked.Stages {
		if s.Name == stage {
			for _, need := range s.Needs {
				all[need] = true
				for other := range j.needs(need) {
					all[other] = true
				}
			}
		}
	}
	return all
}

func (j *journey) stage(name string) (rollout.RequestedStage, rollout.StageReport) {
	i := slices.IndexFunc(j.asked.Stages, func(s rollout.RequestedStage) bool { return s.Name == name })
	return j.asked.Stages[i], j.course.Report().Stages[i]
}

// holds says whether there is something of a stage to take back.
func (j *journey) holds(name string) bool {
	asked, s := j.stage(name)
	return asked.Undo && slices.Contains(j.finished, name) && s.Status != rollout.StageUndone && s.Status != rollout.StageSkipped
}

// step does what comes next. It says whether there is more.
func (j *journey) step() bool {
	do, stage, at := j.course.Next(j.now, j.mine)
	switch do {
	case "rest":
		return false
	case "begin":
		_, s := j.stage(stage)
		for need := range j.needs(stage) {
			_, other := j.stage(need)
			require.True(j.t, s.Status != rollout.StagePending || other.Status == rollout.StageDone, "%s begins, and needs %s, which is %v", stage, need, other.Status)
		}
		require.NotEqual(j.t, rollout.StageDone, s.Status)
		j.write(rollout.Record{Kind: rollout.KindBegun, Stage: stage, Attempt: s.Attempts + 1})
		if asked, _ := j.stage(stage); asked.NoReturn != "" && !j.gone[stage] && j.random.IntN(3) > 0 {
			j.write(rollout.Record{Kind: rollout.KindBegun, Stage: stage, Attempt: s.Attempts + 1})
			j.gone[stage] = true
		}
		j.flying[stage] = true
		going := 0
		for _, s := range j.course.Report().Stages {
			if j.flying[s.Name] && s.Status == rollout.StageRunning {
				going++
			}
		}
		require.LessOrEqual(j.t, going, j.asked.Parallel)
	case "skip":
		j.write(rollout.Record{Kind: rollout.KindSkipped, Stage: stage, Reason: "a need"})
	case "cut":
		j.finish(stage, true)
		j.write(rollout.Record{Kind: rollout.KindFailed, Stage: stage, Reason: "gone", Result: &rollout.StageResult{Cut: true}})
	case "undo":
		require.True(j.t, j.holds(stage), "%s is taken back", stage)
		for _, other := range j.finished {
			require.False(j.t, j.needs(other)[stage] && j.holds(other) && !j.revoked[stage], "%s is taken back before %s, which needs it", stage, other)
		}
		if j.smooth {
			_, s := j.stage(stage)
			for _, later := range j.finished[slices.Index(j.finished, stage)+1:] {
				_, other := j.stage(later)
				require.False(j.t, j.holds(later) && s.Status == rollout.StageDone && other.Status == rollout.StageDone, "%s is taken back before %s, which was done later", stage, later)
			}
		}
		j.write(rollout.Record{Kind: rollout.KindBegun, Stage: stage})
		j.flying[stage] = true
	case "finish":
		require.Empty(j.t, j.flying)
		j.write(rollout.Record{Kind: rollout.KindFinished})
	case "wait":
		return j.wait(at)
	}
	return true
}

func (j *journey) finish(stage string, holds bool) {
	delete(j.flying, stage)
	j.finished = slices.DeleteFunc(j.finished, func(one string) bool { return one == stage })
	if holds {
		j.finished = append(j.finished, stage)
	}
}

// wait lets something happen: a stage ends, a person acts, the process dies, or time
// goes by.
func (j *journey) wait(at time.Time) bool {
	flying := slices.Sorted(func(yield func(string) bool) {
		for stage := range j.flying {
			if !yield(stage) {
				return
			}
		}
	})
	switch dice := j.random.IntN(100); {
	case dice < 2:
		clear(j.flying)
	case dice < 4:
		kind := []rollout.ActKind{rollout.Pause, rollout.Continue, rollout.Abort}[j.random.IntN(3)]
		r := rollout.Record{Kind: rollout.KindActed, Actor: "anna", Act: &rollout.Act{Kind: kind, Actor: "anna"}, At: j.now}
		before := j.course.Report()
		if j.course.Apply(r) == nil {
			r.Rollout, r.Pipeline = "run", "ship"
			j.records = append(j.records, r)
		} else {
			require.Empty(j.t, cmp.Diff(before, j.course.Report()), "what is refused changes nothing")
		}
	case dice < 6 && j.revoke():
	case len(flying) > 0:
		j.land(flying[j.random.IntN(len(flying))])
	case !at.IsZero():
		j.now = at
	default: // it waits for a person
		kind := []rollout.ActKind{rollout.Continue, rollout.Abort}[j.random.IntN(2)]
		j.write(rollout.Record{Kind: rollout.KindActed, Actor: "bob", Act: &rollout.Act{Kind: kind, Actor: "bob"}})
	}
	return true
}

// revoke has a stage that was done fail after all. It says whether there is one.
func (j *journey) revoke() bool {
	report := j.course.Report()
	for _, s := range report.Stages {
		if s.Status == rollout.StageDone && strings.HasPrefix(report.State, "forward") && report.State != "forward, frozen" {
			j.write(rollout.Record{Kind: rollout.KindFailed, Stage: s.Name, Reason: "taken back"})
			j.revoked[s.Name] = true
			return true
		}
	}
	return false
}

// land ends what is under way.
func (j *journey) land(stage string) {
	_, s := j.stage(stage)
	undoing := s.Status == rollout.StageUndoing
	r := rollout.Record{Kind: rollout.KindDone, Stage: stage}
	if j.random.IntN(100) < j.fails {
		r.Kind, r.Reason = rollout.KindFailed, "no"
		cut := j.random.IntN(2) == 0
		r.Result = &rollout.StageResult{Cut: cut}
		if s.Attempts%3 != 0 {
			r.Until = j.now.Add(time.Minute)
		}
		j.smooth = j.smooth && !undoing
		if delete(j.flying, stage); !undoing {
			j.finish(stage, cut || slices.Contains(j.finished, stage))
		}
	} else if !undoing && j.random.IntN(20) == 0 {
		r.Kind, r.Reason = rollout.KindSkipped, "nothing to do"
		j.gone[stage] = j.gone[stage] && s.Attempts > 1
		j.finish(stage, false)
	} else if delete(j.flying, stage); !undoing {
		j.finish(stage, true)
	}
	j.write(r)
}

// dice makes a pipeline.
func dice(random *rand.Rand) rollout.Pipeline {
	p := rollout.Pipeline{Name: "ship", Parallel: 1 + random.IntN(4)}
	for i := range 1 + random.IntN(9) {
		s := rollout.Stage{Name: fmt.Sprint("s", i), Do: noop, Optional: random.IntN(8) == 0}
		for n := range i {
			if random.IntN(3) == 0 {
				s.Needs = append(s.Needs, fmt.Sprint("s", n))
			}
		}
		switch random.IntN(12) {
		case 0:
			s.NoReturn = "it is gone"
		case 1, 2, 3, 4, 5, 6:
			s.Undo = noop
		}
		p.Stages = append(p.Stages, s)
	}
	random.Shuffle(len(p.Stages), func(i, j int) { p.Stages[i], p.Stages[j] = p.Stages[j], p.Stages[i] })
	return p
}

// TestCourse plays many runs, and holds what must be true of each: nothing begins before
// what it needs is done, nothing that was done is run again, and nothing is taken back
// before what needs it; it ends, once, as what it says; and its records say the same when
// they are read again.
func TestCourse(t *testing.T) {
	outcomes := map[rollout.Outcome]int{}
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 9))
		j := &journey{t: t, random: random, asked: rollout.NewRun(dice(random), rollout.Release{}), course: &rollout.Course{}, now: time.Unix(0, 0).UTC(), flying: map[string]bool{}, gone: map[string]bool{}, revoked: map[string]bool{}, smooth: true, fails: random.IntN(30)}
		j.write(rollout.Record{Kind: rollout.KindRequested, Run: &j.asked})
		for steps := 0; j.step(); steps++ {
			require.Less(t, steps, 10_000, "seed %d: it never ends", seed)
		}
		report := j.course.Report()
		outcomes[report.Outcome]++
		left := 0
		for _, s := range j.asked.Stages {
			_, stage := j.stage(s.Name)
			if j.holds(s.Name) {
				left++
			}
			if report.Outcome == rollout.Succeeded {
				require.True(t, stage.Status == rollout.StageDone || stage.Status == rollout.StageSkipped || (stage.Status == rollout.StageFailed || stage.Status == rollout.StageUndone) && s.Optional, "seed %d: %s is %v", seed, s.Name, stage.Status)
			}
		}
		if report.Outcome == rollout.RolledBack {
			require.Zero(t, left, "seed %d: rolled back, and something is left:\n%v", seed, report)
		}
		again := &rollout.Course{}
		for _, r := range j.records {
			require.NoError(t, again.Apply(r), "seed %d", seed)
		}
		require.Empty(t, cmp.Diff(report, again.Report()), "seed %d", seed)
		require.Error(t, again.Apply(j.records[len(j.records)-1]), "what is over is over")
	}
	for _, outcome := range []rollout.Outcome{rollout.Succeeded, rollout.RolledBack, rollout.Failed} {
		require.Greater(t, outcomes[outcome], 100, "%v", outcome)
	}
}

// TestCourseAndClocks: a clock that is put back keeps neither an attempt nor a way back
// waiting.
func TestCourseAndClocks(t *testing.T) {
	p := line(rollout.Stage{Name: "a", Do: noop, Undo: noop}, rollout.Stage{Name: "b", Do: noop})
	j := &journey{t: t, asked: rollout.NewRun(p, rollout.Release{}), course: &rollout.Course{}, now: time.Unix(1e9, 0).UTC(), flying: map[string]bool{}}
	until := func(want string) {
		t.Helper()
		for after, want := range map[time.Duration]string{0: "wait", 59 * time.Second: "wait", time.Minute: want, -30 * 24 * time.Hour: want} {
			do, _, _ := j.course.Next(j.now.Add(after), j.mine)
			require.Equal(t, want, do, "%v later", after)
		}
	}
	j.write(rollout.Record{Kind: rollout.KindRequested, Run: &j.asked})
	j.write(rollout.Record{Kind: rollout.KindBegun, Stage: "a", Attempt: 1})
	j.write(rollout.Record{Kind: rollout.KindFailed, Stage: "a", Until: j.now.Add(time.Minute)})
	until("begin")
	j.now = j.now.Add(time.Minute)
	j.write(rollout.Record{Kind: rollout.KindBegun, Stage: "a", Attempt: 2})
	j.write(rollout.Record{Kind: rollout.KindDone, Stage: "a"})
	j.write(rollout.Record{Kind: rollout.KindBegun, Stage: "b", Attempt: 1})
	j.write(rollout.Record{Kind: rollout.KindFailed, Stage: "b"})
	j.write(rollout.Record{Kind: rollout.KindBegun, Stage: "a"})
	j.write(rollout.Record{Kind: rollout.KindFailed, Stage: "a", Until: j.now.Add(time.Minute)})
	until("undo")
}
