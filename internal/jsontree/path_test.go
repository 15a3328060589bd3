package jsontree_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/internal/jsontree"
)

func TestJoinAndIndex(t *testing.T) {
	tests := []struct{ got, want string }{
		{jsontree.Join("", "k"), "k"},
		{jsontree.Join("flags", "new-checkout"), "flags.new-checkout"},
		{jsontree.Join("flags", "A_0"), "flags.A_0"},
		{jsontree.Join("flags", "a.b"), `flags["a.b"]`},
		{jsontree.Join("", "a b"), `["a b"]`},
		{jsontree.Join("x", ""), `x[""]`},
		{jsontree.Join("x", `"]`), `x["\"]"]`},
		{jsontree.Join("x", "ä"), `x["ä"]`},
		{jsontree.Index("path", 2), "path[2]"},
		{jsontree.Index("", 0), "[0]"},
		{jsontree.Join(jsontree.Index("rules", 2), "ramp"), "rules[2].ramp"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
}

func TestFind(t *testing.T) {
	root, err := jsontree.Parse([]byte(`{"a":{"b.c":[10,{"0":"x"}],"":5},"ä":[[7]]}`))
	require.NoError(t, err)
	tests := []struct {
		path, raw string
		nearest   string // the path Nearest gets to, if not path itself
	}{
		{"a", `{"b.c":[10,{"0":"x"}],"":5}`, ""},
		{`a["b.c"][0]`, "10", ""},
		{`a["b.c"][1].0`, `"x"`, ""},
		{`a[""]`, "5", ""},
		{`["ä"][0][0]`, "7", ""},
		{`a.nope.deeper`, "", "a"},
		{`a["b.c"][2]`, "", `a["b.c"]`},
		{`a["b.c"][0].x`, "", `a["b.c"][0]`},
		{`a["b.c"].x`, "", `a["b.c"]`},
		{`a[0]`, "", "a"},
		{`a.`, "", "a"}, {`.a`, "", ""}, {`a[`, "", "a"}, {`a["b.c"`, "", "a"}, {`a["b.c"][-1]`, "", `a["b.c"]`},
		{`a["b.c"][00]`, "", `a["b.c"]`}, {"a[`b.c`]", "", "a"}, {`ab`, "", ""}, {`a b`, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			found := root.Find(tt.path)
			if tt.raw == "" {
				require.Nil(t, found)
				want := root.Find(tt.nearest)
				require.NotNil(t, want)
				if got := root.Nearest(tt.path); got != want {
					t.Errorf("Nearest: got %s, want %s", got.Raw(), want.Raw())
				}
				return
			}
			require.NotNil(t, found)
			if got := string(found.Raw()); got != tt.raw {
				t.Errorf("got %s, want %s", got, tt.raw)
			}
		})
	}
}

// TestFinder: it finds what the nodes do, in long objects and in short ones.
func TestFinder(t *testing.T) {
	var text strings.Builder
	text.WriteString(`{"short":{"a":[1,{"b":2}]},"long":{"last":[3]`)
	for i := range 100 {
		fmt.Fprintf(&text, `,"k%d":{"i":%d}`, i, i)
	}
	text.WriteString("}}")
	root, err := jsontree.Parse([]byte(text.String()))
	require.NoError(t, err)
	finder := jsontree.NewFinder(root)
	for _, path := range []string{"", "short.a[1].b", "short.a[2]", "long.k99.i", "long.k7", "long.last[0]", "long.none.i", "none", "long["} {
		require.Same(t, root.Nearest(path), finder.Nearest(path), path)
		require.Equal(t, root.Find(path), finder.Find(path), path)
	}
	require.Nil(t, (*jsontree.Finder)(nil).Find("a"))
}

func TestGetOfNothing(t *testing.T) {
	root, err := jsontree.Parse([]byte(`[1]`))
	require.NoError(t, err)
	if got := root.Get("a").Get("b"); got != nil {
		t.Errorf("got %s, want nil", got.Raw())
	}
}

func FuzzFind(f *testing.F) {
	root, err := jsontree.Parse([]byte(`{"a":{"b.c":[10,{"0":"x"}],"":5},"ä":[[7]]}`))
	require.NoError(f, err)
	for _, seed := range []string{`a["b.c"][1].0`, `["ä"][0]`, `a[`, `[99999999999999999999]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if root.Nearest(path) == nil {
			t.Errorf("Nearest(%q) is nil", path)
		}
		if found := root.Find(path); found != nil && found != root.Nearest(path) {
			t.Errorf("Find(%q) and Nearest disagree", path)
		}
	})
}

func TestSteps(t *testing.T) {
	for path, want := range map[string][]string{
		"":                     nil,
		"tests[12].header":     {"tests -1", " 12", "header -1"},
		`["a.b"].c["d\"]"][0]`: {"a.b -1", "c -1", `d"] -1`, " 0"},
		"a..b":                 {"a -1"},
		"a[-1]":                {"a -1"},
	} {
		var got []string
		for key, index := range jsontree.Steps(path) {
			got = append(got, fmt.Sprint(key, " ", index))
		}
		require.Equal(t, want, got, path)
	}
	for range jsontree.Steps("a.b") {
		break
	}
}
