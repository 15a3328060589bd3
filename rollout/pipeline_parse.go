package rollout

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/internal/jsontree"
	"github.com/guidon-go/guidon/strategy"
)

// Bindings are what the names in a pipeline's file stand for.
type Bindings struct {
	// Actions are what "do", "undo" and "when" name.
	Actions map[string]Action
	// Gates are what "gates" name, those of stages and those of strategies.
	Gates map[string]Gate
	// Requests are what "deploy" names: all of a request but its ID, and its plan, which
	// follows from the stage's strategy.
	Requests map[string]Request
	// Watches make what the judges of strategies name, for each rollout anew: its ID, which
	// [Engine.Cohorts] needs, is StageRun.Rollout.
	Watches map[string]func(*StageRun) (Watch, error)
	// Guards are what "guard" names.
	Guards map[string]*Guard
}

// pipelineFile is a pipeline as a file has it.
type pipelineFile struct {
	Name     string      `json:"name"`
	Parallel int         `json:"parallel"`
	Stages   []stageFile `json:"stages" want:"a list of stages"`
}

type stageFile struct {
	Name     string          `json:"name" want:"the stage's name"`
	Needs    []string        `json:"needs"`
	Do       string          `json:"do"`
	Gates    []string        `json:"gates"`
	Deploy   string          `json:"deploy"`
	Strategy json.RawMessage `json:"strategy"`
	Guard    string          `json:"guard"`
	Undo     string          `json:"undo"`
	When     string          `json:"when"`
	Retry    struct {
		Attempts int           `json:"attempts"`
		Wait     time.Duration `json:"wait"`
	} `json:"retry"`
	Timeout  time.Duration `json:"timeout"`
	Optional bool          `json:"optional"`
	NoReturn *string       `json:"no_return"`
}

// ParsePipeline reads a pipeline from JSON, strictly: its error, an [ErrInvalid], has
// everything that is wrong, unbound names included, each with its place.
//
//	{
//	  "name": "ship", "parallel": 4,
//	  "stages": [
//	    {"name": "build", "do": "build", "retry": {"attempts": 3, "wait": "10s"}, "timeout": "10m"},
//	    {"name": "smoke", "needs": ["build"], "gates": ["smoke"]},
//	    {"name": "expand", "needs": ["smoke"], "do": "add column", "undo": "drop column", "when": "migrates"},
//	    {"name": "production", "needs": ["expand"], "deploy": "shop",
//	      "strategy": {"strategy": "canary", "weights": [5, 50, 100], "hold": "10m", "judges": ["errors"]}},
//	    {"name": "contract", "needs": ["production"], "do": "drop old", "no_return": "orders.total is dropped"}
//	  ]
//	}
//
// The fields are those of [Stage]; a strategy is written as [strategy.Parse] has it, and
// its environment is the rollout's. A stage has one of "do", "gates", all of which must
// say yes, "deploy" with its "strategy", and "guard".
func ParsePipeline(data []byte, bindings Bindings) (Pipeline, error) {
	var file pipelineFile
	r := reader{bindings: bindings}
	errors.As(jsontree.Unmarshal(data, &file), &r.problems)
	if r.root, _ = jsontree.Parse(data); r.root != nil {
		known := map[string]bool{}
		for _, p := range r.problems {
			known[p.Path] = true
		}
		p := Pipeline{Name: file.Name, Parallel: file.Parallel}
		for i, s := range file.Stages {
			p.Stages = append(p.Stages, r.stage(jsontree.Index("stages", i), s))
		}
		names := p.names()
		_, problems := p.problems()
		for _, wrong := range problems {
			path := wrong.field
			if wrong.stage >= 0 {
				path = jsontree.Index("stages", wrong.stage) + "." + wrong.field
			}
			var need int
			if _, err := fmt.Sscanf(wrong.field, "needs[%d]", &need); err == nil {
				wrong.text += r.meant(p.Stages[wrong.stage].Needs[need], slices.Values(names))
			}
			if !known[path] && !known[""] {
				r.add(path, "%s", wrong.text)
			}
		}
		if len(r.problems) == 0 {
			return p, nil
		}
	}
	slices.SortStableFunc(r.problems, func(a, b jsontree.Problem) int { return cmp.Compare(a.Pos.Offset, b.Pos.Offset) })
	return Pipeline{}, &Error{"parse", "pipeline", fmt.Errorf("%w: %w", ErrInvalid, r.problems)}
}

func (p Pipeline) names() []string {
	names := make([]string, len(p.Stages))
	for i, s := range p.Stages {
		names[i] = s.Name
	}
	return names
}

// reader binds the names of a file.
type reader struct {
	bindings Bindings
	root     *jsontree.Node
	problems jsontree.Problems
	hints    int // how often it has looked for what was meant
}

func (r *reader) add(path, format string, args ...any) {
	r.problems = append(r.problems, jsontree.Problem{Path: path, Pos: r.root.Nearest(path).Pos(), Text: fmt.Sprintf(format, args...)})
}

// meant is a hint which of the known names was meant, if one is close. After many hints
// there are no more: each looks at all names.
func (r *reader) meant(name string, known iter.Seq[string]) string {
	const most = 50
	if r.hints++; r.hints > most {
		return ""
	}
	others := slices.DeleteFunc(slices.Sorted(known), func(one string) bool { return one == name })
	if closest := jsontree.Closest(name, others); closest != "" {
		return fmt.Sprintf(", did you mean %q?", closest)
	}
	return ""
}

// named looks a name up. What is bound to nothing is a problem.
func named[T any](r *reader, path, what, name string, bound map[string]T, missing func(T) bool) (value T) {
	value, known := bound[name]
	if !known || missing(value) {
		r.add(path, "found %s%q, which is bound to nothing%s", what, jsontree.Cut(name), r.meant(name, maps.Keys(bound)))
	}
	return value
}

// stage binds a stage.
func (r *reader) stage(path string, f stageFile) Stage {
	s := Stage{Name: f.Name, Needs: f.Needs, Retry: Retry(f.Retry), Timeout: f.Timeout, Optional: f.Optional}
	if f.NoReturn != nil {
		if s.NoReturn = *f.NoReturn; s.NoReturn == "" {
			r.add(path+".no_return", `found "", want why nothing can be taken back from there on`)
		}
	}
	action := func(field, name string) Action {
		if name == "" {
			return nil
		}
		do := named(r, path+"."+field, "", name, r.bindings.Actions, func(a Action) bool { return a == nil })
		if do == nil { // a stand-in, so that nothing else complains
			do = func(context.Context, *StageRun) error { return nil }
		}
		return do
	}
	s.When, s.Undo = action("when", f.When), action("undo", f.Undo)
	ways := 0
	for _, there := range []bool{f.Do != "", len(f.Gates) > 0, f.Deploy != "", f.Guard != ""} {
		if there {
			ways++
		}
	}
	switch {
	case ways != 1:
		r.add(path, `found %d of "do", "gates", "deploy" and "guard", want one`, ways)
		s.Do = Ask(nil)
	case f.Do != "":
		s.Do = action("do", f.Do)
	case f.Deploy != "":
		s.Deploy = r.deploy(path, f)
	case f.Guard != "":
		if s.Guard = named(r, path+".guard", "", f.Guard, r.bindings.Guards, func(g *Guard) bool { return g == nil }); s.Guard == nil {
			s.Guard = &Guard{}
		}
	default:
		s.Do = r.gates(path, f.Gates)
	}
	if len(f.Strategy) > 0 && f.Deploy == "" {
		r.add(path+".strategy", `given without "deploy"`)
	}
	return s
}

func (r *reader) gates(path string, names []string) Action {
	gates := map[string]Gate{}
	for i, name := range names {
		gates[name] = named(r, jsontree.Index(path+".gates", i), "", name, r.bindings.Gates, func(g Gate) bool { return g == nil })
	}
	return func(ctx context.Context, _ *StageRun) error {
		return (&driver{request: Request{Gates: gates}}).verify(ctx, strategy.Verify{Gates: names})
	}
}

// deploy binds a stage that is a rollout.
func (r *reader) deploy(path string, f stageFile) func(*StageRun) (Request, error) {
	request := named(r, path+".deploy", "", f.Deploy, r.bindings.Requests, func(Request) bool { return false })
	_, bound := r.bindings.Requests[f.Deploy]
	if request.ID != "" {
		r.add(path+".deploy", "found %q, which is bound to a request with the ID %q, want none: it follows from the run and the stage", jsontree.Cut(f.Deploy), request.ID)
	}
	request.Gates, request.Watches = cloned(request.Gates), cloned(request.Watches)
	at := path + ".strategy"
	if len(f.Strategy) == 0 {
		r.add(at, `missing beside "deploy", want how one version replaces the other`)
		return nothingToDeploy
	}
	config, err := strategy.Parse(f.Strategy)
	var wrong jsontree.Problems
	if errors.As(err, &wrong) {
		for _, p := range wrong {
			inside := at
			if p.Path != "" {
				inside += "." + p.Path
			}
			r.add(inside, "%s", p.Text)
		}
	}
	if err != nil {
		return nothingToDeploy
	}
	if request.Plan, err = config.Plan(); err == nil && bound {
		err = request.Plan.Check(request.Target)
	}
	if err != nil {
		r.add(at, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	request.Environment = cmp.Or(config.Environment, request.Environment)
	for _, name := range request.Plan.Gates() {
		if request.Gates[name] == nil {
			request.Gates[name] = named(r, at, "gate ", name, r.bindings.Gates, func(g Gate) bool { return g == nil })
		}
	}
	watches := map[string]func(*StageRun) (Watch, error){}
	for _, name := range request.Plan.Judges() {
		if request.Watches[name].Judge == nil {
			watches[name] = named(r, at, "judge ", name, r.bindings.Watches, func(w func(*StageRun) (Watch, error)) bool { return w == nil })
		}
	}
	return func(s *StageRun) (Request, error) {
		made := request
		made.Watches = cloned(request.Watches)
		for _, name := range slices.Sorted(maps.Keys(watches)) {
			watch, err := watches[name](s)
			if err != nil {
				return made, fmt.Errorf("watches: %q: %w", name, err)
			}
			made.Watches[name] = watch
		}
		return made, nil
	}
}

// nothingToDeploy stands in for what could not be read.
func nothingToDeploy(*StageRun) (Request, error) { return Request{}, ErrInvalid }

// cloned is a copy that can be written to.
func cloned[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return maps.Clone(m)
}
