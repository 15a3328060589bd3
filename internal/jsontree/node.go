package jsontree

import (
	"encoding/json"
	"fmt"
)

// Kind says which of JSON's six sorts of value a [Node] is. The zero value is
// none of them.
type Kind uint8

// The kinds of value.
const (
	Null Kind = iota + 1
	Bool
	Number
	String
	Array
	Object
)

// String names the kind in lower case: "null", "bool", "number", "string",
// "array", "object".
func (k Kind) String() string {
	names := [...]string{"invalid", "null", "bool", "number", "string", "array", "object"}
	if int(k) < len(names) {
		return names[k]
	}
	return names[0]
}

// Pos is a place in a document. The zero value is no place.
type Pos struct {
	Line   int // from 1
	Column int // from 1, counted in runes
	Offset int // from 0, counted in bytes
}

// String writes line and column: "3:14".
func (p Pos) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }

// Node is one value of a document.
type Node struct {
	Kind    Kind
	Pos     Pos      // of the first byte
	Bool    bool     // of a Bool
	Text    string   // of a String decoded, of a Number as it was written
	Items   []*Node  // of an Array
	Members []Member // of an Object, in document order, each key once

	raw string
}

// Member is one key of an object with its value.
type Member struct {
	Key   string // decoded
	Pos   Pos    // of the key's opening quote
	Value *Node
}

// Get returns the value of a key, or nil if n has no such key, is not an object,
// or is nil. It searches one member after another.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Members {
		if n.Members[i].Key == key {
			return n.Members[i].Value
		}
	}
	return nil
}

// Raw returns a copy of the exact text the node was read from.
func (n *Node) Raw() []byte { return []byte(n.raw) }

// Any returns the value as plain Go: nil, bool, string, [json.Number] (so that
// no digit is lost), []any or map[string]any.
func (n *Node) Any() any {
	switch n.Kind {
	case Bool:
		return n.Bool
	case Number:
		return json.Number(n.Text)
	case String:
		return n.Text
	case Array:
		list := make([]any, len(n.Items))
		for i, item := range n.Items {
			list[i] = item.Any()
		}
		return list
	case Object:
		object := make(map[string]any, len(n.Members))
		for _, m := range n.Members {
			object[m.Key] = m.Value.Any()
		}
		return object
	}
	return nil
}

// describe says what was found, short enough for one line.
func (n *Node) describe() string {
	switch n.Kind {
	case Bool:
		return n.raw
	case Number:
		return "number " + cut(n.Text)
	case String:
		return "string " + quote(n.Text)
	case Array:
		return "an array"
	case Object:
		return "an object"
	}
	return n.Kind.String()
}
