package rollout

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/guidon-go/guidon/strategy"
)

// GameDayReport is what became of a rollout, or of a run, in a world as it is, and then in
// the same world with each of some faults: those are the last of their Faults.
type GameDayReport []Simulation

// GameDay plays the host's own configuration in a world, and again with each of these
// faults in it, one at a time: which of them does it bear? simulate is
//
//	func(w rollout.World) (rollout.Simulation, error) { return engine.Simulate(ctx, request, w) }
//
// or the like, with SimulateRun. Without faults it takes those that everybody should bear:
// the target hangs, refuses, cannot be seen and is moved by hand; metrics vanish; the old
// version is sick, too; gates and alarms say no or cannot tell; the journal is full; the
// clock jumps, forward and back; the process dies; in a pipeline, stages fail, hang and
// panic. They begin after a third of what it takes without them, and last for as long as
// that, or ten minutes: one that meets nobody then, as no gate is asked any more, changes
// nothing. A pipeline that does not succeed without any is called broken.
//
// The error is the first of simulate, with the fault that it met.
func GameDay(world World, simulate func(World) (Simulation, error), faults ...Fault) (GameDayReport, error) {
	plain, err := simulate(world)
	if err != nil {
		return nil, err
	}
	if plain.Report.ID != "" && plain.Outcome != Succeeded && world.Harm <= 1 && world.Slower <= 1 && len(world.Faults) == 0 {
		plain.Broken = append(plain.Broken, fmt.Sprintf("it is %v although nothing goes wrong, so the others say little: %s", plain.Outcome, plain.Report.Reason))
	}
	if len(faults) == 0 {
		faults = ordinary(plain.Took, plain.Report.ID != "")
	}
	report := GameDayReport{plain}
	for _, f := range faults {
		w := world
		w.Faults = append(w.Faults[:len(w.Faults):len(w.Faults)], f)
		s, err := simulate(w)
		if err != nil {
			return report, fmt.Errorf("%v: %w", f, err)
		}
		report = append(report, s)
	}
	return report, nil
}

// ordinary are the faults that everybody should bear, of something that takes so long.
func ordinary(took time.Duration, stages bool) []Fault {
	at, last := max((took/3).Round(time.Second), time.Second), max(took, 10*time.Minute)
	faults := []Fault{
		{Kind: FaultTargetMoved, At: at, Share: strategy.All},
		{Kind: FaultClockJumps, At: at, By: time.Hour},
		{Kind: FaultClockJumps, At: at, By: -time.Hour},
		{Kind: FaultProcessDies, At: at, For: 5 * time.Minute},
	}
	lasting := []FaultKind{FaultTargetHangs, FaultTargetRefuses, FaultTargetUnseen, FaultNoMetrics, FaultOldSick, FaultGateNo, FaultGateUnsure, FaultJournalFull}
	if stages {
		lasting = append(lasting, FaultStageFails, FaultStageHangs, FaultStagePanics)
	}
	for _, kind := range lasting {
		faults = append(faults, Fault{Kind: kind, At: at, For: last})
	}
	return faults
}

// String is a line for each fault: what became of it, how many were harmed, and what was
// broken.
func (r GameDayReport) String() string {
	var rows [][3]string
	var wide [3]int
	for i, s := range r {
		row := [3]string{s.fault(i), fmt.Sprintf("%v after %v", s.Outcome, s.Took.Round(time.Second)), fmt.Sprintf("%d harmed", s.Harmed)}
		for column, text := range row {
			wide[column] = max(wide[column], len(text))
		}
		rows = append(rows, row)
	}
	var b strings.Builder
	for i, row := range rows {
		verdict := "held"
		if broken := r[i].Broken; len(broken) > 0 {
			verdict = "BROKEN: " + strings.Join(broken, "; ")
		}
		fmt.Fprintf(&b, "%-*s  %-*s  %*s  %s\n", wide[0], row[0], wide[1], row[1], wide[2], row[2], verdict)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// fault is what the simulation with this number of a game day met.
func (s Simulation) fault(i int) string {
	if i == 0 {
		return "nothing"
	}
	return s.World.Faults[len(s.World.Faults)-1].words()
}

// Err is nil if nothing was broken; otherwise it says what was, and by which fault.
func (r GameDayReport) Err() error {
	var all []error
	for i, s := range r {
		for _, what := range s.Broken {
			all = append(all, fmt.Errorf("%s: %s", s.fault(i), what))
		}
	}
	return errors.Join(all...)
}
