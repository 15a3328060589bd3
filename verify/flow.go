package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Stage is the part of a suite that a test belongs to.
type Stage uint8

// The stages, and the fields of [Suite] that list their tests.
const (
	StageTests   Stage = iota // Tests: the zero value
	StageSetup                // Setup
	StageCleanup              // Cleanup
)

// String is the name of the field: "Tests", "Setup" or "Cleanup".
func (s Stage) String() string {
	if names := []string{"Tests", "Setup", "Cleanup"}; int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("Stage(%d)", uint8(s))
}

// MarshalText is String in lower case: "tests", "setup" or "cleanup".
func (s Stage) MarshalText() ([]byte, error) {
	if s > StageCleanup {
		return nil, fmt.Errorf("%v is no stage of a suite", s)
	}
	return []byte(strings.ToLower(s.String())), nil
}

// UnmarshalText reads what MarshalText wrote.
func (s *Stage) UnmarshalText(text []byte) error {
	for stage := StageTests; stage <= StageCleanup; stage++ {
		if strings.ToLower(stage.String()) == string(text) {
			*s = stage
			return nil
		}
	}
	return fmt.Errorf("stage %q, want tests, setup or cleanup", text)
}

// turn is when a stage has its turn: tests may need what runs earlier.
func (s Stage) turn() int { return []int{1, 0, 2}[s] }

// order links each test to those it needs.
func (c *compiler) order(tests []test, secrets map[string]Secret) {
	o := orderer{compiler: c, tests: tests, secret: secrets, named: map[string][]int{}, source: map[string]int{}}
	for i := range tests {
		name := tests[i].Name
		if first := o.named[name]; len(first) > 0 && tests[i].named && tests[first[0]].named {
			c.add(jsontree.Join(tests[i].path, "Name"), "%q is the name of %s already", name, c.place(tests[first[0]].path))
		}
		o.named[name] = append(o.named[name], i)
	}
	for i := range tests {
		for _, name := range sortedKeys(tests[i].Capture) {
			at := jsontree.Join(jsontree.Join(tests[i].path, "Capture"), name)
			if _, secret := secrets[name]; secret {
				c.add(at, "it is the name of a secret already")
			}
			if first, again := o.source[name]; again {
				c.add(at, "%s captures it already", c.place(tests[first].path))
			} else {
				o.source[name] = i
			}
		}
	}
	for i := range tests {
		o.needs(i)
		o.uses(i)
	}
	o.cycles()
}

type orderer struct {
	*compiler
	tests  []test
	secret map[string]Secret
	named  map[string][]int // tests by name
	source map[string]int   // the test that captures a name
	hints  int              // how many names were looked for among the known ones
}

// closest is the known name that was most likely meant. A suite that has nothing but
// unknown ones gets hints for the first: each looks at all that are known.
func (o *orderer) closest(name string, known func() []string) string {
	const most = 50
	if o.hints++; o.hints > most {
		return ""
	}
	return jsontree.Closest(name, known())
}

// needs looks up what a test says that it needs.
func (o *orderer) needs(i int) {
	t := &o.tests[i]
	for j, name := range t.Needs {
		at := jsontree.Index(jsontree.Join(t.path, "Needs"), j)
		found := o.named[name]
		switch {
		case len(found) == 0 && o.lostNames:
		case len(found) == 0:
			hint := ""
			if close := o.closest(name, func() []string { return sortedKeys(o.named) }); close != "" {
				hint = fmt.Sprintf(", did you mean %q?", close)
			}
			o.add(at, "no test has the name %q%s", name, hint)
		case len(found) > 1:
			o.add(at, "%d tests have the name %q", len(found), name)
		case slices.Contains(t.needs, found[0]):
			o.add(at, "%q is listed twice", name)
		case o.tests[found[0]].stage.turn() > t.stage.turn():
			o.add(at, "%q is run later, in %s", name, o.name(o.tests[found[0]].stage.String()))
		default:
			t.needs = append(t.needs, found[0])
		}
	}
}

// uses looks up who captures what a test refers to, and makes the test need it. A
// cleanup needs only the value: it is there to undo what was done, even by a test
// that failed.
func (o *orderer) uses(i int) {
	t := &o.tests[i]
	for _, name := range t.fill.names {
		from, ok := o.source[name]
		_, secret := o.secret[name]
		switch {
		case secret, !ok && o.lostCaptures:
		case !ok:
			hint := ""
			known := func() []string { return append(sortedKeys(o.source), sortedKeys(o.secret)...) }
			if close := o.closest(name, known); close != "" {
				hint = fmt.Sprintf(", did you mean ${%s}?", close)
			}
			o.add(t.path, "nothing captures ${%s}%s", name, hint)
		case o.tests[from].stage.turn() > t.stage.turn():
			o.add(t.path, "${%s} is captured later, in %s", name, o.name(o.tests[from].stage.String()))
		case t.stage == StageCleanup:
			t.after = append(t.after, from)
		case !slices.Contains(t.needs, from):
			t.needs = append(t.needs, from)
		}
	}
}

// cycles reports each test that needs itself, with the way back to it, once for
// all tests on that way.
func (o *orderer) cycles() {
	const unseen, done = 0, -1
	at := make([]int, len(o.tests)) // or a place on the way, from 1
	var way []int
	var visit func(i int)
	visit = func(i int) {
		if at[i] == done {
			return
		}
		if at[i] != unseen {
			o.add(o.tests[i].path, "a cycle: %s", o.circle(way[at[i]-1:]))
			return
		}
		way = append(way, i)
		at[i] = len(way)
		for _, need := range slices.Concat(o.tests[i].needs, o.tests[i].after) {
			visit(need)
		}
		way = way[:len(way)-1]
		at[i] = done
	}
	for i := range o.tests {
		visit(i)
	}
}

// circle is `"a" needs "b" needs "a"`. Of a long one it has the beginning, because
// there may be as many as there are tests.
func (o *orderer) circle(tests []int) string {
	const most = 10
	var b strings.Builder
	for _, i := range tests[:min(len(tests), most)] {
		fmt.Fprintf(&b, "%q needs ", o.tests[i].Name)
	}
	if more := len(tests) - most; more > 0 {
		fmt.Fprintf(&b, "%d more, of which the last needs ", more)
	}
	fmt.Fprintf(&b, "%q", o.tests[tests[0]].Name)
	return b.String()
}
