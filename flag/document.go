package flag

import (
	"slices"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Document is everything a team says about its flags, by key. In JSON it is
// {"flags": {"new-checkout": {...}}}.
type Document struct {
	Flags map[string]FeatureFlag `json:"flags"` // by key
}

// FeatureFlag is the definition of one flag: what it can serve, and to whom. Its
// zero value is a boolean flag that serves false.
//
// It is decided in this order: disabled, then the rules, then the ramp, then
// Serve.
type FeatureFlag struct {
	// Description is for people.
	Description string `json:"description,omitempty"`
	// Disabled serves Off to everybody, whatever stands below.
	Disabled bool `json:"disabled,omitempty"`
	// Variants are the values by name: booleans, strings, numbers, or anything
	// that JSON can say, all of one kind. Empty means {"on": true, "off": false}.
	Variants map[string]any `json:"variants,omitempty"`
	// Off names the variant for a disabled or killed flag. Empty means the false
	// one for a boolean flag, and otherwise the default that the caller declared.
	Off string `json:"off,omitempty"`
	// Salt decides who is in a ramp. Empty means the flag's key; pin it to keep
	// the same people when the flag is renamed.
	Salt string `json:"salt,omitempty"`
	// Rules are tried in order; the first that matches decides.
	Rules []Rule `json:"rules,omitempty"`
	// Ramp serves a variant to a share of everybody whom no rule decided.
	Ramp *Ramp `json:"ramp,omitempty"`
	// Serve names the variant for everybody else. Empty means the false one for a
	// boolean flag; other flags must name one.
	Serve string `json:"serve,omitempty"`
}

// Rule serves a variant to the subjects that match a condition.
type Rule struct {
	// If is the condition. A rule matches only when it is true, not when it is
	// unknown.
	If Condition `json:"if"`
	// Serve names the variant. Exactly one of Serve and Ramp is given.
	Serve string `json:"serve,omitempty"`
	// Ramp serves a variant to a share of the matching subjects, and leaves the
	// rest to what follows.
	Ramp *Ramp `json:"ramp,omitempty"`
}

// Ramp serves one variant to a share of the units.
type Ramp struct {
	// Share is how many, written as "percent" in JSON.
	Share Share `json:"percent"`
	// Serve names the variant. Empty means the true one for a boolean flag; other
	// flags must name one.
	Serve string `json:"serve,omitempty"`
	// Salt pins who is in it. Empty means the flag's salt.
	Salt string `json:"salt,omitempty"`
}

// Condition is true, false or unknown for a subject. It is exactly one of: an
// attribute compared (Attr with Eq or In), All, Any, or Not.
//
// An attribute that the subject lacks, or has with another kind than the value
// it is compared with, makes the comparison unknown; the opposite of unknown is
// unknown. Every Go number is of one kind and compared exactly; a number never
// equals a string.
type Condition struct {
	// Attr names the attribute to compare.
	Attr string `json:"attr,omitempty"`
	// Eq is the string, number or boolean that the attribute must equal.
	Eq any `json:"eq,omitempty"`
	// In lists values, all of one kind, one of which the attribute must equal.
	In []any `json:"in,omitzero"`
	// All is true when each of its conditions is; when empty, too.
	All []Condition `json:"all,omitzero"`
	// Any is true when one of its conditions is; never when empty.
	Any []Condition `json:"any,omitzero"`
	// Not is true when its condition is false.
	Not *Condition `json:"not,omitempty"`
}

// Parse reads a document from JSON, strictly: an unknown field, a duplicate key
// or a wrong kind is a problem. The error is a [Problems] with all of them. What
// the document means is checked by [Compile].
func Parse(data []byte) (Document, error) {
	doc, root, problems := parse(data)
	problems.locate(root)
	return doc, problems.err()
}

// parse also returns the tree, if there is one to place problems in.
func parse(data []byte) (doc Document, root *jsontree.Node, problems Problems) {
	root, err := jsontree.Parse(data)
	problems = asProblems(err)
	if root == nil {
		return doc, nil, problems
	}
	problems = append(problems, asProblems(root.Decode("", &doc))...)
	if root.Kind == jsontree.Object && root.Get("flags") == nil {
		problems.add("flags", "missing, want an object of flags by key")
	}
	return doc, root, problems
}

// read parses and compiles a document from JSON and places every problem in its
// text.
func read(data []byte) (*Set, *jsontree.Node, Problems) {
	doc, root, problems := parse(data)
	if root == nil {
		return nil, nil, problems
	}
	set, more := compile(doc)
	more = slices.DeleteFunc(more, problems.explains)
	problems = append(problems, more...)
	problems.locate(root)
	return set, root, problems
}
