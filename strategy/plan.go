package strategy

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Strategy compiles to a plan. Plan is pure; its error lists everything that is
// wrong with the strategy.
type Strategy interface {
	Plan(Input) (Plan, error)
}

// Input is what every strategy needs to know. Every zero is right for some.
type Input struct {
	// Old and New are the versions, as people and the target call them. Both may be
	// empty: whoever carries the plan out says them then, from what it knows to serve and
	// from the release, so that the same plan can be asked for again when it is over.
	Old, New string
	// Instances is how many of each version serve everybody. Zero is for a target
	// without instances, like a flag, or one whose instances others run: only canary
	// and blue-green can do without.
	Instances int
	// From is the share of the traffic that the new version has already, without
	// instances of its own.
	From Share
	// Progress is by when the instances that a step starts have to be ready. Zero
	// means ten minutes.
	Progress time.Duration
	// NoReturn is why there is no way back once the new version is alone. A [NoReturn]
	// with these words comes after the last hold: before the old version's last
	// instances go or, where they have gone already (rolling, recreate), before the new
	// one is promoted. Empty means that there is a way back from everywhere.
	NoReturn string
}

// Plan is a list of steps that nobody has taken yet. It prints, compares with
// reflect.DeepEqual or go-cmp, and survives JSON. It must not be changed.
type Plan struct {
	Strategy string // its name: "canary"
	Old, New string // the versions, of Input
	Steps    []Step // in order
}

// plan is how a Plan stands in JSON.
type plan struct {
	Strategy string `json:"strategy"`
	Old      string `json:"old,omitempty"`
	New      string `json:"new,omitempty"`
	Steps    steps  `json:"steps"`
}

// MarshalJSON writes {"strategy": "canary", "steps": [{"shift": {...}}, ...]}.
func (p Plan) MarshalJSON() ([]byte, error) {
	return json.Marshal(plan{p.Strategy, p.Old, p.New, p.Steps})
}

// UnmarshalJSON reads what MarshalJSON wrote, strictly.
func (p *Plan) UnmarshalJSON(data []byte) error {
	var in plan
	if err := jsontree.Unmarshal(data, &in); err != nil {
		return err
	}
	*p = Plan{in.Strategy, in.Old, in.New, in.Steps}
	return nil
}

// String is a table of the steps, and of where a target stands after each, if the plan
// scales anything.
func (p Plan) String() string {
	var b strings.Builder
	b.WriteString(p.Strategy)
	if p.New != "" {
		if p.Old != "" {
			b.WriteString(" from " + p.Old)
		}
		b.WriteString(" to " + p.New)
	}
	fmt.Fprintf(&b, ", %v of holds", p.Length())
	lines, longest, scales := make([]string, len(p.Steps)), 0, false
	for i, step := range p.Steps {
		lines[i] = fmt.Sprintf("%*d  %v", max(3, len(strconv.Itoa(len(p.Steps)))), i+1, step)
		longest = max(longest, len(lines[i]))
		_, ok := step.(Scale)
		scales = scales || ok
	}
	if scales {
		fmt.Fprintf(&b, "\n%*s  %5s %5s  %s", longest, "", "old", "new", "traffic")
	}
	at := p.Start()
	for i, step := range p.Steps {
		fmt.Fprintf(&b, "\n%s", lines[i])
		if scales && step != nil {
			step.move(&at)
			fmt.Fprintf(&b, "%*s  %5d %5d  %v", longest-len(lines[i]), "", at.Old, at.New, at.Share)
		}
	}
	return b.String()
}

// Length is how long the plan's holds take together, if each is over as soon as
// it may be; at most the longest [time.Duration].
func (p Plan) Length() time.Duration {
	var sum time.Duration
	for _, step := range p.Steps {
		if hold, ok := step.(Hold); ok {
			sum += min(hold.For, math.MaxInt64-sum)
		}
	}
	return sum
}

// Returns says whether there is a way back from a step that was begun: no point of
// no return was.
func (p Plan) Returns(at int) bool {
	for _, step := range p.until(at) {
		if _, gone := step.(NoReturn); gone {
			return false
		}
	}
	return true
}

// until is the plan's steps up to one, and that one.
func (p Plan) until(at int) []Step { return p.Steps[:max(min(at, len(p.Steps)-1), -1)+1] }

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
