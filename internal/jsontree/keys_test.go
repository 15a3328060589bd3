package jsontree_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// TestDuplicatesOfMany repeats each key of objects around the size from which on
// keys are looked up in a map.
func TestDuplicatesOfMany(t *testing.T) {
	for _, size := range []int{1, 15, 16, 17, 100} {
		for again := range size {
			var b strings.Builder
			for i := range size {
				fmt.Fprintf(&b, `"k%03d":%d,`, i, i)
			}
			text := fmt.Sprintf(`{"o":{%s"k%03d":[{"k000":1}],"last":1}}`, b.String(), again)
			_, err := jsontree.Parse([]byte(text))
			want := []string{fmt.Sprintf("o.k%03d (line 1, column %d): duplicate key, the first is at line 1, column %d",
				again, strings.LastIndex(text, fmt.Sprintf(`"k%03d":[`, again))+1, strings.Index(text, fmt.Sprintf(`"k%03d"`, again))+1)}
			if diff := cmp.Diff(want, lines(err)); diff != "" {
				t.Errorf("%d keys (-want +got):\n%s", size, diff)
			}
		}
	}
}
