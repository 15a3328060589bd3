package strategy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Config is a strategy as a file has it, with what it is for.
type Config struct {
	Strategy    Strategy // how
	Environment string   // where
	Input       Input    // what; Input.New is the file's "version"
}

// Plan compiles it. A Config without a strategy is an error.
func (c Config) Plan() (Plan, error) {
	if c.Strategy == nil {
		return Plan{}, errors.New("strategy: found none, want one")
	}
	return c.Strategy.Plan(c.Input)
}

// common is what the file has for every strategy.
type common struct {
	Strategy    string        `json:"strategy"`
	Environment string        `json:"environment"`
	Version     string        `json:"version"`
	Replaces    string        `json:"replaces"`
	Instances   int           `json:"instances"`
	From        Share         `json:"from"`
	Progress    time.Duration `json:"progress"`
	NoReturn    string        `json:"no_return"`
}

// Parse reads a strategy from JSON, strictly: its error has everything that is
// wrong, each with its place. Beside the fields of the strategy, which are called as in
// its documentation, there are those of the Input:
//
//	{
//	  "strategy": "canary",
//	  "environment": "production",
//	  "version": "2.1.0", "replaces": "2.0.3",
//	  "instances": 10, "progress": "5m",
//	  "weights": [1, 10, 50, 100], "hold": "10m", "judges": ["errors"]
//	}
//
// The strategies are "rolling", "blue-green", "canary" and "recreate". Times are
// written "1h30m", shares are percentages, amounts of instances 3 or "25%", and weights a
// list or a rule: see [Weights]. What is wrong with the strategy itself, or has no place in
// the text, [Config.Plan] says.
func Parse(data []byte) (Config, error) {
	config, err := parse(data)
	if err != nil {
		return Config{}, fmt.Errorf("strategy: %w", err)
	}
	return config, nil
}

func parse(data []byte) (Config, error) {
	root, err := jsontree.Parse(data)
	if root == nil {
		return Config{}, err
	}
	name, unknown := named(root)
	var config Config
	switch name {
	case "rolling":
		var in struct {
			common
			Rolling
		}
		err = jsontree.Unmarshal(data, &in)
		config = in.config(in.Rolling)
	case "blue-green":
		var in struct {
			common
			BlueGreen
		}
		err = jsontree.Unmarshal(data, &in)
		config = in.config(in.BlueGreen)
	case "canary":
		var in struct {
			common
			Canary
		}
		err = jsontree.Unmarshal(data, &in)
		config = in.config(in.Canary)
	case "recreate":
		var in struct {
			common
			Recreate
		}
		err = jsontree.Unmarshal(data, &in)
		config = in.config(in.Recreate)
	}
	return config, errors.Join(unknown.Err(), err)
}

// named is the strategy that a file names or, with a problem, seems to mean.
func named(root *jsontree.Node) (string, jsontree.Problems) {
	names := []string{"rolling", "blue-green", "canary", "recreate"}
	want := "want one of " + strings.Join(names, ", ")
	n := root.Get("strategy")
	switch {
	case root.Kind != jsontree.Object:
		return "", jsontree.Problems{{Pos: root.Pos(), Text: fmt.Sprintf("found %s, want an object", root.Kind.Article())}}
	case n == nil:
		return "", jsontree.Problems{{Path: "strategy", Pos: root.Pos(), Text: "missing, " + want}}
	case n.Kind != jsontree.String:
		return "", jsontree.Problems{{Path: "strategy", Pos: n.Pos(), Text: fmt.Sprintf("found %s, %s", n.Describe(), want)}}
	case slices.Contains(names, n.Text()):
		return n.Text(), nil
	}
	meant := jsontree.Closest(n.Text(), names)
	if meant != "" {
		want = fmt.Sprintf("did you mean %q?", meant)
	}
	return meant, jsontree.Problems{{Path: "strategy", Pos: n.Pos(), Text: fmt.Sprintf("found %q, %s", jsontree.Cut(n.Text()), want)}}
}

func (c common) config(s Strategy) Config {
	return Config{s, c.Environment, Input{
		Old: c.Replaces, New: c.Version, Instances: c.Instances, From: c.From, Progress: c.Progress, NoReturn: c.NoReturn,
	}}
}
