package strategytest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/strategytest"
)

// fault is one of the ways in which a fleet is broken.
type fault string

// fleet is a target in memory with everything that a target can have, and a fault or
// none.
type fleet struct {
	fault   fault
	at      strategy.Observation
	pair    [2]string
	copies  int // of Scale
	blinked bool
}

func (f *fleet) is(name fault) bool { return f.fault == name }

func (f *fleet) over(ctx context.Context) error {
	if f.is("deaf") {
		return nil
	}
	return ctx.Err()
}

var errBroken = errors.New("broken")

func (f *fleet) Observe(ctx context.Context) (strategy.Observation, error) {
	seen := f.at
	switch {
	case f.is("blind"):
		return seen, errBroken
	case f.is("blind after a while") && ctx.Err() == nil && f.blinked:
		return seen, errBroken
	case f.is("forgetful"):
		f.at.Share = max(0, f.at.Share-1)
	case f.is("accuses"):
		seen.Why = "somebody did"
	case f.is("hides copies"):
		seen.Mirror = 0
	case f.is("starts half way"):
		seen.Share = strategy.Percent
	case f.is("starts empty"):
		seen.Old = 0
	}
	return seen, nil
}

func (f *fleet) Prepare(ctx context.Context, old, new string) error {
	if err := f.over(ctx); err != nil {
		return err
	}
	known := map[string]bool{strategytest.Old: true, strategytest.New: true}
	switch {
	case f.is("prepares nothing"):
		return errBroken
	case f.is("prepares once") && f.pair != [2]string{}:
		return errBroken
	case f.is("prepares anything"), f.is("prepares nameless ones") && (old == "" || new == ""):
	case f.is("forgets when it refuses") && !(known[old] && known[new]):
		f.pair = [2]string{}
		return errBroken
	case !known[old] || !known[new] || old == new:
		return fmt.Errorf("no such versions: %q and %q", old, new)
	}
	switch again := f.pair == [2]string{old, new}; {
	case again && f.is("moves when prepared again"):
		f.at.Share = 1
	case again && f.is("begins anew when prepared again"):
		f.at.Share = 0
	case again && f.is("copies end when prepared again"):
		f.at.Mirror = 0
	case again && f.is("New ends when prepared again"):
		f.at.New = 0
	case f.pair == [2]string{new, old}:
		if f.is("one release only") {
			return errBroken
		}
		f.at.Old, f.at.New = f.at.New, f.at.Old
		if !f.is("forgets who serves") {
			f.at.Share = strategy.All - f.at.Share
		}
	}
	f.pair = [2]string{old, new}
	return nil
}

func (f *fleet) Shift(ctx context.Context, to strategy.Share) error {
	if err := f.over(ctx); err != nil {
		if f.is("half way when given up") {
			f.at.Share = to / 2
		}
		f.blinked = true
		return err
	}
	switch {
	case f.is("hangs") && ctx.Done() != nil:
		time.Sleep(time.Hour)
	case f.pair == [2]string{}:
		return errors.New("not prepared")
	case f.is("any share"):
	case to < 0 || to > strategy.All:
		return fmt.Errorf("found %v, want from 0 to 100 %%", to)
	case to > f.at.Share && f.at.New == 0 && !f.is("shifts to nobody"):
		return errors.New("nothing runs")
	case f.is("only up") && to < f.at.Share, f.is("says no the second time") && to == f.at.Share:
		return errBroken
	case f.is("whole percents"):
		to -= to % strategy.Percent
	case f.is("adds") && to == f.at.Share:
		to++
	case f.is("copies end with a shift"):
		f.at.Mirror = 0
	case f.is("lies"):
		return nil
	}
	f.at.Share = to
	return nil
}

func (f *fleet) Mirror(ctx context.Context, to strategy.Share) error {
	if err := f.over(ctx); err != nil {
		return err
	}
	if (to < 0 || to > strategy.All) && !f.is("any copies") {
		return errors.New("no such share")
	}
	if f.is("exposes by copies") {
		f.at.Share = to
	}
	f.at.Mirror = to
	return nil
}

func (f *fleet) Scale(ctx context.Context, old, new int) error {
	if (old < 0 || new < 0) && !f.is("any number") {
		return errors.New("no such numbers")
	}
	step := func(at *int, to int) error {
		for *at != to {
			if err := f.over(ctx); err != nil {
				if f.is("gives up below zero") {
					*at = -1
				}
				return err
			}
			if !f.is("hasty") || ctx.Done() == nil {
				time.Sleep(2 * time.Millisecond) // in a bubble
			}
			if to > *at {
				*at++
			} else {
				*at--
			}
		}
		return nil
	}
	switch {
	case f.is("one more each time"):
		new += f.copies
		f.copies++
	case f.is("old ones never go"):
		old = max(old, f.at.Old)
	case f.is("shifts when it scales"):
		if f.at.New = new; new > 0 {
			f.at.Share = 1
		}
	case f.is("done when given up") && ctx.Err() != nil:
		return nil
	case f.is("not back to all") && old > f.at.Old:
		return errBroken
	}
	if err := step(&f.at.New, new); err != nil {
		return err
	}
	return step(&f.at.Old, old)
}

func (f *fleet) Promote(_ context.Context, version string) error {
	switch {
	case f.is("promotes once") && version == strategytest.Old:
		return errBroken
	case f.is("shifts when it promotes"):
		f.at.Share = strategy.All
	case f.is("promotes anything"), f.is("promotes nameless ones") && version == "":
	case version != f.pair[0] && version != f.pair[1]:
		return errors.New("no such version")
	}
	return nil
}

func (f *fleet) Keeps(_ context.Context, version string) error {
	switch {
	case f.is("keeps nothing"):
		return errBroken
	case f.is("keeps everything"):
		return nil
	case version != strategytest.Old && version != strategytest.New:
		return errors.New("no artifact")
	}
	return nil
}

// told collects the errors of a kit.
type told struct {
	testing.TB
	lines []string
}

func (t *told) Helper() {}

func (t *told) Errorf(format string, args ...any) {
	t.lines = append(t.lines, fmt.Sprintf(format, args...))
}

// broken are the rules that were, each once.
func (t *told) broken() (rules []string) {
	for _, line := range t.lines {
		rule, _, _ := strings.Cut(line, ":")
		if len(rules) == 0 || rules[len(rules)-1] != rule {
			rules = append(rules, rule)
		}
	}
	return rules
}

// TestBrokenTargets: each fault is found out, by these rules.
func TestBrokenTargets(t *testing.T) {
	all := "observe prepare shift mirror scale bounds order context promote keeps plans"
	for _, tt := range []struct {
		fault fault
		want  string
		says  string
	}{
		{"", "", ""},
		{"blind", all, "Observe fails: broken"},
		{"blind after a while", "context", "Observe fails: broken"},
		{"forgetful", "scale context plans", ""},
		{"accuses", "observe plans", "nobody who made it so"},
		{"starts half way", "observe", ""},
		{"starts empty", "observe", ""},
		{"hides copies", "mirror", "after a Mirror of 0.001 %"},
		{"prepares nothing", all, "Prepare of \"v1\" and \"v2\" fails: broken"},
		{"prepares once", "prepare", "Prepare for the second time fails: broken"},
		{"prepares anything", "prepare", `Prepare takes "v1" and "no-such-version"`},
		{"prepares nameless ones", "prepare", `Prepare takes "" and ""`},
		{"forgets when it refuses", "prepare", "a Shift to 1 % fails: not prepared"},
		{"moves when prepared again", "prepare", "share 0.001 %"},
		{"begins anew when prepared again", "prepare", `after Prepare of "v1" and "v2" again after a Shift to 50 %`},
		{"copies end when prepared again", "prepare", `after Prepare of "v1" and "v2" again after a Mirror of 10 %`},
		{"New ends when prepared again", "prepare", `after Prepare of "v1" and "v2" again while both run`},
		{"one release only", "prepare", `Prepare of "v2" and "v1" when New has all of the traffic fails: broken`},
		{"forgets who serves", "prepare", `after Prepare of "v2" and "v1" when New has all of the traffic`},
		{"hangs", "context", "has not returned 10s after its context was over"},
		{"deaf", "", ""}, // it does what it was asked for
		{"any share", "bounds", "a Shift to -0.001 % is taken"},
		{"any copies", "bounds", "a Mirror of -0.001 % is taken"},
		{"any number", "bounds", "a Scale to -1 instances of Old is taken"},
		{"shifts to nobody", "order", "is taken while no instance of New runs"},
		{"only up", "shift order plans", "a Shift to 99 % fails: broken"},
		{"says no the second time", "shift", "a Shift to 0.001 % fails: broken"},
		{"whole percents", "shift", "it is at share 0 %"},
		{"adds", "shift", "it is at share 0.002 %"},
		{"copies end with a shift", "", ""},
		{"lies", "prepare shift scale order context plans", "it is at share 0 %"},
		{"half way when given up", "context", "after a Shift to 30 % was given up"},
		{"exposes by copies", "mirror", ""},
		{"gives up below zero", "context", "was given up"},
		{"done when given up", "context", ""},
		{"one more each time", "scale", ""},
		{"old ones never go", "scale plans", ""},
		{"not back to all", "scale plans", "of the way back from step"},
		{"shifts when it scales", "scale", ""},
		{"promotes once", "promote plans", "Promote of v1 fails: broken"},
		{"shifts when it promotes", "promote", ""},
		{"promotes anything", "promote", `Promote takes "no-such-version"`},
		{"promotes nameless ones", "promote", `Promote takes ""`},
		{"keeps nothing", "keeps", "Keeps of the version that serves fails: broken"},
		{"keeps everything", "keeps", "it keeps a version that it never had"},
	} {
		t.Run(string(tt.fault), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, open := &told{TB: t}, 0
				strategytest.TestTarget(got, func(t testing.TB) strategy.Target {
					open++
					t.Cleanup(func() { open-- })
					require.Equal(t, 1, open, "one at a time")
					return &fleet{fault: tt.fault, at: strategy.Observation{Old: 3}}
				})
				require.Zero(t, open)
				for _, line := range got.lines {
					t.Log(line)
				}
				rules := " " + strings.Join(got.broken(), " ") + " "
				for _, want := range strings.Fields(tt.want) {
					require.Contains(t, rules, " "+want+" ")
				}
				require.Equal(t, tt.want == "", len(got.lines) == 0)
				require.Contains(t, strings.Join(got.lines, "\n"), tt.says)
				time.Sleep(2 * time.Hour) // for the one that hangs
			})
		})
	}
}

func TestNoTarget(t *testing.T) {
	got := &told{TB: t}
	strategytest.TestTarget(got, func(testing.TB) strategy.Target { return nil })
	require.Equal(t, "observe: there is no target", got.lines[0])
}

// only is a target with nothing but what it must have.
type only struct{ strategy.Target }

// TestLessAble: a target need not have everything.
func TestLessAble(t *testing.T) {
	strategytest.TestTarget(t, func(testing.TB) strategy.Target { return only{&fleet{}} })
	strategytest.TestTarget(t, func(testing.TB) strategy.Target {
		f := &fleet{at: strategy.Observation{New: 1}, pair: [2]string{"a", "b"}}
		return struct {
			observer
			strategy.Shifter
		}{observer{f}, f}
	})
}

// observer leaves instances to others.
type observer struct{ fleet *fleet }

func (o observer) Observe(ctx context.Context) (strategy.Observation, error) {
	seen, err := o.fleet.Observe(ctx)
	seen.New = 0
	return seen, err
}
