package flag

import (
	"fmt"
	"strings"
	"time"

	"github.com/guidon-go/guidon/internal/fold"
)

// literal is a condition that has no parts: something about one topic.
type literal struct {
	cond   *Condition // as it was written
	op     literalOp
	topic  int
	scalar bool    // not a list of strings, for certain
	kinds  kinds   // that the operator is for
	total  bool    // never unknown for a value of these kinds
	can    truths  // what it can be for some subject
	fold   bool    // upper and lower case are equal
	values []value // of literalOneOf
	lookup map[value]bool
	bound  value     // of the four comparisons
	at     time.Time // of literalBefore and literalAfter
	text   string    // of literalPrefix and the next two; what it says, of literalOther
}

type literalOp uint8

const (
	literalOther literalOp = iota // whether it is true of a value cannot be told here
	literalExists
	literalOneOf
	literalLess
	literalLessEqual
	literalMore
	literalMoreEqual
	literalBefore
	literalAfter
	literalPrefix
	literalSuffix
	literalContains
)

// truths are what a literal may be.
type truths uint8

const (
	isTrue truths = 1 << iota
	isFalse
	isUnknown

	notTrue  = isFalse | isUnknown
	notFalse = isTrue | isUnknown
	anyTruth = isTrue | isFalse | isUnknown
)

// opposite is what a literal must be for its "not" to be one of these.
func (t truths) opposite() truths {
	return t&isUnknown | t&isTrue<<1 | t&isFalse>>1
}

// kinds are what the value of a topic may be.
type kinds uint8

const (
	ofString kinds = 1 << iota
	ofNumber
	ofBool
	ofTime

	ofAny = ofString | ofNumber | ofBool | ofTime
)

// operator reads the operator on an attribute.
func (c *literal) operator(from *Condition) {
	c.fold, c.kinds, c.total = from.Fold, ofString, true
	switch {
	case from.Exists || from.Missing:
		c.op, c.kinds, c.can = literalExists, ofAny, isTrue|isFalse
	case from.Eq != nil:
		c.list(from.Eq)
	case len(from.In) > 0:
		c.values = make([]value, 0, len(from.In))
		for _, x := range from.In {
			c.list(x)
		}
	case from.Lt != nil:
		c.compare(literalLess, from.Lt)
	case from.Le != nil:
		c.compare(literalLessEqual, from.Le)
	case from.Gt != nil:
		c.compare(literalMore, from.Gt)
	case from.Ge != nil:
		c.compare(literalMoreEqual, from.Ge)
	case from.Prefix != "":
		c.part(literalPrefix, from.Prefix)
	case from.Suffix != "":
		c.part(literalSuffix, from.Suffix)
	case from.Contains != "":
		c.part(literalContains, from.Contains)
	case !from.Before.IsZero():
		c.op, c.at, c.kinds, c.total = literalBefore, from.Before, ofString|ofTime, false
	case !from.After.IsZero():
		c.op, c.at, c.kinds, c.total = literalAfter, from.After, ofString|ofTime, false
	case from.Matches != "":
		c.text = "matches " + from.Matches
	case from.Semver != "":
		c.text, c.total = "semver "+from.Semver, false
	default:
		c.text, c.total = "cidr "+strings.Join(from.CIDR, " "), false
	}
}

// list adds a value that the topic may equal.
func (c *literal) list(x any) {
	v, _ := scalar(x)
	c.op = literalOneOf
	switch {
	case v.isNumber():
		c.kinds = ofNumber
	case v.kind == kindBool:
		c.kinds = ofBool
	case c.fold:
		v = stringValue(strings.Map(fold.Canonical, v.str))
	}
	if c.values = append(c.values, v); len(c.values) == few+1 {
		c.lookup = make(map[value]bool, cap(c.values))
		for _, earlier := range c.values {
			c.lookup[earlier] = true
		}
	} else if c.lookup != nil {
		c.lookup[v] = true
	}
}

func (c *literal) compare(op literalOp, with any) {
	c.op, c.kinds = op, ofNumber
	c.bound, _ = scalar(with)
}

func (c *literal) part(op literalOp, of string) {
	c.op, c.text = op, of
	if c.fold {
		c.text = strings.Map(fold.Canonical, of)
	}
}

// String is the literal as a person would say it.
func (c *literal) String() string {
	cond := c.cond
	switch {
	case cond.Segment != "":
		return fmt.Sprintf("segment %q", cond.Segment)
	case cond.Flag != "":
		return fmt.Sprintf("flag %q serves %s", cond.Flag, c.among())
	case cond.Time != nil && c.op == literalAfter:
		return "time from " + c.at.Format(time.RFC3339Nano)
	case cond.Time != nil:
		return "time until " + c.at.Format(time.RFC3339Nano)
	}
	name := cond.Attr
	switch c.op {
	case literalExists:
		return name + " exists"
	case literalOneOf:
		return name + " = " + c.among()
	case literalLess, literalLessEqual, literalMore, literalMoreEqual:
		sign := [...]string{"<", "<=", ">", ">="}[c.op-literalLess]
		return fmt.Sprintf("%s %s %v", name, sign, c.bound)
	case literalBefore:
		return name + " before " + c.at.Format(time.RFC3339Nano)
	case literalAfter:
		return name + " after " + c.at.Format(time.RFC3339Nano)
	case literalPrefix:
		return fmt.Sprintf("%s prefix %q", name, cond.Prefix)
	case literalSuffix:
		return fmt.Sprintf("%s suffix %q", name, cond.Suffix)
	case literalContains:
		return fmt.Sprintf("%s contains %q", name, cond.Contains)
	}
	return name + " " + c.text
}

// among lists the values as they were written, or how they begin.
func (c *literal) among() string {
	const most = 3
	var shown []string
	for i, v := range c.values[:min(len(c.values), most)] {
		switch {
		case c.fold && c.cond.Eq != nil:
			v, _ = scalar(c.cond.Eq)
		case c.fold:
			v, _ = scalar(c.cond.In[i])
		}
		shown = append(shown, v.String())
	}
	if more := len(c.values) - most; more > 0 {
		shown = append(shown, fmt.Sprintf("%d more", more))
	}
	return strings.Join(shown, " or ")
}

// String is the literal with what it must be.
func (h held) String() string {
	const longest = 100
	text := h.literal.String()
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "..."
	}
	switch {
	case h.want&isTrue != 0:
		return text
	case h.op == literalExists:
		return h.cond.Attr + " is missing"
	}
	return "not " + text
}

// folded is the string with every rune in the form that all its cases share.
func folded(s string) string { return strings.Map(fold.Canonical, s) }
