package flag

import "time"

// Document is everything a team says about its flags. In JSON it is
// {"flags": {"new-checkout": {...}}, "segments": {...}, "layers": {...}}; the
// page DOCUMENTS.md beside this file describes it, and schema.json is for editors.
// Beside those three, keys that begin with x- are not read.
// The tags "want" are for reading it strictly: what a field must be that may not be
// left out, or may not be written without saying anything.
type Document struct {
	Schema   string                 `json:"$schema,omitempty"`                      // where an editor finds the schema; not read here
	Flags    map[string]FeatureFlag `json:"flags" want:"an object of flags by key"` // by key
	Segments map[string]Segment     `json:"segments,omitempty"`                     // by name
	Layers   map[string]Layer       `json:"layers,omitempty"`                       // by name
}

// FeatureFlag is the definition of one flag: what it can serve, and to whom. Its
// zero value is a boolean flag that serves false.
//
// It is decided in this order: disabled, When, Targets, the rules, then the ramp
// or split, then Serve.
type FeatureFlag struct {
	// Description is for people.
	Description string `json:"description,omitempty"`
	// Disabled serves Off to everybody, whatever stands below.
	Disabled bool `json:"disabled,omitempty"`
	// Variants are the values by name: booleans, strings, numbers, or anything
	// that JSON can say, all of one kind. Empty means {"on": true, "off": false}.
	Variants map[string]any `json:"variants,omitempty"`
	// Off names the variant for a flag that is disabled, killed, or whose When is
	// not met. Empty means the false one for a boolean flag, and otherwise the
	// default that the caller declared.
	Off string `json:"off,omitempty"`
	// Salt decides who is in a ramp and where a split puts them. Empty means the
	// flag's key; pin it to keep the same people when the flag is renamed, or to
	// share them with another flag.
	Salt string `json:"salt,omitempty"`
	// When must be true, or Off is served: the place for prerequisites and time
	// windows. Nil is true.
	When *Condition `json:"when,omitempty" want:"an object"`
	// Targets are the keys of individual subjects, by the variant they get before
	// any rule is tried.
	Targets map[string][]string `json:"targets,omitempty"`
	// Rules are tried in order; the first that matches decides.
	Rules []Rule `json:"rules,omitempty"`
	// Ramp serves a variant to a share of everybody whom no rule decided.
	Ramp *Ramp `json:"ramp,omitempty" want:"an object"`
	// Split divides everybody whom no rule decided; at most one of Ramp and Split
	// is given.
	Split *Split `json:"split,omitempty" want:"an object"`
	// Serve names the variant for everybody else. Empty means the false one for a
	// boolean flag, and for a Split the caller's default; other flags must name one.
	Serve string `json:"serve,omitempty"`
}

// Rule serves a variant to the subjects that match a condition. Exactly one of
// Serve, Ramp and Split is given.
type Rule struct {
	// If is the condition. A rule matches only when it is true, not when it is
	// unknown.
	If Condition `json:"if"`
	// Serve names the variant.
	Serve string `json:"serve,omitempty" want:"the name of a variant"`
	// Ramp serves a variant to a share of the matching subjects, and leaves the
	// rest to what follows.
	Ramp *Ramp `json:"ramp,omitempty" want:"an object"`
	// Split divides the matching subjects. Those without a unit are left to what
	// follows.
	Split *Split `json:"split,omitempty" want:"an object"`
}

// Ramp serves one variant to a share of the units.
type Ramp struct {
	// Share is how many, written as "percent" in JSON. With a Schedule, it is how
	// many before the first point.
	Share Share `json:"percent" want:"a number from 0 to 100"`
	// Serve names the variant. Empty means the true one for a boolean flag; other
	// flags must name one.
	Serve string `json:"serve,omitempty"`
	// Salt pins who is in it. Empty means the flag's salt.
	Salt string `json:"salt,omitempty"`
	// By names the attribute that is the unit: a string or an integer. Empty means
	// the subject's key.
	By string `json:"by,omitempty"`
	// Schedule changes the share with the clock, in ascending order of time.
	Schedule []Point `json:"schedule,omitempty"`
	// Linear goes from point to point in a straight line instead of in steps.
	Linear bool `json:"linear,omitempty"`
}

// Point is a share from a moment on.
type Point struct {
	At    time.Time `json:"at"`                                    // from when, RFC 3339 in JSON
	Share Share     `json:"percent" want:"a number from 0 to 100"` // how many
}

// Split divides the units among several variants. Its parts give either
// percentages, which are laid out in their order and sum to 100, or slot ranges,
// which cover 0 to 100 without a gap or an overlap. To change a live split without
// moving more units than need be, use [Rebalance].
type Split struct {
	// By names the attribute that is the unit: a string or an integer. Empty means
	// the subject's key.
	By string `json:"by,omitempty"`
	// Salt pins who is where. Empty means the flag's salt.
	Salt string `json:"salt,omitempty"`
	// Parts are the variants with what each gets.
	Parts []Part `json:"parts"`
}

// Part is one variant's part of a [Split].
type Part struct {
	// Serve names the variant; each is named once.
	Serve string `json:"serve"`
	// Share is how much it gets, if the split is by percentages.
	Share Share `json:"percent,omitempty" want:"none beside ranges" if:"ranges"`
	// Ranges are the slots it gets, if the split is by ranges.
	Ranges []Range `json:"ranges,omitempty"`
}

// Range is the slots from From up to, not including, To. In JSON both are
// percentages: {"from": 0, "to": 33.333}.
type Range struct {
	From Share `json:"from" want:"a number from 0 to 100"` // the first slot in it
	To   Share `json:"to" want:"a number from 0 to 100"`   // the first slot behind it
}

// Segment is a set of subjects that many conditions can name.
type Segment struct {
	// Description is for people.
	Description string `json:"description,omitempty"`
	// By names the attribute that Keys and Except list: a string or an integer.
	// Empty means the subject's key.
	By string `json:"by,omitempty"`
	// Keys are in it.
	Keys []string `json:"keys,omitempty"`
	// Except are not in it, unless Keys has them.
	Except []string `json:"except,omitempty"`
	// If says who else is in it. Nil is nobody.
	If *Condition `json:"if,omitempty" want:"an object"`
}

// Layer keeps flags apart: a unit is in the ranges of at most one of its flags, so
// that no two of them reach the same unit by a ramp or a split. Everything else a
// flag serves (targets, rules without a ramp or split) is not its business.
type Layer struct {
	// Description is for people.
	Description string `json:"description,omitempty"`
	// By names the attribute that is the unit: a string or an integer. Empty means
	// the subject's key.
	By string `json:"by,omitempty"`
	// Salt pins who is where. Empty means the layer's name.
	Salt string `json:"salt,omitempty"`
	// Holdout is the share that none of the flags reaches.
	Holdout Share `json:"holdout,omitempty"`
	// Flags are the ranges by flag. A flag is in one layer at most.
	Flags map[string][]Range `json:"flags" want:"an object of ranges by flag"`
}

// Condition is true, false or unknown for a subject. It is exactly one of: an
// attribute (Attr) with one operator, Segment, Flag, Time, All, Any, or Not.
//
// An attribute that the subject lacks, or has with another kind than the operator
// is for, makes the condition unknown; the opposite of unknown is unknown. Every
// Go number is of one kind and compared exactly; a number never equals a string.
// An operator is true of a list when it is true of any element.
type Condition struct {
	// Attr names the attribute that one of the operators below, up to Missing, is
	// about.
	Attr string `json:"attr,omitempty" want:"the name of an attribute"`
	// Eq is the string, number or boolean that the attribute must equal.
	Eq any `json:"eq,omitempty" want:"a string, number or boolean"`
	// In lists values, all of one kind, one of which the attribute must equal.
	In []any `json:"in,omitzero"`
	// Lt, Le, Gt and Ge are numbers: less, less or equal, greater, greater or equal.
	Lt any `json:"lt,omitempty" want:"a number"`
	Le any `json:"le,omitempty" want:"a number"` // see Lt
	Gt any `json:"gt,omitempty" want:"a number"` // see Lt
	Ge any `json:"ge,omitempty" want:"a number"` // see Lt
	// Prefix, Suffix and Contains are what a string begins with, ends with, or has
	// somewhere in it.
	Prefix   string `json:"prefix,omitempty" want:"a string that is not empty"`
	Suffix   string `json:"suffix,omitempty" want:"a string that is not empty"`   // see Prefix
	Contains string `json:"contains,omitempty" want:"a string that is not empty"` // see Prefix
	// Fold makes Eq, In, Prefix, Suffix and Contains ignore case (Unicode simple
	// folding).
	Fold bool `json:"fold,omitempty" want:"it beside eq, in, prefix, suffix or contains only" unless:"eq in prefix suffix contains"`
	// Matches is a regular expression (RE2 syntax) of at most 1,000 bytes, and 1,000
	// instructions when compiled, that must match some part of a string.
	Matches string `json:"matches,omitempty" want:"a string that is not empty"`
	// Semver is what a semantic version must satisfy: comparisons (=, <, <=, >, >=,
	// ^, ~) with versions, separated by spaces, all of which must hold.
	Semver string `json:"semver,omitempty" want:"a string that is not empty"`
	// Before and After compare a time, or a string in RFC 3339, with a moment. After
	// includes the moment, Before does not.
	Before time.Time `json:"before,omitzero" want:"a time from 1678 to 2262"`
	After  time.Time `json:"after,omitzero" want:"a time from 1678 to 2262"` // see Before
	// CIDR lists IP networks, one of which must contain an address given as a string.
	CIDR []string `json:"cidr,omitzero"`
	// Exists is true when the subject has the attribute. It is never unknown.
	Exists bool `json:"exists,omitempty" want:"true"`
	// Missing is true when the subject lacks the attribute. It is never unknown.
	Missing bool `json:"missing,omitempty" want:"true"`

	// Segment names a segment that the subject must be in.
	Segment string `json:"segment,omitempty" want:"the name of a segment"`
	// Flag names another flag, which must serve one of Serves: a prerequisite. It is
	// unknown when that flag leaves it to its caller's default.
	Flag string `json:"flag,omitempty" want:"the key of a flag"`
	// Serves are variants of Flag. Left out, they are the true one of a boolean flag.
	Serves []string `json:"serves,omitempty"`
	// Time is a window that must be open.
	Time *Window `json:"time,omitempty" want:"an object"`

	// All is true when each of its conditions is; when empty, too.
	All []Condition `json:"all,omitzero"`
	// Any is true when one of its conditions is; never when empty.
	Any []Condition `json:"any,omitzero"`
	// Not is true when its condition is false.
	Not *Condition `json:"not,omitempty" want:"an object"`
}

// Window is the time from From up to, not including, Until. At least one is given.
type Window struct {
	From  time.Time `json:"from,omitzero" want:"a time from 1678 to 2262"`  // zero is always
	Until time.Time `json:"until,omitzero" want:"a time from 1678 to 2262"` // zero is never
}
