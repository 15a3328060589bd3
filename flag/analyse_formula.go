package flag

// formula is a condition prepared for the refuter: literals below all, any and not.
type formula struct {
	op      formulaOp
	of      []formula
	literal literal
	topics  uint64 // of its literals, a bit each; two topics may share one
}

type formulaOp uint8

const (
	formulaLiteral formulaOp = iota
	formulaAll
	formulaAny
	formulaNot
)

// topic is what a literal is about. Literals on different topics never contradict each
// other.
type topic struct{ attribute, segment, flag string }

// topic numbers the topics; no name at all is the time.
func (a *analyser) topic(t topic) int {
	n, ok := a.topics[t]
	if !ok {
		n = len(a.topics)
		a.topics[t] = n
	}
	return n
}

// formula prepares a condition, and notes which segments it names.
func (a *analyser) formula(c *Condition) formula {
	switch {
	case c.All != nil:
		return combine(formulaAll, a.formulas(c.All)...)
	case c.Any != nil:
		return combine(formulaAny, a.formulas(c.Any)...)
	case c.Not != nil:
		return combine(formulaNot, a.formula(c.Not))
	case c.Missing:
		return combine(formulaNot, a.attribute(c))
	case c.Time != nil:
		return a.window(c)
	case c.Segment != "":
		a.segments[c.Segment] = true
		about := a.topic(topic{segment: c.Segment})
		return single(literal{cond: c, topic: about, scalar: true, kinds: ofString, can: anyTruth})
	case c.Flag != "":
		return a.prerequisite(c)
	}
	return a.attribute(c)
}

func (a *analyser) formulas(list []Condition) []formula {
	out := make([]formula, len(list))
	for i := range list {
		out[i] = a.formula(&list[i])
	}
	return out
}

func combine(op formulaOp, of ...formula) formula {
	f := formula{op: op, of: of}
	for i := range of {
		f.topics |= of[i].topics
	}
	return f
}

func single(c literal) formula { return formula{literal: c, topics: 1 << (c.topic % 64)} }

// window is a literal for each of its ends. The clock is never unknown.
func (a *analyser) window(c *Condition) formula {
	now := literal{cond: c, topic: a.topic(topic{}), scalar: true, kinds: ofTime, can: isTrue | isFalse}
	var ends []formula
	if !c.Time.From.IsZero() {
		now.op, now.at = literalAfter, c.Time.From
		ends = append(ends, single(now))
	}
	if !c.Time.Until.IsZero() {
		now.op, now.at = literalBefore, c.Time.Until
		ends = append(ends, single(now))
	}
	return combine(formulaAll, ends...)
}

// prerequisite is as if the variant that a flag serves were an attribute.
func (a *analyser) prerequisite(c *Condition) formula {
	names := c.Serves
	if len(names) == 0 {
		names = []string{onlyVariant(a.doc.Flags[c.Flag], true)}
	}
	about := a.topic(topic{flag: c.Flag})
	serves := literal{cond: c, op: literalOneOf, topic: about, scalar: true, kinds: ofString, total: true, can: anyTruth}
	for _, name := range names {
		serves.list(name)
	}
	return single(serves)
}

// attribute is a literal with one of the operators on an attribute.
func (a *analyser) attribute(c *Condition) formula {
	about := literal{cond: c, topic: a.topic(topic{attribute: c.Attr}), scalar: scalarAttribute(c.Attr), can: anyTruth}
	about.operator(c)
	return single(about)
}
