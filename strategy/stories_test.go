package strategy_test

import (
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/guidon-go/guidon/internal/scenario"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite testdata/stories")

// TestStories plays every story. testdata/stories/README.txt lists the commands.
func TestStories(t *testing.T) {
	paths, err := filepath.Glob("testdata/stories/*.txt")
	require.NoError(t, err)
	paths = slices.DeleteFunc(paths, func(path string) bool { return filepath.Base(path) == "README.txt" })
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			story, err := scenario.Read(path)
			require.NoError(t, err)
			s := &fleet{T: t}
			story.Play(s.do)
			if err := story.Check(*update); err != nil {
				t.Error(err)
			}
		})
	}
}

// fleet is what a story's plan moves: a strategy, its plan, and where its target stands.
type fleet struct {
	*testing.T
	text     string
	plan     strategy.Plan
	at       strategy.Observation
	promoted string
	told     []line
}

// line is a line of a table: a step, and where the target stood after it.
type line struct {
	text     string
	at       strategy.Observation
	promoted string
}

func (s *fleet) do(c scenario.Command) string {
	s.told = nil
	switch c.Name {
	case "strategy":
		s.text = strings.TrimSuffix(strings.TrimSpace(c.Text), "}")
		return s.compile("")
	case "but":
		return s.compile(", " + c.Text)
	case "forward":
		s.forward(len(s.plan.Steps) - 1)
		require.Equal(s, strategy.All, s.at.Share)
		return s.table()
	case "bad":
		return s.each(c, s.bad)
	case "undo":
		return s.each(c, s.undo)
	case "undo-fails":
		return s.undoFails(s.number(c.Args[0]), s.number(c.Args[1]))
	case "turn-again":
		return s.turnAgain(s.number(c.Args[0]), s.number(c.Args[1]))
	}
	s.Fatalf("no command is called %q", c.Name)
	return ""
}

func (s *fleet) number(text string) int {
	n, err := strconv.Atoi(text)
	require.NoError(s, err)
	require.True(s, n > 0 && n <= len(s.plan.Steps), "step %d", n)
	return n - 1
}

// compile is the strategy's plan, or what is wrong with it.
func (s *fleet) compile(more string) string {
	config, err := strategy.Parse([]byte(s.text + more + "}"))
	if err != nil {
		return err.Error()
	}
	plan, err := config.Plan()
	if err != nil {
		return err.Error()
	}
	s.plan = plan
	return plan.String()
}

// each does something with one step, or with each.
func (s *fleet) each(c scenario.Command, do func(at int)) string {
	if c.Args[0] != "each" {
		do(s.number(c.Args[0]))
	} else {
		for at := range s.plan.Steps {
			do(at)
		}
	}
	return s.table()
}

// forward takes the plan's steps up to one.
func (s *fleet) forward(last int) {
	s.at, s.promoted = s.plan.Start(), s.plan.Old
	for i, step := range s.plan.Steps[:last+1] {
		s.take(step)
		s.tell("%2d  %v", i+1, step)
	}
}

// bad is a step that goes half of its way and fails, and the way back from there.
func (s *fleet) bad(at int) {
	s.forward(at - 1)
	s.told = s.told[:len(s.told)-at]
	s.half(s.plan.Steps[at])
	s.tell("%2d  %v: fails", at+1, s.plan.Steps[at])
	s.back(at)
}

// undo is the way back from a step that was taken.
func (s *fleet) undo(at int) {
	s.forward(at)
	s.told = s.told[:len(s.told)-at-1]
	s.tell("%2d  %v", at+1, s.plan.Steps[at])
	s.back(at)
}

func (s *fleet) back(at int) {
	if !s.plan.Returns(at) {
		s.tell("    there is no way back: it waits for a person")
		return
	}
	for _, step := range s.plan.Undo(at) {
		s.take(step)
		s.tell("    back: %v", step)
	}
	require.Equal(s, s.plan.Start(), s.at, "back from step %d", at+1)
	require.Equal(s, s.plan.Old, s.promoted)
}

// undoFails is a way back whose step fails half way, and is taken again.
func (s *fleet) undoFails(at, fails int) string {
	s.forward(at)
	s.told = s.told[at:]
	for i, step := range s.plan.Undo(at) {
		if i == fails {
			s.half(step)
			s.tell("    back: %v: fails", step)
		}
		s.take(step)
		s.tell("    back: %v", step)
	}
	require.Equal(s, s.plan.Start(), s.at)
	return s.table()
}

// turnAgain is a way back that is taken back from one of its steps.
func (s *fleet) turnAgain(at, turn int) string {
	s.forward(at)
	s.told = s.told[at:]
	was := s.at
	back := strategy.Plan{Old: s.plan.Old, New: s.plan.New, Steps: s.plan.Undo(at)}
	for _, step := range back.Steps[:turn+1] {
		s.take(step)
		s.tell("    back: %v", step)
	}
	for _, step := range back.Undo(turn) {
		s.take(step)
		s.tell("    again: %v", step)
	}
	require.Equal(s, was, s.at)
	return s.table()
}

// take is a step that comes through.
func (s *fleet) take(step strategy.Step) {
	switch step := step.(type) {
	case strategy.Shift:
		s.at.Share = step.To
	case strategy.Mirror:
		s.at.Mirror = step.To
	case strategy.Promote:
		s.promoted = map[bool]string{false: s.plan.New, true: s.plan.Old}[step.Back]
	case strategy.Scale:
		s.at.Old, s.at.New = step.Old.To, step.New.To
	}
}

// half is a step that does not: half of the instances came or went, and nothing else moved.
func (s *fleet) half(step strategy.Step) {
	if step, ok := step.(strategy.Scale); ok {
		s.at.Old, s.at.New = (step.Old.From+step.Old.To)/2, (step.New.From+step.New.To)/2
	}
}

func (s *fleet) tell(format string, args ...any) {
	s.told = append(s.told, line{strings.ReplaceAll(fmt.Sprintf(format, args...), ", within 10m0s", ""), s.at, s.promoted})
}

// table is what was told.
func (s *fleet) table() string {
	longest := 0
	for _, l := range s.told {
		longest = max(longest, len(l.text))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%*s  %3s %3s  %8s  %s\n", longest, "", "old", "new", "traffic", "comes back as")
	for _, l := range s.told {
		text := fmt.Sprintf("%-*s  %3d %3d  %8v  %s", longest, l.text, l.at.Old, l.at.New, l.at.Share, l.promoted)
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	return b.String()
}
