package strategy

import (
	"errors"
	"fmt"
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
// written "1h30m", shares are percentages, and amounts of instances 3 or "25%".
func Parse(data []byte) (Config, error) {
	config, err := parse(data)
	if err != nil {
		return Config{}, fmt.Errorf("strategy: %w", err)
	}
	return config, nil
}

func parse(data []byte) (Config, error) {
	root, err := jsontree.Parse(data)
	if err != nil {
		return Config{}, err
	}
	name := ""
	if n := root.Get("strategy"); n != nil {
		name = n.Text()
	}
	switch name {
	case "rolling":
		var in struct {
			common
			Rolling
		}
		err := jsontree.Unmarshal(data, &in)
		return in.config(in.Rolling), err
	case "blue-green":
		var in struct {
			common
			BlueGreen
		}
		err := jsontree.Unmarshal(data, &in)
		return in.config(in.BlueGreen), err
	case "canary":
		var in struct {
			common
			Canary
		}
		err := jsontree.Unmarshal(data, &in)
		return in.config(in.Canary), err
	case "recreate":
		var in struct {
			common
			Recreate
		}
		err := jsontree.Unmarshal(data, &in)
		return in.config(in.Recreate), err
	}
	names := []string{"rolling", "blue-green", "canary", "recreate"}
	text := fmt.Sprintf("found %q, want one of %s", jsontree.Cut(name), strings.Join(names, ", "))
	if meant := jsontree.Closest(name, names); meant != "" {
		text = fmt.Sprintf("found %q, did you mean %q?", jsontree.Cut(name), meant)
	}
	return Config{}, jsontree.Problems{{Path: "strategy", Text: text}}.Err()
}

func (c common) config(s Strategy) Config {
	return Config{s, c.Environment, Input{
		Old: c.Replaces, New: c.Version, Instances: c.Instances, From: c.From, Progress: c.Progress, NoReturn: c.NoReturn,
	}}
}
