package jsontree_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// TestPosOfEveryNode asks for many places, from two goroutines at once, in texts
// that are longer than what is counted in one go.
func TestPosOfEveryNode(t *testing.T) {
	tests := []struct{ name, separator string }{
		{"one line", ","}, {"one a line", ",\n"}, {"empty lines", "\n,\r\n\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := "[" + strings.Repeat(`"äb😀"`+tt.separator, 999) + "1]"
			root, err := jsontree.Parse([]byte(text))
			require.NoError(t, err)
			var both sync.WaitGroup
			for range 2 {
				both.Go(func() {
					for i := range root.Items {
						got := root.Items[i].Pos()
						before := text[:got.Offset]
						line := before[strings.LastIndexByte(before, '\n')+1:]
						want := jsontree.Pos{
							Line: 1 + strings.Count(before, "\n"), Column: 1 + len([]rune(line)),
							Offset: 1 + i*len(`"äb😀"`+tt.separator),
						}
						if got != want {
							t.Errorf("item %d: got %+v, want %+v", i, got, want)
							return
						}
					}
				})
			}
			both.Wait()
		})
	}
}

func TestPosOfTheEnd(t *testing.T) {
	for _, length := range []int{1, 1023, 1024, 1025, 2048} {
		_, err := jsontree.Parse([]byte("[" + strings.Repeat(" ", length-1)))
		var problems jsontree.Problems
		require.ErrorAs(t, err, &problems)
		want := jsontree.Pos{Line: 1, Column: length + 1, Offset: length}
		if diff := cmp.Diff(want, problems[0].Pos); diff != "" {
			t.Errorf("a text of %d bytes (-want +got):\n%s", length, diff)
		}
	}
}
