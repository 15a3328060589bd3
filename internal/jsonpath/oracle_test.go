package jsonpath_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guidon-go/guidon/internal/jsonpath"
	"github.com/guidon-go/guidon/internal/jsontree"
)

// step is a selector as the random paths below are made of, and what it selects
// from a node, by the words of the RFC.
type step struct {
	text    string
	selects func(n *jsontree.Node) []*jsontree.Node
}

func children(n *jsontree.Node) (list []*jsontree.Node) {
	for i := range n.Items {
		list = append(list, &n.Items[i])
	}
	return list
}

func elements(n *jsontree.Node) []*jsontree.Node {
	if n.Kind != jsontree.Array {
		return nil
	}
	return children(n)
}

var names = []string{"a", "b", "a b", "'", `"`, "ä"}

func randomStep(r *rand.Rand) step {
	small := func() int { return r.IntN(11) - 5 }
	switch r.IntN(4) {
	case 0:
		return step{"*", children}
	case 1:
		i := small()
		return step{strconv.Itoa(i), func(n *jsontree.Node) (list []*jsontree.Node) {
			for at, item := range elements(n) {
				if at == i || at == len(n.Items)+i {
					list = append(list, item)
				}
			}
			return list
		}}
	case 2:
		name := names[r.IntN(len(names))]
		quote := []string{`"`, "'"}[r.IntN(2)]
		text := quote + strings.ReplaceAll(name, quote, `\`+quote) + quote
		return step{text, func(n *jsontree.Node) (list []*jsontree.Node) {
			for _, member := range children(n) {
				if n.Kind == jsontree.Object && member.Key == name {
					list = append(list, member)
				}
			}
			return list
		}}
	}
	return randomSlice(r, small)
}

// randomSlice counts from start by step, and keeps what is within both the array and
// the slice.
func randomSlice(r *rand.Rand, small func() int) step {
	var start, end *int
	by := small()
	for by == 0 {
		by = small()
	}
	text := ""
	if r.IntN(2) == 0 {
		i := small()
		start, text = &i, strconv.Itoa(i)
	}
	text += ":"
	if r.IntN(2) == 0 {
		i := small()
		end, text = &i, text+strconv.Itoa(i)
	}
	text += ":" + strconv.Itoa(by)
	return step{text, func(n *jsontree.Node) (list []*jsontree.Node) {
		items := elements(n)
		at := func(i int) int {
			if i < 0 {
				return i + len(items)
			}
			return i
		}
		from, to := 0, len(items)
		if by < 0 {
			from, to = len(items)-1, -1
		}
		if start != nil {
			from = at(*start)
			if by > 0 {
				from = max(from, 0)
			} else {
				from = min(from, len(items)-1)
			}
		}
		if end != nil {
			to = at(*end)
		}
		for i := from; i >= 0 && i < len(items) && (by > 0 && i < to || by < 0 && i > to); i += by {
			list = append(list, items[i])
		}
		return list
	}}
}

func below(n *jsontree.Node) []*jsontree.Node {
	list := []*jsontree.Node{n}
	for _, child := range children(n) {
		list = append(list, below(child)...)
	}
	return list
}

func randomDocument(r *rand.Rand, depth int) string {
	parts := []string{}
	switch kind := r.IntN(5); {
	case depth == 0 || kind == 0:
		return strconv.Itoa(r.IntN(100))
	case kind < 3:
		for range r.IntN(5) {
			parts = append(parts, randomDocument(r, depth-1))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	for _, i := range r.Perm(len(names))[:r.IntN(len(names))] {
		key := strings.ReplaceAll(names[i], `"`, `\"`)
		parts = append(parts, fmt.Sprintf(`"%s" : %s`, key, randomDocument(r, depth-1)))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// TestSelectIsTheSlowObviousWay compares random paths on random documents.
func TestSelectIsTheSlowObviousWay(t *testing.T) {
	r := rand.New(rand.NewPCG(9535, 1))
	found := 0
	for range 6_000 {
		document := randomDocument(r, 4)
		root := parse(t, document)
		path, want := "$", []*jsontree.Node{root}
		for range 1 + r.IntN(3) {
			var list []step
			texts := []string{}
			for range 1 + r.IntN(2) {
				s := randomStep(r)
				list, texts = append(list, s), append(texts, s.text)
			}
			deep := r.IntN(3) == 0
			if deep {
				path += ".."
			}
			path += "[" + strings.Join(texts, " , ") + "]"
			var next []*jsontree.Node
			for _, n := range want {
				from := []*jsontree.Node{n}
				if deep {
					from = below(n)
				}
				for _, n := range from {
					for _, s := range list {
						next = append(next, s.selects(n)...)
					}
				}
			}
			want = next
		}
		p, err := jsonpath.Compile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Select(root)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%s of %s: got %d nodes, %v, want %d", path, document, len(got), err, len(want))
		}
		if len(got) > 0 {
			found++
		}
	}
	if found < 1_500 {
		t.Errorf("only %d paths led to anything", found)
	}
}

// FuzzCompile wants every path that compiles to be one, and every place to have a
// path of its own.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		`$`, `$.a`, `$..a["b",'c'][0,-1][1:2:3].*`, `$['\u00e9\ud83d\ude00']`, `$[?@.a]`, `$.a()`, `$ [ : : -1 ]`, `$..*..*`, `$[9007199254740991]`,
	} {
		f.Add(seed, books)
		f.Add(seed, nested)
	}
	f.Fuzz(func(t *testing.T, path, document string) {
		p, err := jsonpath.Compile(path)
		if err != nil {
			return
		}
		stem, _ := p.Stem()
		if again, err := jsonpath.Compile(stem.String()); err != nil || !again.Definite() {
			t.Fatalf("the stem of %q is %q: %v", path, stem, err)
		}
		root, err := jsontree.Parse([]byte(document))
		if err != nil {
			return
		}
		nodes, err := p.Select(root)
		if err != nil {
			return
		}
		if p.Definite() && len(nodes) > 1 {
			t.Fatalf("%q is definite and leads to %d values", path, len(nodes))
		}
		for _, n := range nodes[:min(len(nodes), 10)] {
			where := jsonpath.Where(root, n)
			p, err := jsonpath.Compile(where)
			if err != nil {
				if len(where) > 1000 {
					return // a path may be too long
				}
				t.Fatalf("%q: %v", where, err)
			}
			again, err := p.Select(root)
			if err != nil || len(again) != 1 || again[0] != n {
				t.Fatalf("%q leads to %s", where, cmp.Diff([]*jsontree.Node{n}, again))
			}
		}
	})
}
