package jsontree

import (
	"encoding/json"
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

// Article is the kind as a sentence has it: "null", "a bool", "a number", "a
// string", "an array", "an object".
func (k Kind) Article() string {
	switch k {
	case Bool, Number, String:
		return "a " + k.String()
	case Array, Object:
		return "an " + k.String()
	}
	return k.String()
}

// Node is one value of a document. There are many of them, so it fills one cache
// line of 64 bytes: what the text can tell is asked of the text.
type Node struct {
	Items []Node // of an Array, or the members of an Object, in document order, each key once
	Key   string // of a member of an Object, decoded
	Kind  Kind
	Bool  bool // of a Bool

	escaped    bool  // a String that has an escape in it
	key        int32 // where the key begins
	start, end int32 // where the value stands
	doc        *document
}

// Get returns the value of a key, or nil if n has no such key, is not an object,
// or is nil. It searches one member after another.
func (n *Node) Get(key string) *Node {
	if n == nil || n.Kind != Object {
		return nil
	}
	for i := range n.Items {
		if n.Items[i].Key == key {
			return &n.Items[i]
		}
	}
	return nil
}

// Text returns a String decoded, and a Number as it was written.
func (n *Node) Text() string {
	switch raw := n.RawString(); {
	case n.Kind == Number:
		return raw
	case n.Kind != String:
		return ""
	case n.escaped:
		return unescape(raw[1 : len(raw)-1])
	default:
		return raw[1 : len(raw)-1]
	}
}

// Raw returns a copy of the exact text the node was read from.
func (n *Node) Raw() []byte { return []byte(n.RawString()) }

// RawString returns the exact text the node was read from, without a copy.
func (n *Node) RawString() string { return n.doc.text[n.start:n.end] }

// Source returns the whole text that the node is part of, without a copy.
func (n *Node) Source() string { return n.doc.text }

// Pos returns the place of the first byte.
func (n *Node) Pos() Pos { return n.doc.pos(n.start) }

// Offset returns where the first byte stands, from 0, without counting lines as
// Pos does.
func (n *Node) Offset() int { return int(n.start) }

// Any returns the value as plain Go: nil, bool, string, [json.Number] (so that
// no digit is lost), []any or map[string]any.
func (n *Node) Any() any {
	switch n.Kind {
	case Bool:
		return n.Bool
	case Number:
		return json.Number(n.Text())
	case String:
		return n.Text()
	case Array:
		return n.list()
	case Object:
		return n.object()
	}
	return nil
}

func (n *Node) list() []any {
	list := make([]any, len(n.Items))
	for i := range n.Items {
		list[i] = n.Items[i].Any()
	}
	return list
}

func (n *Node) object() map[string]any {
	object := make(map[string]any, len(n.Items))
	for i := range n.Items {
		object[n.Items[i].Key] = n.Items[i].Any()
	}
	return object
}

// Describe says what was found, short enough for one line.
func (n *Node) Describe() string {
	switch n.Kind {
	case Bool:
		return n.RawString()
	case Number:
		return "number " + Cut(n.Text())
	case String:
		return "string " + quote(n.Text())
	case Array:
		return "an array"
	case Object:
		return "an object"
	}
	return n.Kind.String()
}
