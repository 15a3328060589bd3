package dag_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/internal/dag"
)

// read makes a graph of "a: b c; b; c: b".
func read(text string) (*dag.Graph, []dag.Problem) {
	var names []string
	var needs [][]string
	for one := range strings.SplitSeq(text, ";") {
		name, rest, _ := strings.Cut(one, ":")
		names, needs = append(names, strings.TrimSpace(name)), append(needs, strings.Fields(rest))
	}
	return dag.New(names, func(i int) []string { return needs[i] })
}

func TestGraph(t *testing.T) {
	g, problems := read("build; smoke: build; lint; ship: smoke lint; alone")
	require.Empty(t, problems)
	require.Equal(t, 5, g.Len())
	require.Equal(t, []int{1, 2}, g.Needs(3))
	require.Equal(t, []int{1}, g.Users(0))
	require.Equal(t, 3, g.Find("ship"))
	require.Equal(t, -1, g.Find("shop"))
	require.True(t, g.Reaches(3, 0), "by way of smoke")
	require.False(t, g.Reaches(0, 3))
	require.False(t, g.Reaches(3, 3))
	require.False(t, g.Reaches(3, 4))
}

func TestProblems(t *testing.T) {
	tests := []struct {
		name, text string
		want       []dag.Problem
	}{
		{"unknown", "a: b c; b", []dag.Problem{{0, 1, `found "c", and nothing has this name`}}},
		{"twice", "a; b; a", []dag.Problem{{2, -1, `found "a", which is the name of number 0, too`}}},
		{"itself", "a: a", []dag.Problem{{0, 0, `found "a", which is its own name`}}},
		{"the same need", "a; b: a a", []dag.Problem{{1, 1, `found "a" a second time`}}},
		{"a cycle", "a: b; b: c; c: a", []dag.Problem{{0, -1, "is in a cycle: a needs b needs c needs a"}}},
		{"a cycle behind others", "a: b; b: c; c: b d; d", []dag.Problem{{1, -1, "is in a cycle: b needs c needs b"}}},
		{"a cycle that leads into another", "x: a y; y: x; a: b; b: a", []dag.Problem{
			{0, -1, "is in a cycle: x needs y needs x"},
			{2, -1, "is in a cycle: a needs b needs a"},
		}},
		{"all at once", "a: b; b: a q; c: c; c", []dag.Problem{
			{0, -1, "is in a cycle: a needs b needs a"},
			{1, 1, `found "q", and nothing has this name`},
			{2, 0, `found "c", which is its own name`},
			{3, -1, `found "c", which is the name of number 2, too`},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g, problems := read(test.text)
			require.Nil(t, g)
			if diff := cmp.Diff(test.want, problems); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestALongCycle is one whose path nobody wants to read, and that no stack bears.
func TestALongCycle(t *testing.T) {
	const n = 200_000
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint(i)
	}
	g, problems := dag.New(names, func(i int) []string { return []string{names[(i+1)%n]} })
	require.Nil(t, g)
	require.Len(t, problems, 1)
	require.Equal(t, "is in a cycle: 0 needs 1 needs 2 needs 3 needs 4 needs 5 needs 6 needs 7 needs 8 needs 9 needs ... (199980 more) needs "+
		"199990 needs 199991 needs 199992 needs 199993 needs 199994 needs 199995 needs 199996 needs 199997 needs 199998 needs 199999 needs 0", problems[0].Text)
}

// TestCyclesAreFound compares with an obvious way to tell: there is none if one after
// another can be taken away that needs nothing any more.
func TestCyclesAreFound(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	cyclic := 0
	for range 2000 {
		n := 1 + random.IntN(8)
		names, needs := make([]string, n), make([][]string, n)
		for i := range names {
			names[i] = fmt.Sprint(i)
		}
		for i := range needs {
			for j := range names {
				if i != j && random.IntN(2*n) == 0 {
					needs[i] = append(needs[i], names[j])
				}
			}
		}
		g, problems := dag.New(names, func(i int) []string { return needs[i] })
		left := map[string]bool{}
		for _, name := range names {
			left[name] = true
		}
		for changed := true; changed; {
			changed = false
			for i, name := range names {
				free := left[name]
				for _, need := range needs[i] {
					free = free && !left[need]
				}
				if free {
					delete(left, name)
					changed = true
				}
			}
		}
		require.Equal(t, len(left) == 0, g != nil, "%v", needs)
		if len(left) > 0 {
			cyclic++
		}
		for _, p := range problems {
			require.Contains(t, p.Text, "is in a cycle: "+names[p.Node]+" needs ", "%v", needs)
			require.True(t, left[names[p.Node]])
		}
	}
	require.Greater(t, cyclic, 100)
}

// BenchmarkNew takes ten times as long for ten times as many.
func BenchmarkNew(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprint("stage ", i)
		}
		needs := func(i int) []string { return names[max(i-3, 0):i] }
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				_, problems := dag.New(names, needs)
				require.Empty(b, problems)
			}
		})
	}
}
