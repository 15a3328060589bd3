package lint_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	golden    = "testdata/api.txt"
	writeThem = "go test ./internal/lint -run TestAPI -update"
)

var update = flag.Bool("update", false, "rewrite "+golden)

// TestAPI holds the exported API to its golden file.
func TestAPI(t *testing.T) {
	r, err := here()
	if err != nil {
		t.Fatal(err)
	}
	lines := apiLines(typedPackages(t, r))
	if *update {
		if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(golden)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("internal/lint/%s does not exist. Write it, and commit it, with\n\n\t%s\n", golden, writeThem)
	} else if err != nil {
		t.Fatal(err)
	}
	if changes := apiChanges(strings.Split(strings.TrimSpace(string(text)), "\n"), lines); changes != "" {
		t.Errorf("the exported API is not what internal/lint/%s says:\n\n%s\nIf that is meant, add a line to CHANGELOG.md and run\n\n\t%s\n",
			golden, changes, writeThem)
	}
}

func TestAPILines(t *testing.T) {
	p := planted{files: map[string]string{
		"doc.go":               "package guidon\n",
		"cmd/main.go":          "package main\n\nfunc Exported() {}\n\nfunc main() {}\n",
		"internal/in/in.go":    "package in\n\nfunc Exported() {}\n",
		"flag/flag_test.go":    "package flag\n\nfunc Exported() {}\n",
		"flag/sub/sub.go":      "package sub\n\nimport \"" + module + "/flag\"\n\nfunc Of(f flag.Switch) (ok bool, err error) { return }\n",
		"flag/testdata/x/x.go": "package x\n",
		"flag/flag.go": `package flag

import "context"

type Kind int

const (
	KindA Kind = iota + 1
	KindB
	Percent = 1000
	hidden  = 2
)

type Ref[T any] struct{ Key string; fallback T }

func (r *Ref[T]) Value(ctx context.Context, opts ...func(a, b int) error) T { return r.fallback }

type Switch struct{ Ref[bool] }

func (s Switch) On(ctx context.Context) bool { return s.Ref.fallback }

type Number interface{ ~int | ~float64 }

type Source interface {
	Load(ctx context.Context) (text []byte, err error)
	sealed()
}

type Gate func(ctx context.Context) error

var ErrX error

func JSON[T any](key string, fallback T) Ref[T] { return Ref[T]{key, fallback} }
`,
	}}
	got := apiLines(typedPackages(t, p.plant(t)))
	want := []string{
		"pkg flag, const KindA Kind = 1",
		"pkg flag, const KindB Kind = 2",
		"pkg flag, const Percent = 1000",
		"pkg flag, func JSON[T any](string, T) Ref[T]",
		"pkg flag, method (*Ref[T]) Value(context.Context, ...func(int, int) error) T",
		"pkg flag, method (*Switch) Value(context.Context, ...func(int, int) error) bool",
		"pkg flag, method (Switch) On(context.Context) bool",
		"pkg flag, type Gate func(context.Context) error",
		"pkg flag, type Kind int",
		"pkg flag, type Number interface{~int | ~float64}",
		"pkg flag, type Ref struct, Key string",
		"pkg flag, type Ref[T any] struct",
		"pkg flag, type Source interface",
		"pkg flag, type Source interface, Load(context.Context) ([]byte, error)",
		"pkg flag, type Source interface, unexported methods",
		"pkg flag, type Switch struct",
		"pkg flag, type Switch struct, embedded Ref[bool]",
		"pkg flag, var ErrX error",
		"pkg flag/sub, func Of(flag.Switch) (bool, error)",
	}
	if changes := apiChanges(want, got); changes != "" {
		t.Errorf("want -, got +:\n%s", changes)
	}
}

func TestAPIChanges(t *testing.T) {
	got := apiChanges([]string{"a", "b", "c"}, []string{"a", "c", "d"})
	if want := "- b\n+ d\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// apiLines is the golden file: every fact of every package others can import.
func apiLines(packages []typed) []string {
	var lines []string
	for _, pkg := range packages {
		if pkg.name == "main" || isInternal(pkg.path) {
			continue
		}
		for _, f := range facts(pkg) {
			lines = append(lines, f.line)
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// apiChanges writes a line for each that was removed or added.
func apiChanges(old, now []string) string {
	var changes strings.Builder
	for _, line := range old {
		if !slices.Contains(now, line) {
			fmt.Fprintf(&changes, "- %s\n", line)
		}
	}
	for _, line := range now {
		if !slices.Contains(old, line) {
			fmt.Fprintf(&changes, "+ %s\n", line)
		}
	}
	return changes.String()
}
