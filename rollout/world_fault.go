package rollout

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/strategy"
)

// FaultKind is what goes wrong.
type FaultKind string

// What can go wrong, and what people do.
const (
	FaultTargetHangs   FaultKind = "target hangs"          // what is asked of the target does not return before its time is over
	FaultTargetRefuses FaultKind = "target refuses"        // the target does nothing, and says so
	FaultTargetUnseen  FaultKind = "target cannot be seen" // nobody can read back where the target stands
	FaultTargetMoved   FaultKind = "target is moved"       // somebody gives the new version Fault.Share, by hand
	FaultNoMetrics     FaultKind = "metrics vanish"        // no outcomes arrive, and no gate, no alarm and not Stable can tell
	FaultOldSick       FaultKind = "old version is sick"   // both sides fail Fault.Factor times as often, and Stable says no
	FaultGateNo        FaultKind = "gate says no"          // the gate or alarm Fault.Name does
	FaultGateUnsure    FaultKind = "gate cannot tell"      // the gate or alarm Fault.Name cannot
	FaultJournalFull   FaultKind = "journal is full"       // nothing can be written
	FaultClockJumps    FaultKind = "clock jumps"           // the clock on the wall does, by Fault.By
	FaultProcessDies   FaultKind = "process dies"          // and another one goes on after Fault.For
	FaultPersonActs    FaultKind = "person acts"           // Fault.Act
	FaultStageFails    FaultKind = "stage fails"           // what the stage Fault.Name does returns an error
	FaultStageHangs    FaultKind = "stage hangs"           // it does not return before its context ends
	FaultStagePanics   FaultKind = "stage panics"          // it does
	FaultStageTakes    FaultKind = "stage takes time"      // it takes Fault.By
	FaultUndoFails     FaultKind = "undo fails"            // the way back of the stage Fault.Name returns an error
)

// Fault is something that goes wrong, or that a person does, at a time. Kind is required;
// what it does not speak of is left out.
type Fault struct {
	Kind FaultKind // what it is
	// At is when it begins, since World.Start, by a time that never jumps.
	At time.Duration
	// For is how long it lasts; zero means to the end. What a process, a person or a clock
	// does is over at once: of a process that dies it is until the next one goes on, and
	// zero means that none does.
	For time.Duration
	// Name is of a gate, an alarm or a stage; of a person's act it is the rollout's ID.
	// Empty means all of them, or the one that is simulated.
	Name string
	// Times is how many attempts of a stage, or of its way back, it meets. Zero means all of
	// that time.
	Times int
	// By is how far the clock jumps, or how long a stage takes.
	By time.Duration
	// Factor is how many times as many requests fail. Zero means 10.
	Factor float64
	// Share is what the new version gets when somebody moves the target.
	Share strategy.Share
	// Act is what a person does.
	Act Act
}

// String is "at 10m0s for 5m0s: gate says no: smoke".
func (f Fault) String() string {
	text := fmt.Sprintf("at %v", f.At)
	if f.For > 0 {
		text += fmt.Sprintf(" for %v", f.For)
	}
	return text + ": " + f.words()
}

// words are what goes wrong.
func (f Fault) words() string {
	text := string(f.Kind)
	detail := f.Name
	switch f.Kind {
	case FaultTargetMoved:
		detail = "to " + f.Share.String()
	case FaultOldSick:
		detail = fmt.Sprintf("%g times as many fail", f.factor())
	case FaultClockJumps:
		detail = fmt.Sprintf("by %v", f.By)
	case FaultPersonActs:
		detail = fmt.Sprintf("%s: %s", f.Act.Actor, f.Act.Kind)
	case FaultStageTakes:
		detail += fmt.Sprintf(" takes %v", f.By)
	}
	switch {
	case f.Times == 1:
		detail += ", once"
	case f.Times > 1:
		detail += fmt.Sprintf(", %d times", f.Times)
	}
	if detail != "" {
		text += ": " + detail
	}
	return text
}

func (f Fault) factor() float64 { return cmp.Or(f.Factor, 10) }

// on says whether it is on at a time.
func (f Fault) on(at time.Duration) bool {
	return f.At <= at && (f.For == 0 || at < f.At+f.For)
}

// once says whether it is over at once.
func (f Fault) once() bool {
	switch f.Kind {
	case FaultTargetMoved, FaultClockJumps, FaultProcessDies, FaultPersonActs:
		return true
	}
	return false
}

// problems are what is wrong with the fault.
func (f Fault) problems(c cast) (problems []string) {
	add := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if f.At < 0 || f.For < 0 || f.Times < 0 || f.At > math.MaxInt64/2 || f.For > math.MaxInt64/2 {
		add("at, for, times: found %v, %v and %d, want nothing negative, and no centuries", f.At, f.For, f.Times)
	}
	named := func(all []string, what string) {
		switch {
		case f.Name == "" || slices.Contains(all, f.Name):
		case len(all) == 0:
			add("name: found %q, and there is no %s", f.Name, what)
		default:
			add("name: found %q, want a %s: %s", f.Name, what, strings.Join(all, ", "))
		}
	}
	switch f.Kind {
	case FaultNoMetrics, FaultJournalFull:
	case FaultTargetHangs, FaultTargetRefuses, FaultTargetUnseen:
		named(c.deploys, "stage that is a rollout")
	case FaultTargetMoved:
		named(c.deploys, "stage that is a rollout")
		if f.At == 0 {
			add("at: found 0s, want a time at which there is a target")
		}
		if f.Share < 0 || f.Share > strategy.All {
			add("share: found %v, want 0 to 100 %%", f.Share)
		}
	case FaultOldSick:
		if !(f.Factor >= 0 && f.Factor <= 1e6) {
			add("factor: found %v, want 0 to 1e6", f.Factor)
		}
	case FaultGateNo, FaultGateUnsure:
		if !c.unknown {
			named(c.gates, "gate or alarm")
		}
	case FaultClockJumps:
		if f.By == 0 {
			add("by: found 0s, want how far")
		}
	case FaultProcessDies:
		if f.At == 0 {
			add("at: found 0s, want a time at which there is a process")
		}
	case FaultPersonActs:
		if f.At == 0 {
			add("at: found 0s, want a time at which there is something to act on")
		}
		if err := f.Act.check(); err != nil {
			add("act: %v", err)
		}
	case FaultStageFails, FaultStageHangs, FaultStagePanics, FaultUndoFails:
		named(c.does, "stage that does something")
	case FaultStageTakes:
		named(c.does, "stage that does something")
		if f.By <= 0 {
			add("by: found %v, want how long", f.By)
		}
	default:
		add("kind: found %q, want one of the constants", string(f.Kind))
	}
	return problems
}
