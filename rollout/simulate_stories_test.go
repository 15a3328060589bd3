package rollout_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/internal/scenario"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// TestSimulations plays the stories of simulations. testdata/simulations/README.md lists
// what they know.
func TestSimulations(t *testing.T) {
	t.Parallel()
	playAll(t, "testdata/simulations", func(t *testing.T, story *scenario.Story) { story.Play(newTheatre(t).do) })
}

// theatre is where the story of a simulation plays.
type theatre struct {
	*factory // reads plans, requests, options and stages
	world    rollout.World
}

func newTheatre(t *testing.T) *theatre {
	s := &stage{T: t, props: props{says: map[string][]string{}}, services: map[string]*service{}, targets: map[string]*service{}, thens: map[string]rollout.Expiry{}}
	return &theatre{factory: &factory{stage: s, pipeline: rollout.Pipeline{Name: "ship"}}}
}

func (h *theatre) do(c scenario.Command) string {
	engine := func() *rollout.Engine {
		engine, err := rollout.New(&rollout.Memory{}, h.options)
		require.NoError(h, err)
		return engine
	}
	simulate := func(w rollout.World) (rollout.Simulation, error) {
		if len(h.pipeline.Stages) > 0 {
			return engine().SimulateRun(h.Context(), rollout.RunRequest{ID: c.Args[0], Release: rollout.Release{Name: "shop", Version: c.Args[0]}}, h.pipeline, w)
		}
		r := h.asked(c.Args)
		r.Watches = map[string]rollout.Watch{}
		for _, name := range r.Plan.Judges() {
			r.Watches[name] = rollout.Watch{Judge: health.DefaultJudge(r.Plan.Length()), Then: h.thens[r.ID+" "+name]}
		}
		return engine().Simulate(h.Context(), r, w)
	}
	switch c.Name {
	case "plan":
		h.plan = h.planned(c.Args)
	case "options":
		h.optional(c.Args)
	case "stage":
		h.pipeline.Stages = append(h.pipeline.Stages, h.staged(c.Args))
	case "world":
		for _, word := range c.Args {
			h.set(word)
		}
	case "fault":
		h.world.Faults = append(h.world.Faults, h.fault(c.Args))
	case "simulate":
		s, err := simulate(h.world)
		if err != nil {
			return err.Error() + "\n"
		}
		return s.String() + "\n"
	case "game-day":
		report, err := rollout.GameDay(h.world, simulate)
		if err != nil {
			return err.Error() + "\n"
		}
		return report.String() + "\n"
	default:
		h.Fatalf("no command is called %q", c.Name)
	}
	return ""
}

// set reads one field of the world.
func (h *theatre) set(word string) {
	key, value, _ := strings.Cut(word, "=")
	switch w := &h.world; key {
	case "seed":
		w.Seed = uint64(number(value))
	case "start":
		var err error
		w.Start, err = time.Parse(time.RFC3339, value)
		require.NoError(h, err)
	case "limit":
		w.Limit = h.deadline(value).Within
	case "users":
		w.Users = number(value)
	case "rate":
		w.Rate = h.float(value)
	case "error-rate":
		w.ErrorRate = h.float(strings.TrimSuffix(value, "%")) / 100
	case "harm":
		w.Harm = h.float(value)
	case "harm-from":
		w.HarmFrom = h.deadline(value).Within
	default:
		h.Fatalf("a world with %q", word)
	}
}

// fault reads a kind, and what is not zero in it.
func (h *theatre) fault(words []string) rollout.Fault {
	f := rollout.Fault{Kind: rollout.FaultKind(words[0])}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "at":
			f.At = h.deadline(value).Within
		case "for":
			f.For = h.deadline(value).Within
		case "by":
			f.By = h.deadline(value).Within
		case "name":
			f.Name = value
		case "times":
			f.Times = number(value)
		case "to":
			f.Share = share(value)
		case "act":
			f.Act = rollout.Act{Kind: rollout.ActKind(value), Actor: "anna"}
		case "because":
			f.Act.Reason = strings.ReplaceAll(value, "-", " ")
		default:
			h.Fatalf("a fault with %q", word)
		}
	}
	return f
}

func (h *theatre) float(text string) float64 {
	f, err := strconv.ParseFloat(text, 64)
	require.NoError(h, err)
	return f
}
