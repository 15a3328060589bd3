package lint_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// check is one house rule: what is wrong in a checkout, a line each.
type check func(t *testing.T, r repo) []string

// holds runs a rule on this checkout.
func holds(t *testing.T, c check) {
	t.Helper()
	r, err := here()
	if err != nil {
		t.Fatalf("reading this checkout: %v", err)
	}
	for _, problem := range c(t, r) {
		t.Error(problem)
	}
}

// planted is a small checkout made to break a rule, or just not to.
type planted struct {
	name  string
	files map[string]string // path -> text; a go.mod is added when there is none
	want  []string          // the problems, in order; none for a checkout in order
}

// catches runs a rule on planted checkouts.
func catches(t *testing.T, c check, cases []planted) {
	t.Helper()
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(c(t, tt.plant(t)), "\n")
			want := strings.Join(tt.want, "\n")
			if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func (p planted) plant(t *testing.T) repo {
	t.Helper()
	root := t.TempDir()
	write := func(name, text string) {
		name = filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module "+module+"\n\ngo 1.26\n")
	for name, text := range p.files {
		write(name, text)
	}
	r, err := open(root)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
