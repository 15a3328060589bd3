package openfeature_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/openfeature"
	of "github.com/open-feature/go-sdk/openfeature"
)

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

type plan string

// TestRequirement3_1_2: attributes of every type reach the rules, without loss.
func TestRequirement3_1_2(t *testing.T) {
	const big = 1<<53 + 1
	moment := time.Date(2027, time.January, 31, 0, 0, 0, 0, time.UTC)
	itself := map[string]any{"x": 1}
	itself["itself"] = itself
	for _, test := range []struct {
		name, condition string
		value           any // of the attribute a
		want            bool
	}{
		{"string", `"eq": "ä\n"`, "ä\n", true},
		{"empty string", `"exists": true`, "", true},
		{"named string", `"eq": "pro"`, plan("pro"), true},
		{"bool", `"eq": true`, true, true},
		{"int", `"eq": 3`, 3, true},
		{"int8", `"eq": 3`, int8(3), true},
		{"uint16", `"eq": 3`, uint16(3), true},
		{"int64 beyond a float", `"eq": 9007199254740993`, int64(big), true},
		{"int64 beside it", `"eq": 9007199254740992`, int64(big), false},
		{"uint64", `"eq": 18446744073709551615`, uint64(math.MaxUint64), true},
		{"float32", `"eq": 0.5`, float32(0.5), true},
		{"float64", `"gt": 3.8`, 3.9, true},
		{"number of JSON", `"eq": 9007199254740993`, json.Number("9007199254740993"), true},
		{"large number of JSON", `"eq": 18446744073709551615`, json.Number("18446744073709551615"), true},
		{"fraction of JSON", `"eq": 0.5`, json.Number("0.5"), true},
		{"duration", `"eq": 1000`, time.Microsecond, true},
		{"time", `"after": "2027-01-31T00:00:00Z"`, moment, true},
		{"list", `"eq": "b"`, []string{"a", "b"}, true},
		{"list of any", `"eq": "b"`, []any{"a", "b"}, true},
		{"empty list", `"eq": "b"`, []string{}, false},
		{"structure", `"exists": true`, map[string]any{"x": 1}, false},
		{"NaN", `"exists": true`, math.NaN(), false},
		{"nil", `"exists": true`, nil, false},
		{"pointer", `"exists": true`, new(int), false},
		{"list of numbers", `"exists": true`, []any{1}, false},
		{"no number of JSON", `"exists": true`, json.Number("x"), false},
		{"itself", `"exists": true`, itself, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			// Each has an attribute of its own, since lists and scalars are told apart.
			a := "a " + test.name
			flags := loaded(t, fmt.Sprintf(`{"flags": {"f": {"rules": [{"if": {"attr": %q, %s}, "serve": "on"}]}}}`, a, test.condition))
			p := openfeature.New(flags, openfeature.Options{})
			if got := p.BooleanEvaluation(t.Context(), "f", false, of.FlattenedContext{a: test.value}); got.Value != test.want {
				t.Errorf("got %v, want %v", got.Value, test.want)
			}
		})
	}
}

func TestNestedAttributes(t *testing.T) {
	flags := loaded(t, `{"flags": {
		"inner": {"rules": [{"if": {"attr": "user.address.city", "eq": "Lund"}, "serve": "on"}]},
		"deep":  {"rules": [{"if": {"attr": "a.b.c.d.e.f.g.h", "eq": 1}, "serve": "on"}]},
		"deeper":{"rules": [{"if": {"attr": "a.b.c.d.e.f.g.h.i", "eq": 1}, "serve": "on"}]}
	}}`)
	p := openfeature.New(flags, openfeature.Options{})
	at := func(depth int) map[string]any {
		m := map[string]any{string(rune('a' + depth - 1)): 1}
		for i := depth - 2; i >= 0; i-- {
			m = map[string]any{string(rune('a' + i)): m}
		}
		return m
	}
	city := map[string]any{"address": map[string]any{"city": "Lund"}}
	for _, test := range []struct {
		name, flag string
		flat       of.FlattenedContext
		want       bool
	}{
		{"within", "inner", of.FlattenedContext{"user": city}, true},
		{"within a map of strings", "inner", of.FlattenedContext{"user": map[string]map[string]string{"address": {"city": "Lund"}}}, true},
		{"with dots", "inner", of.FlattenedContext{"user.address.city": "Lund"}, true},
		{"what has dots wins", "inner", of.FlattenedContext{"user": city, "user.address.city": "Oslo"}, false},
		{"the nearer one wins", "inner", of.FlattenedContext{"user": map[string]any{"address": city["address"], "address.city": "Oslo"}}, false},
		{"the later one of two that are alike wins", "inner", of.FlattenedContext{"user": city, "user.address": map[string]any{"city": "Oslo"}}, false},
		{"eight deep", "deep", at(8), true},
		{"nine deep", "deeper", at(9), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			for range 20 { // a map has another order each time
				if got := p.BooleanEvaluation(t.Context(), test.flag, false, test.flat); got.Value != test.want {
					t.Fatalf("got %v, want %v", got.Value, test.want)
				}
			}
		})
	}
}

// TestTooManyAttributes is in a process of its own: names are never forgotten.
func TestTooManyAttributes(t *testing.T) {
	if os.Getenv("TOO_MANY") == "" {
		child := exec.Command(os.Args[0], "-test.run=^TestTooManyAttributes$", "-test.v")
		child.Env = append(os.Environ(), "TOO_MANY=yes")
		if out, err := child.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return
	}
	var said strings.Builder
	slog.SetDefault(slog.New(slog.NewTextHandler(&said, nil)))
	flags := loaded(t, `{"flags": {
		"early": {"rules": [{"if": {"attr": "early", "eq": 1}, "serve": "on"}]},
		"late": {"rules": [{"if": {"attr": "late", "eq": 1}, "serve": "on"}]}
	}}`)
	p := openfeature.New(flags, openfeature.Options{})
	ask := func(key string) bool {
		return p.BooleanEvaluation(t.Context(), key, false, of.FlattenedContext{key: 1}).Value
	}
	if !ask("early") {
		t.Fatal("got false before there were many, want true")
	}
	p.BooleanEvaluation(t.Context(), "early", false, of.FlattenedContext{strings.Repeat("x", 300): 1}) // takes no place
	for i := range 5000 {
		p.BooleanEvaluation(t.Context(), "early", false, of.FlattenedContext{fmt.Sprint("name", i): 1})
	}
	if !ask("early") || ask("late") {
		t.Errorf("got %v and %v, want an early name to be known, and a late one not", ask("early"), ask("late"))
	}
	if err := p.Init(of.EvaluationContext{}); err != nil {
		t.Fatal(err)
	}
	defer p.Shutdown()
	for !p.Knows("late") {
		runtime.Gosched()
	}
	if !ask("late") {
		t.Error("got false, want what flags ask for to have a place once that is known")
	}
	if n := strings.Count(said.String(), "too many different attributes"); n != 1 {
		t.Errorf("it was said %d times, want once: %s", n, said.String())
	}
	if !strings.Contains(said.String(), "attribute=name999 ") {
		t.Errorf("got %s, want it to name the first that has no place", said.String())
	}
}

func TestNewWithoutStore(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("want a panic")
		}
	}()
	openfeature.New((*flag.Store)(nil), openfeature.Options{})
}
