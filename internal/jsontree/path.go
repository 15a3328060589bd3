package jsontree

import (
	"iter"
	"strconv"
	"strings"
)

// Join appends a key to a path: "flags" and "new-checkout" make
// "flags.new-checkout". A key that is not made of letters, digits, '_' and '-'
// alone is quoted as Go quotes strings: flags["a.b"]. The empty path is the
// document itself.
func Join(path, key string) string {
	switch {
	case !plain(key):
		return path + "[" + strconv.Quote(key) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

// Index appends the place in an array to a path: "rules" and 2 make "rules[2]".
func Index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// Steps returns the keys and indexes of a path that [Join] and [Index] wrote, in their
// order. The index of a key is -1.
func Steps(path string) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		rest := path
		for ok := true; ok && rest != ""; {
			var key string
			var index int
			if key, index, rest, ok = cutPath(rest, len(rest) == len(path)); !ok || !yield(key, index) {
				return
			}
		}
	}
}

// Find returns the node a path leads to from n, or nil if there is none or the
// path is not one that [Join] and [Index] write.
func (n *Node) Find(path string) *Node { return found(n.walk(path, (*Node).Get)) }

// Nearest returns the node a path leads to from n or, if there is none, its
// deepest ancestor that exists, which is n itself at worst.
func (n *Node) Nearest(path string) *Node {
	node, _ := n.walk(path, (*Node).Get)
	return node
}

func found(n *Node, rest string) *Node {
	if rest != "" {
		return nil
	}
	return n
}

// walk follows a path as far as there are nodes and returns what is left of it.
func (n *Node) walk(path string, get func(*Node, string) *Node) (*Node, string) {
	for first := true; path != ""; first = false {
		key, index, rest, ok := cutPath(path, first)
		if !ok {
			return n, path
		}
		var next *Node
		if index < 0 {
			next = get(n, key)
		} else if n.Kind == Array && index < len(n.Items) {
			next = &n.Items[index]
		}
		if next == nil {
			return n, path
		}
		n, path = next, rest
	}
	return n, ""
}

// Finder follows many paths in one tree, without searching a long object again for
// each of them.
type Finder struct {
	root *Node
	long map[*Node]map[string]*Node
}

// NewFinder returns a finder of a tree's nodes.
func NewFinder(root *Node) *Finder { return &Finder{root, map[*Node]map[string]*Node{}} }

// Find is [Node.Find] from the root. A nil Finder finds nothing.
func (f *Finder) Find(path string) *Node {
	if f == nil {
		return nil
	}
	return found(f.root.walk(path, f.get))
}

// Nearest is [Node.Nearest] from the root.
func (f *Finder) Nearest(path string) *Node {
	node, _ := f.root.walk(path, f.get)
	return node
}

func (f *Finder) get(n *Node, key string) *Node {
	if n.Kind != Object || len(n.Items) <= few {
		return n.Get(key)
	}
	index := f.long[n]
	if index == nil {
		index = make(map[string]*Node, len(n.Items))
		for i := range n.Items {
			index[n.Items[i].Key] = &n.Items[i]
		}
		f.long[n] = index
	}
	return index[key]
}

// cutPath splits the first step off a path: a key, or an index that is not
// negative.
func cutPath(path string, first bool) (key string, index int, rest string, ok bool) {
	if inner, bracket := strings.CutPrefix(path, "["); bracket {
		if quoted, err := strconv.QuotedPrefix(inner); err == nil && quoted[0] == '"' {
			key, err = strconv.Unquote(quoted)
			rest, ok = strings.CutPrefix(inner[len(quoted):], "]")
			return key, -1, rest, ok && err == nil
		}
		digits, rest, closed := strings.Cut(inner, "]")
		index, err := strconv.Atoi(digits)
		return "", index, rest, closed && err == nil && index >= 0 && strconv.Itoa(index) == digits
	}
	if !first {
		if path, ok = strings.CutPrefix(path, "."); !ok {
			return "", 0, "", false
		}
	}
	end := strings.IndexAny(path, ".[")
	if end < 0 {
		end = len(path)
	}
	return path[:end], -1, path[end:], plain(path[:end])
}

func plain(key string) bool {
	for i := range len(key) {
		c := key[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && !('0' <= c && c <= '9') && c != '_' && c != '-' {
			return false
		}
	}
	return key != ""
}

// trail is the way from the root to the value at hand. It is written out only
// when there is a problem to report.
type trail []step

type step struct {
	key   string
	index int // -1 for a key
}

func (t trail) under(base string) string {
	for _, s := range t {
		if s.index < 0 {
			base = Join(base, s.key)
		} else {
			base = Index(base, s.index)
		}
	}
	return base
}
