package yaml_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/yaml"
)

// broken has what the compiler finds, in all the ways that YAML has to write it.
const broken = `# Flags of the shop.
flags:
  # One page instead of three.
  new-checkout:
    serve: of                      # no such variant
    ramp: &five {percent: 120}
  button:
    variants: {blue: "#00f", "green": '#0f0'}
    of: blue
    split:
      parts:
        - serve: blue
          percent: 50
        - {serve: "red", percent: 60}
  limit:
    variants: {high: 500}
  "R&D":
    disabled: yes
    rules:
    - if:
        attr: country
        in: [SE, 7]
      serve: on
    -   if: {attr: age, ge: "x"}
        serve: on
  merged: {ramp: *five, serve: on}
`

// brokenAt is all that is wrong with it.
var brokenAt = []string{
	`flags.new-checkout.serve (line 5, column 12): unknown variant "of", want one of ["off" "on"]`,
	`flags.new-checkout.ramp.percent (line 6, column 27): found 120, want a percentage from 0 to 100`,
	`flags.button.of (line 9, column 5): unknown field, did you mean "off"?`,
	`flags.button.split.parts (line 11, column 7): sums to 110 %, want 100 %`,
	`flags.button.split.parts[1].serve (line 14, column 19): unknown variant "red", want one of ["blue" "green"]`,
	`flags.limit.serve (line 15, column 3): missing, want one of ["high"]`,
	`flags["R&D"].disabled (line 18, column 15): found string "yes", want true or false`,
	`flags["R&D"].rules[0].if.in[1] (line 22, column 18): found 7, want a string like the values before it`,
	`flags["R&D"].rules[1].if.ge (line 24, column 29): found "x", want a number`,
	`flags.merged.ramp.percent (line 26, column 18): found 120, want a percentage from 0 to 100`,
}

func TestPlaces(t *testing.T) {
	for _, text := range []string{broken, strings.ReplaceAll(broken, "\n", "\r\n"), "\ufeff" + broken} {
		var got []string
		for _, p := range yaml.Lint([]byte(text)) {
			got = append(got, p.String())
		}
		if diff := cmp.Diff(brokenAt, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// TestStorePlaces: what a store says is about the file, though it never sees that.
func TestStorePlaces(t *testing.T) {
	store := flag.New(yaml.From(flag.Bytes([]byte(broken))), flag.Options{})
	err := store.Load(t.Context())
	var problems flag.Problems
	require.True(t, errors.As(err, &problems))
	if diff := cmp.Diff(yaml.Lint([]byte(broken)), problems); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	require.Equal(t, err, store.Err())
	_, err = yaml.Parse([]byte(broken))
	require.ErrorContains(t, err, brokenAt[1])
}

// TestWarningPlaces: what is hardly meant has a place, too.
func TestWarningPlaces(t *testing.T) {
	problems := yaml.Lint([]byte("flags:\n  a:\n    rules:\n      - if: {any: []}\n        serve: on\n"))
	require.NotEmpty(t, problems)
	for _, p := range problems {
		require.True(t, p.Warning)
	}
	require.Equal(t, [2]int{4, 19}, [2]int{problems[0].Line, problems[0].Col}, "%s", problems)
}

// TestStoreLines: what only a store can find has its line.
func TestStoreLines(t *testing.T) {
	file := "flags:\n\n  a: {ramp: {percent: 5}}\n  b: {}\n"
	store := flag.New(yaml.From(flag.SourceFunc(func(context.Context) ([]byte, error) { return []byte(file), nil })), flag.Options{})
	require.NoError(t, store.Load(t.Context()))
	require.NoError(t, store.SetRamp("a", flag.Ramp{Share: flag.All, Serve: "on"}, flag.Change{Actor: "anna", Reason: "launch"}))
	file = "flags:\n\n  b: {}\n  a:\n    variants: {x: true}\n    serve: x\n"
	var problems flag.Problems
	require.True(t, errors.As(store.Load(t.Context()), &problems))
	require.Len(t, problems, 1)
	require.Equal(t, 4, problems[0].Line, "%s", problems)
}
