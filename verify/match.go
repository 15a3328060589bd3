package verify

import (
	"math"
	"strconv"
	"strings"

	"github.com/guidon-go/guidon/internal/jsonpath"
	"github.com/guidon-go/guidon/internal/jsontree"
)

// MaxMismatches is how many differences of one answer are kept.
const MaxMismatches = 20

// mostSteps is how many pairs of values one comparison looks at before it gives up,
// and fails: what takes a second or less. One body of 1 MiB has half a million values
// at most; only arrays in any order within arrays in any order look at each often.
const mostSteps = 1 << 26

// differences collects what does not match.
type differences struct {
	list    []Mismatch
	omitted int
	hide    *hider // nil hides nothing
}

func (d *differences) add(kind Kind, path, want, got string) {
	if !d.full() {
		d.list = append(d.list, Mismatch{
			Kind: kind, Path: d.show(path, mostPath), Want: d.show(want, mostBytes), Got: d.show(got, mostBytes),
		})
	}
}

// full counts what is left out if there is room for no more.
func (d *differences) full() bool {
	if len(d.list) < MaxMismatches {
		return false
	}
	d.omitted++
	return true
}

// expected is a compiled JSON value.
type expected struct {
	*jsontree.Node
	modes map[*jsontree.Node]ArrayMode // of its arrays; those not in it are Positional
	exact bool                         // whether keys that it does not have are unexpected
}

// match adds every difference that keeps got, which is in the tree of root, from
// being as expected.
func (x expected) match(root, got *jsontree.Node, d *differences) {
	m := matcher{expected: x, root: root, enough: math.MaxInt, out: d}
	before := *d
	m.match(x.Node, got)
	if m.steps > mostSteps {
		*d = before // what came after it gave up is not true
		d.add(KindBody, "body", "at most "+strconv.Itoa(mostSteps)+" steps to compare it", "more")
	}
}

// fits says whether match would add nothing.
func (x expected) fits(got *jsontree.Node) bool {
	m := matcher{expected: x}
	return m.fits(x.Node, got)
}

// matcher compares one body. It looks at pairs of values in three ways: it reports
// each difference to out; it measures how much differs; or it stops at the first
// difference.
type matcher struct {
	expected
	root   *jsontree.Node
	steps  int          // so far
	found  int          // how much differs so far
	enough int          // at how much it stops
	out    *differences // nil if nothing is reported

	members map[*jsontree.Node]map[string]*jsontree.Node // of long objects
	texts   map[*jsontree.Node]string                    // of strings with escapes, and endless numbers
}

// fits says whether got is as wanted.
func (m *matcher) fits(want, got *jsontree.Node) bool {
	if scalar(want) {
		m.steps++
		return want.Kind == got.Kind && m.equal(want, got) && m.steps <= mostSteps
	}
	return m.distance(want, got, 1) == 0
}

func scalar(n *jsontree.Node) bool { return n.Kind < jsontree.Array }

// distance is how many of the values in want got does not have, up to enough.
func (m *matcher) distance(want, got *jsontree.Node, enough int) int {
	found, before, out := m.found, m.enough, m.out
	m.found, m.enough, m.out = 0, enough, nil
	m.match(want, got)
	result := m.found
	m.found, m.enough, m.out = found, before, out
	return result
}

// differs counts a difference, of all there is in want, and says whether to report
// it.
func (m *matcher) differs(want *jsontree.Node) bool {
	switch {
	case m.out != nil:
		return !m.out.full()
	case m.enough == 1 || want == nil:
		m.found++
	default:
		m.found += leaves(want)
	}
	return false
}

// leaves counts the values that hold no others.
func leaves(n *jsontree.Node) int {
	sum := 0
	for i := range n.Items {
		sum += leaves(&n.Items[i])
	}
	return max(sum, 1)
}

func (m *matcher) path(n *jsontree.Node) string { return jsonpath.Where(m.root, n) }

func (m *matcher) match(want, got *jsontree.Node) {
	if m.steps++; m.steps > mostSteps {
		m.found++ // whatever is not looked at does not fit
	}
	if m.found >= m.enough || m.steps > mostSteps {
		return
	}
	switch {
	case want.Kind != got.Kind:
		if m.differs(want) {
			m.out.add(KindType, m.path(got), text(want), text(got))
		}
	case want.Kind == jsontree.Object:
		m.object(want, got)
	case want.Kind == jsontree.Array:
		m.array(want, got)
	case !m.equal(want, got):
		if m.differs(want) {
			m.out.add(KindValue, m.path(got), text(want), text(got))
		}
	}
}

func (m *matcher) object(want, got *jsontree.Node) {
	next := 0
	for i := range want.Items {
		w := &want.Items[i]
		if g := m.member(got, w.Key, &next); g != nil {
			m.match(w, g)
		} else if m.differs(w) {
			m.out.add(KindMissing, jsonpath.Member(m.path(got), w.Key), text(w), "nothing")
		}
	}
	if !m.exact || m.found >= m.enough {
		return
	}
	next = 0
	for i := range got.Items {
		g := &got.Items[i]
		if m.member(want, g.Key, &next) == nil && m.differs(nil) {
			m.out.add(KindUnexpected, m.path(g), "nothing", text(g))
		}
	}
}

// member returns the value of a key. It looks at next first, where it is if both
// sides write their keys in the same order.
func (m *matcher) member(n *jsontree.Node, key string, next *int) *jsontree.Node {
	if i := *next; i < len(n.Items) && n.Items[i].Key == key {
		*next++
		return &n.Items[i]
	}
	const few = 16
	if len(n.Items) > few {
		return m.index(n)[key]
	}
	for i := range n.Items {
		if n.Items[i].Key == key {
			*next = i + 1
			return &n.Items[i]
		}
	}
	return nil
}

func (m *matcher) index(n *jsontree.Node) map[string]*jsontree.Node {
	members := m.members[n]
	if members == nil {
		members = make(map[string]*jsontree.Node, len(n.Items))
		for i := range n.Items {
			members[n.Items[i].Key] = &n.Items[i]
		}
		if m.members == nil {
			m.members = map[*jsontree.Node]map[string]*jsontree.Node{}
		}
		m.members[n] = members
	}
	return members
}

// equal compares two values of one kind that is neither array nor object.
func (m *matcher) equal(a, b *jsontree.Node) bool {
	switch a.Kind {
	case jsontree.Bool:
		return a.Bool == b.Bool
	case jsontree.Null:
		return true
	}
	x, y := a.RawString(), b.RawString()
	if x == y {
		return true
	}
	if a.Kind == jsontree.Number {
		if whole(x) && whole(y) {
			return false
		}
		x, short := parseDecimal(x)
		if y, too := parseDecimal(y); short && too {
			return x.compare(y) == 0
		}
	}
	return m.text(a) == m.text(b)
}

// whole says whether a number is written in its one form without a point and
// without an exponent.
func whole(literal string) bool {
	for i := range len(literal) {
		if c := literal[i]; c == '.' || c|' ' == 'e' {
			return false
		}
	}
	return literal != "-0"
}

// text returns a string decoded, or a number in canonical form.
func (m *matcher) text(n *jsontree.Node) string {
	if n.Kind == jsontree.String && strings.IndexByte(n.RawString(), '\\') < 0 {
		return n.Text()
	}
	text, known := m.texts[n]
	if !known {
		if text = n.Text(); n.Kind == jsontree.Number {
			text = jsontree.CanonicalNumber(text)
		}
		if m.texts == nil {
			m.texts = map[*jsontree.Node]string{}
		}
		m.texts[n] = text
	}
	return text
}
