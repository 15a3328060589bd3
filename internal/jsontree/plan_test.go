package jsontree_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// tree is a type that holds itself in every way.
type tree struct {
	Name  string
	Left  *tree
	Below []tree
	By    map[string]tree
}

// TestUnmarshalFirstUse decodes into a type for the first time, in several
// goroutines at once.
func TestUnmarshalFirstUse(t *testing.T) {
	const text = `{"Name":"a","Left":{"Name":"b"},"Below":[{"Below":[]},{"Name":"c"}],"By":{"x":{"By":{"y":{"Name":"d"}}}}}`
	want := tree{
		Name: "a", Left: &tree{Name: "b"}, Below: []tree{{Below: []tree{}}, {Name: "c"}},
		By: map[string]tree{"x": {By: map[string]tree{"y": {Name: "d"}}}},
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			var got tree
			if err := jsontree.Unmarshal([]byte(text), &got); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	all.Wait()
}

// TestUnmarshalMapElements checks that nothing of one element is left in the next.
func TestUnmarshalMapElements(t *testing.T) {
	var got map[string]tree
	err := jsontree.Unmarshal([]byte(`{"a":{"Name":"x","Below":[{}],"By":{"k":{}}},"b":{"Left":{}},"c":{"Name":5},"d":{}}`), &got)
	if diff := cmp.Diff([]string{`c.Name (line 1, column 74): found number 5, want a string`}, lines(err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want := map[string]tree{"a": {Name: "x", Below: []tree{{}}, By: map[string]tree{"k": {}}}, "b": {Left: &tree{}}, "c": {}, "d": {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestUnmarshalAllocations holds the promise that a tree is a few blocks of nodes,
// and that what has a plan already is decoded without more than its own memory.
func TestUnmarshalAllocations(t *testing.T) {
	text := []byte(`{"Name":"a","Left":{"Name":"b"},"Below":[{"Name":"c"},{"Name":"d"},{"Name":"e"}]}`)
	var got tree
	n := testing.AllocsPerRun(100, func() {
		if err := jsontree.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
	})
	if n > 20 {
		t.Errorf("got %v allocations, want at most 20", n)
	}
}
