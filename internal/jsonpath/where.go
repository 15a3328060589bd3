package jsonpath

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"unicode"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Where returns the path of a node of root's tree: "$.items[2].price". It is a
// JSONPath that [Compile] takes and that leads to this node alone.
func Where(root, n *jsontree.Node) string {
	path := "$"
	for root != n {
		// the child that n stands in is the last that does not begin behind it
		i := sort.Search(len(root.Items), func(i int) bool { return root.Items[i].Offset() > n.Offset() }) - 1
		if i < 0 {
			return path // n is not of this tree
		}
		array := root.Kind == jsontree.Array
		if root = &root.Items[i]; array {
			path = Item(path, i)
		} else {
			path = Member(path, root.Key)
		}
	}
	return path
}

// Item appends an index to a path.
func Item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// Member appends a name to a path: $.price or, if it is not made of ASCII letters,
// digits and '_' alone, quoted: $["a.b"].
func Member(path, name string) string {
	if shorthand(name) {
		return path + "." + name
	}
	var b strings.Builder
	b.WriteString(path)
	b.WriteString(`["`)
	for _, r := range name {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff: // a surrogate pair
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteString(`"]`)
	return b.String()
}

func shorthand(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
