package flag

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/internal/jsontree"
)

// clause makes a clause of a condition that was compiled before.
func (b *accountant) clause(c *Condition, at string, not bool) *clause {
	b.out.size++
	out := &clause{step: Step{At: at, Not: not}, attr: -1}
	several := func(what, asks string, list []Condition) {
		out.step.What, out.step.Asks = what, asks
		at = jsontree.Join(at, what)
		for i := range list {
			out.of = append(out.of, *b.clause(&list[i], jsontree.Index(at, i), not))
		}
	}
	operators := c.operators()
	switch {
	case c.Attr != "" && len(operators) == 1:
		out.step.What, out.step.Asks, out.step.Want = "attr", c.asks(operators[0]), c.wants(operators[0])
		n := b.operators(*c, operators, at)
		if out.flip = n.join == joinNot; out.flip { // missing
			n = n.of[0]
		}
		out.in, out.attr = n.leaf, b.attr(c.Attr)
	case c.Segment != "":
		out.step.What, out.step.Asks = "segment", fmt.Sprintf("segment %q", c.Segment)
		out.in, out.segment, out.other = instr{op: opSegment}, b.uses[c.Segment].segmentState, c.Segment
	case c.Flag != "":
		out.in, out.other = instr{op: opServes, num: b.serves}, c.Flag
		if b.serves++; b.out.compiled.more != nil && out.in.num < uint64(len(b.out.compiled.more.serves)) {
			want := oneOfNames(b.out.compiled.more.serves[out.in.num].serves)
			out.step.What, out.step.Asks, out.step.Want = "flag", fmt.Sprintf("flag %q serves %s", c.Flag, want), want
		}
	case c.Time != nil:
		out.step.What, out.step.Want = "time", c.Time.String()
		out.step.Asks = "time " + out.step.Want
		out.in = b.window(*c.Time, at).leaf
	case c.All != nil:
		out.join = joinAll
		several("all", fmt.Sprintf("all of %d", len(c.All)), c.All)
	case c.Any != nil:
		out.join = joinAny
		several("any", fmt.Sprintf("any of %d", len(c.Any)), c.Any)
	case c.Not != nil:
		out.join, out.step.What, out.step.Asks = joinNot, "not", "not"
		out.of = []clause{*b.clause(c.Not, jsontree.Join(at, "not"), !not)}
	}
	return out
}

// asks is the condition in a few words.
func (c *Condition) asks(operator string) string {
	name, folded := plainName(c.Attr), ""
	if c.Fold {
		folded = ", in any case"
	}
	switch operator {
	case "eq":
		return name + " = " + spellValue(c.Eq) + folded
	case "in":
		return name + " in " + spellValues(c.In) + folded
	case "lt":
		return name + " < " + spellValue(c.Lt)
	case "le":
		return name + " <= " + spellValue(c.Le)
	case "gt":
		return name + " > " + spellValue(c.Gt)
	case "ge":
		return name + " >= " + spellValue(c.Ge)
	case "prefix":
		return name + " begins with " + spellValue(c.Prefix) + folded
	case "suffix":
		return name + " ends with " + spellValue(c.Suffix) + folded
	case "contains":
		return name + " has " + spellValue(c.Contains) + " in it" + folded
	case "matches":
		return name + " matches " + spellValue(c.Matches)
	case "semver":
		return name + " satisfies " + spellValue(c.Semver)
	case "before":
		return name + " before " + stamp(c.Before)
	case "after":
		return name + " from " + stamp(c.After) + " on"
	case "cidr":
		return name + " in " + shorten(spellNames(c.CIDR))
	}
	return name + " " + operator
}

const wantAny, wantMissing = "any value", "it missing" // opposites

// wants is what the attribute must be.
func (c *Condition) wants(operator string) string {
	folded := ""
	if c.Fold {
		folded = " in any case"
	}
	switch operator {
	case "eq":
		return spellValue(c.Eq) + folded
	case "in":
		return "one of " + spellValues(c.In) + folded
	case "lt":
		return "a number below " + spellValue(c.Lt)
	case "le":
		return "a number of at most " + spellValue(c.Le)
	case "gt":
		return "a number above " + spellValue(c.Gt)
	case "ge":
		return "a number of at least " + spellValue(c.Ge)
	case "prefix":
		return "a string that begins with " + spellValue(c.Prefix) + folded
	case "suffix":
		return "a string that ends with " + spellValue(c.Suffix) + folded
	case "contains":
		return "a string that has " + spellValue(c.Contains) + " in it" + folded
	case "matches":
		return "a string that matches " + spellValue(c.Matches)
	case "semver":
		return "a version that satisfies " + spellValue(c.Semver)
	case "before":
		return "a time before " + stamp(c.Before)
	case "after":
		return "a time from " + stamp(c.After) + " on"
	case "cidr":
		return "an address in " + shorten(spellNames(c.CIDR))
	case "missing":
		return wantMissing
	}
	return wantAny
}

// String is "from ... until ...".
func (w Window) String() string {
	var parts []string
	if !w.From.IsZero() {
		parts = append(parts, "from "+stamp(w.From))
	}
	if !w.Until.IsZero() {
		parts = append(parts, "until "+stamp(w.Until))
	}
	return strings.Join(parts, " ")
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// spellValue writes a value as a document does.
func spellValue(x any) string {
	v, err := scalar(x)
	if err != nil {
		return "?"
	}
	return shorten(v.String())
}

func spellValues(list []any) string {
	const most = 20
	words := make([]string, 0, most+1)
	for i, x := range list {
		if i == most {
			words = append(words, fmt.Sprintf("and %d more", len(list)-most))
			break
		}
		words = append(words, spellValue(x))
	}
	return shorten("[" + strings.Join(words, " ") + "]")
}

// oneOfNames is one name, or one of several.
func oneOfNames(names []string) string {
	if len(names) == 1 {
		return strconv.Quote(names[0])
	}
	return "one of " + shorten(spellNames(names))
}

// plainName is a name as it is, if that cannot be misread.
func plainName(name string) string {
	odd := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_./:", r))
	}
	if name == "" || strings.ContainsFunc(name, odd) {
		return strconv.Quote(name)
	}
	return name
}

// many is "1 key" or "2 keys".
func many(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return thousands(n) + " " + of + "s"
}

// thousands is "61,234".
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// drawing makes an account of a ramp or a split that stands at a path.
func (b *accountant) drawing(d *draw, at string, names []string, layer string) *drawAccount {
	out := &drawAccount{draw: d, names: names, attr: -1, layerAttr: -1}
	by := ""
	if d.by != 0 {
		name := attributeName(d.by)
		out.attr, by = b.attr(name), " by "+plainName(name)
	}
	what := "ramp"
	switch {
	case d.cuts != nil:
		what = "split"
		from, words := Share(0), make([]string, len(d.cuts))
		for i, c := range d.cuts {
			to := shareOf(c.limit)
			out.ranges = append(out.ranges, Range{from, to})
			words[i], from = fmt.Sprintf("%v to %v %q", from, to, names[max(c.serve, 0)]), to
		}
		out.step.Asks = shorten("split" + by + ": " + strings.Join(words, ", "))
	case d.schedule != nil:
		out.step.Asks = "ramp on schedule" + by
	default:
		out.step.Asks = "ramp " + d.share.String() + by
	}
	if d.laid {
		out.step.Asks += ", set at run time"
	}
	out.step.What, out.step.At = what, jsontree.Join(at, what)
	const unit = "a string or a whole number as the unit"
	out.step.Want = unit
	if p := d.layer; p != nil {
		b.out.size += 2
		section := jsontree.Join("layers", layer)
		words := make([]string, len(p.ranges))
		for i, r := range p.ranges {
			words[i] = fmt.Sprintf("%v to %v", r.From, r.To)
		}
		by := ""
		if p.by != 0 {
			name := attributeName(p.by)
			out.layerAttr, by = b.attr(name), " by "+plainName(name)
		}
		out.holdout = Step{What: "holdout", At: jsontree.Join(section, "holdout"), Asks: fmt.Sprintf("holdout %v of layer %q%s", p.held, layer, by), Not: true, Want: unit}
		out.layer = Step{What: "layer", At: jsontree.Join(section, "flags"), Asks: fmt.Sprintf("layer %q%s, %s", layer, by, shorten(strings.Join(words, ", "))), Want: unit}
	}
	return out
}

// rests say what is behind everything that can decide.
func (b *accountant) rests() {
	var behind []string
	main := "serve"
	if b.out.main != nil {
		main = b.out.main.draw.step.What + ", serve"
		b.out.restOfMain = rest(jsontree.Join(b.path, "serve"), "serve")
	}
	behind = append(behind, main)
	for i := len(b.out.rules) - 1; i >= 0; i-- {
		b.out.rules[i].rest = rest(b.path, behind...)
		first, last := jsontree.Index("rules", i), jsontree.Index("rules", len(b.out.rules)-1)
		if behind = []string{first, main}; i < len(b.out.rules)-1 {
			behind[0] = first + " to " + last
		}
	}
	b.out.restOfTargets = rest(b.path, behind...)
	if b.out.targets.What != "" {
		behind = append([]string{"targets"}, behind...)
	}
	b.out.restOfWhen = rest(b.path, behind...)
	if b.out.when != nil {
		behind = append([]string{"when"}, behind...)
	}
	b.out.restOfAll = rest(b.path, behind...)
}

func rest(at string, names ...string) Step {
	return Step{What: "rest", At: at, Asks: strings.Join(names, ", ")}
}

// shareOf is the share that a limit is of; see bucket.Limit.
func shareOf(limit uint64) Share {
	slot, _ := bits.Mul64(limit, bucket.Slots)
	return Share(slot) + 1
}
