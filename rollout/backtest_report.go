package rollout

import (
	"fmt"
	"strings"
	"time"

	"github.com/guidon-go/guidon/strategy"
)

// Finding is how a policy compares with what happened to a rollout.
type Finding uint8

// The findings.
const (
	FindingSame       Finding = iota // the same, whoever brought it about
	FindingEarlier                   // it was rolled back, and the policy would have done so before
	FindingMissed                    // a judge rolled it back, and until then the policy would not have: later or never, nobody can tell
	FindingFalseAlarm                // it succeeded, and the policy would have rolled it back
	FindingCaught                    // likewise, and it did fail later: see [FailedLater]
	FindingUnclear                   // nobody can tell: there was no look at it, or another rollout took its place before it could show
)

var findings = [...]string{"same", "earlier", "missed", "false alarm", "caught", "unclear"}

// String is "false alarm" and the like.
func (f Finding) String() string {
	if int(f) < len(findings) {
		return findings[f]
	}
	return fmt.Sprintf("Finding(%d)", uint8(f))
}

// Turn is when a rollout turned round, or would have. The zero value is one that did not.
type Turn struct {
	At     time.Time      // when
	Share  strategy.Share // of the traffic that the new version had
	Actor  string         // "judge errors", or who else
	Reason string         // why
}

// String is "at 2026-01-07 14:02 UTC, at 25 %, by judge errors: why".
func (t Turn) String() string {
	return fmt.Sprintf("at %s, at %v, by %s: %s", t.At.Format("2006-01-02 15:04 MST"), t.Share, t.Actor, t.Reason)
}

// Backtested is one rollout under a policy.
type Backtested struct {
	ID          string  // the rollout's
	Service     string  // what it changed
	Environment string  // and where
	Flag        string  // the guarded flag's key, if any
	Release     Release // what was rolled out
	Finding     Finding // how the two compare

	Outcome     Outcome   // what happened
	FailedLater bool      // it succeeded, and was taken back later, or a person said [FailedLater]
	Ended       time.Time // when it was over
	Was         Turn      // when it turned round, for the first time
	Would       Turn      // when it would have, by the policy
	Looks       int       // how many looks the policy's judges had
}

// Earlier is how long before it turned round the policy would have made it. It is zero
// where the finding is another one.
func (b Backtested) Earlier() time.Duration {
	if b.Finding != FindingEarlier {
		return 0
	}
	return max(b.Was.At.Sub(b.Would.At), 0)
}

// String is one line for people.
func (b Backtested) String() string {
	text := fmt.Sprintf("%s: %v", b.ID, b.Finding)
	if by := b.Earlier(); by > 0 {
		text += fmt.Sprintf(" by %v", by.Round(time.Second))
	}
	if !b.Would.At.IsZero() {
		text += fmt.Sprintf(": would have rolled back %v", b.Would)
	}
	switch {
	case b.FailedLater:
		text += "; it succeeded, and failed later"
	case !b.Was.At.IsZero():
		text += fmt.Sprintf("; it turned round %v", b.Was)
	case b.Looks == 0 && b.Would.At.IsZero():
		text += fmt.Sprintf("; it is %v, and the journal has no look at it", b.Outcome)
	default:
		text += fmt.Sprintf("; it is %v", b.Outcome)
	}
	return strings.ReplaceAll(text, "\n", "; ")
}

// BacktestReport is what a policy would have done: see [Backtest].
type BacktestReport struct {
	From time.Time // the oldest record of a rollout
	To   time.Time // and the newest

	Rollouts      int // that are over and exposed somebody
	UnderWay      int // that are not over, and do not count
	Succeeded     int // of Rollouts, in truth
	RolledBack    int // of Rollouts, in truth; those that a person left on the way back included
	WouldRollBack int // of Rollouts, by the policy, or by what it does not change
	Looks         int // that were laid before the policy's judges

	// Same, Earlier, Missed, FalseAlarms, Caught and Unclear count the findings: their
	// sum is Rollouts.
	Same, Earlier, Missed, FalseAlarms, Caught, Unclear int
	// FalseAlarmRate is FalseAlarms over Succeeded.
	FalseAlarmRate *Rate
	// Differ are the newest 1,000 whose finding is not FindingSame, as they ended. Only
	// of these a later failure is noticed.
	Differ []Backtested
	// Older is how many more differ, that ended before those.
	Older int
	// Unmatched are names in the policy's Watches that no plan has.
	Unmatched []string
}

// keepDiffering is how many lines a report keeps.
const keepDiffering = 1000

// add counts one rollout.
func (r *BacktestReport) add(one Backtested) {
	r.Rollouts++
	switch {
	case one.Outcome == Succeeded:
		r.Succeeded++
	case one.Outcome.wentBack():
		r.RolledBack++
	}
	switch {
	case one.Finding == FindingEarlier, one.Finding == FindingFalseAlarm, one.Finding == FindingCaught, one.Finding == FindingSame && one.Outcome.wentBack():
		r.WouldRollBack++
	}
	*[...]*int{&r.Same, &r.Earlier, &r.Missed, &r.FalseAlarms, &r.Caught, &r.Unclear}[one.Finding]++
	if one.Finding == FindingSame {
		return
	}
	if r.Differ = append(r.Differ, one); len(r.Differ) > keepDiffering {
		r.Differ = r.Differ[1:]
		r.Older++
	}
}

// String is a line about all, and one for each that differs.
func (r BacktestReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "would have rolled back %d of %d rollouts in %s (in truth: %d); %d false alarm", r.WouldRollBack, r.Rollouts, r.days(), r.RolledBack, r.FalseAlarms)
	if r.FalseAlarms != 1 {
		b.WriteString("s")
	}
	if rate := r.FalseAlarmRate; rate != nil {
		fmt.Fprintf(&b, " (%.1f %% of %d that succeeded; 95 %% interval %.1f to %.1f %%)", 100*rate.Value, r.Succeeded, 100*rate.Low, 100*rate.High)
	}
	fmt.Fprintf(&b, ", %d missed, %d earlier, %d caught, %d unclear", r.Missed, r.Earlier, r.Caught, r.Unclear)
	if r.UnderWay > 0 {
		fmt.Fprintf(&b, "; %d not over", r.UnderWay)
	}
	for _, name := range r.Unmatched {
		fmt.Fprintf(&b, "\nno plan has a judge %q", name)
	}
	for _, one := range r.Differ {
		fmt.Fprintf(&b, "\n%v", one)
	}
	if r.Older > 0 {
		fmt.Fprintf(&b, "\nand %d more before those", r.Older)
	}
	return b.String()
}

// days is the time between the first record and the last.
func (r BacktestReport) days() string {
	span := r.To.Sub(r.From)
	if days := span.Hours() / 24; days >= 2 {
		return fmt.Sprintf("%.0f days", days)
	}
	return span.Round(time.Second).String()
}
