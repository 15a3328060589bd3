package openfeature_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/openfeature"
	of "github.com/open-feature/go-sdk/openfeature"
)

// TestAsks: a flag is decided as by a provider that has learnt nothing, and it is known what
// it asks for if that is not much.
func TestAsks(t *testing.T) {
	const document = `{
		"segments": {"s": {"if": {"attr": "a", "eq": 1}}},
		"layers": {"l": {"by": "team", "flags": {"layered": [{"from": 0, "to": 50}], "layered-rule": [{"from": 50, "to": 100}]}},
			"k": {"flags": {"by-key": [{"from": 0, "to": 50}], "laid": [{"from": 50, "to": 100}]}}},
		"flags": {
			"static": {"serve": "on"},
			"targets": {"targets": {"on": ["anna"]}},
			"when": {"when": {"not": {"any": [{"attr": "a", "eq": 2}, {"all": [{"attr": "u.v", "missing": true}]}]}}, "serve": "on"},
			"rule": {"rules": [{"if": {"attr": "u.v", "eq": "x"}, "serve": "on"}, {"if": {"attr": "list", "eq": "y"}, "serve": "on"}]},
			"ramp": {"ramp": {"percent": 50}},
			"ramp-by": {"ramp": {"percent": 100, "by": "team"}},
			"split-by": {"split": {"by": "team", "parts": [{"serve": "on", "percent": 100}]}},
			"ruled-ramp": {"rules": [{"if": {"attr": "a", "eq": 1}, "ramp": {"percent": 100, "by": "team"}}], "ramp": {"percent": 0}},
			"segment": {"rules": [{"if": {"segment": "s"}, "serve": "on"}]},
			"flag": {"rules": [{"if": {"flag": "rule"}, "serve": "on"}]},
			"layered": {"ramp": {"percent": 100}},
			"layered-rule": {"rules": [{"if": {"attr": "a", "eq": 1}, "ramp": {"percent": 100}}]},
			"by-key": {"ramp": {"percent": 100}},
			"laid": {}, "key": {"rules": [{"if": {"attr": "targetingKey", "eq": "anna"}, "serve": "on"}]},
			"ten": {"when": {"any": [{"attr": "a0", "eq": 1}, {"attr": "a1", "eq": 1}, {"attr": "a2", "eq": 1}, {"attr": "a3", "eq": 1}, {"attr": "a4", "eq": 1},
				{"attr": "a5", "eq": 1}, {"attr": "a6", "eq": 1}, {"attr": "a7", "eq": 1}, {"attr": "a8", "eq": 1}, {"attr": "a", "eq": 1}]}, "serve": "on"}
		}
	}`
	synctest.Test(t, func(t *testing.T) {
		flags := loaded(t, document)
		if err := flags.SetRamp("laid", flag.Ramp{By: "team", Share: flag.All, Serve: "on"}, flag.Change{Actor: "ann", Reason: "a test"}); err != nil {
			t.Fatal(err)
		}
		on := map[string]int{}
		simple, learnt := openfeature.New(flags, openfeature.Options{}), openfeature.New(flags, openfeature.Options{})
		if err := learnt.Init(of.EvaluationContext{}); err != nil {
			t.Fatal(err)
		}
		defer learnt.Shutdown()
		synctest.Wait()
		for status := range flags.All() {
			if got, want := learnt.Knows(status.Key), status.Key != "ten"; got != want {
				t.Errorf("%s: got %v, want %v", status.Key, got, want)
			}
			for i, more := range []of.FlattenedContext{
				{}, {"a": 1}, {"a": 2, "u.v": "x"}, {"team": "red"}, {"a": 1, "team": 7}, {"list": []any{"z", "y"}, "a8": 1},
				{"u": map[string]any{"v": "x"}}, {"u": map[string]string{"v": "x"}, "u.v": nil}, {"u": map[string]any{"v": "x"}, "u.v": "z"},
				{"a": 1, "u.v": "x", "team": "blue"}, {"team": "green"}, {"team": "white"}, {"team": "black"},
			} {
				for user := range 20 {
					more[of.TargetingKey] = fmt.Sprint("user-", user)
					if user == 0 {
						more[of.TargetingKey] = "anna"
					}
					got, want := learnt.BooleanEvaluation(t.Context(), status.Key, false, more), simple.BooleanEvaluation(t.Context(), status.Key, false, more)
					if got.Value != want.Value || got.Reason != want.Reason {
						t.Fatalf("%s of context %d: got %v by %s, want %v by %s", status.Key, i, got.Value, got.Reason, want.Value, want.Reason)
					}
					if got.Value {
						on[status.Key]++
					}
				}
			}
			if on[status.Key] == 0 {
				t.Errorf("%s: got on for nobody", status.Key)
			}
		}
	})
}

// TestAsksOfNow: what is asked for since a moment ago counts at once, before it is learnt.
func TestAsksOfNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := &source{text: `{"flags": {"f": {"rules": [{"if": {"attr": "a", "eq": 1}, "serve": "on"}]}}}`}
		flags := flag.New(from, flag.Options{OnChange: func(flag.ChangeInfo) {}})
		p := openfeature.New(flags, openfeature.Options{})
		if err := p.Init(of.EvaluationContext{}); err != nil {
			t.Fatal(err)
		}
		defer p.Shutdown()
		go func() { <-p.EventChannel() }()
		ask := func() bool {
			return p.BooleanEvaluation(t.Context(), "f", false, of.FlattenedContext{"a": 1, "b": 1, of.TargetingKey: "anna"}).Value
		}
		synctest.Wait()
		if !p.Knows("f") || !ask() {
			t.Fatal("want on, by what is known")
		}
		from.set(`{"flags": {"f": {"rules": [{"if": {"attr": "b", "eq": 1}, "serve": "on"}]}}}`, nil)
		if err := flags.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !ask() {
			t.Error("got off by the new document, want on")
		}
		later()
		if !p.Knows("f") || !ask() {
			t.Error("want on, by what is known now")
		}
		status, err := flags.Status("f")
		if err != nil {
			t.Fatal(err)
		}
		if on, off := status.Counts["on"], status.Counts["off"]; on != 3 || off != 0 {
			t.Errorf("got %d on and %d off counted, want 3 and none: each evaluation counts once", on, off)
		}
	})
}
