package strategy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Strategy compiles to a plan. Plan is pure; its error lists everything that is
// wrong with the strategy.
type Strategy interface {
	Plan(Input) (Plan, error)
}

// Input is what a strategy needs to know about where it starts.
type Input struct {
	// From is the share of the traffic that the new version has already.
	From Share
}

// Plan is a list of steps that nobody has taken yet. It prints, compares with
// reflect.DeepEqual or go-cmp, and survives JSON. It must not be changed.
type Plan struct {
	Strategy string // its name: "canary"
	Steps    []Step // in order
}

// plan is how a Plan stands in JSON.
type plan struct {
	Strategy string `json:"strategy"`
	Steps    steps  `json:"steps"`
}

// MarshalJSON writes {"strategy": "canary", "steps": [{"shift": {...}}, ...]}.
func (p Plan) MarshalJSON() ([]byte, error) { return json.Marshal(plan{p.Strategy, p.Steps}) }

// UnmarshalJSON reads what MarshalJSON wrote, strictly.
func (p *Plan) UnmarshalJSON(data []byte) error {
	var in plan
	if err := jsontree.Unmarshal(data, &in); err != nil {
		return err
	}
	*p = Plan{in.Strategy, in.Steps}
	return nil
}

// String is a table of the steps.
func (p Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %v of holds", p.Strategy, p.Length())
	for i, step := range p.Steps {
		fmt.Fprintf(&b, "\n%3d  %v", i+1, step)
	}
	return b.String()
}

// Length is how long the plan's holds take together, if each is over as soon as
// it may be.
func (p Plan) Length() time.Duration {
	var sum time.Duration
	for _, step := range p.Steps {
		if hold, ok := step.(Hold); ok {
			sum += hold.For
		}
	}
	return sum
}

// Undo is the way back from a step that was begun, as steps to take in order. One
// shift takes the traffic back all the way: nobody is left on a rung between.
func (p Plan) Undo(at int) []Step {
	var back []Step
	for i := min(at, len(p.Steps)-1); i >= 0; i-- {
		step := p.Steps[i].undo()
		shift, ok := step.(Shift)
		if step == nil {
			continue
		}
		if last := len(back) - 1; ok && last >= 0 {
			if before, ok := back[last].(Shift); ok {
				back[last] = Shift{From: before.From, To: shift.To}
				continue
			}
		}
		back = append(back, step)
	}
	return back
}

// Returns says whether there is a way back from a step that was begun: no point of
// no return was.
func (p Plan) Returns(at int) bool {
	for _, step := range p.Steps[:min(at+1, len(p.Steps))] {
		if _, gone := step.(NoReturn); gone {
			return false
		}
	}
	return true
}

// Gates lists the gates that the plan asks, each once, in order of first use.
func (p Plan) Gates() []string {
	return p.names(func(s Step) []string { v, _ := s.(Verify); return v.Gates })
}

// Judges lists the judges that watch the plan, likewise.
func (p Plan) Judges() []string {
	return p.names(func(s Step) []string { h, _ := s.(Hold); return h.Judges })
}

func (p Plan) names(of func(Step) []string) []string {
	var out []string
	for _, step := range p.Steps {
		for _, name := range of(step) {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}
