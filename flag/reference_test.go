package flag_test

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/internal/bucket"
)

// reference decides flags straight from DOCUMENTS.md and BUCKETING.md: slowly,
// sentence by sentence, and sharing no code with the compiled evaluator but the
// slots of internal/bucket, which vectors pin. It panics at a document that these
// pages do not allow.
type reference struct {
	doc         flag.Document
	quarantined []string                        // flags that are wrong, or depend on what is wrong
	last        *reference                      // says what they said last; nil at the first load
	newest      *reference                      // in last: whose flags are prerequisites
	seen        func(operator string, is truth) // told of every operator; may be nil
}

// person is a subject as the reference knows it.
type person struct {
	key   string
	attrs map[string]any // string, bool, a Go number, time.Time or []string
	now   time.Time      // zero is by the clock
}

// outcome is a decision without its value.
type outcome struct {
	Variant string // empty is the caller's default
	Reason  flag.Reason
	Rule    int
	Unit    uint64
	Slot    int32
	Ramp    flag.Share
}

// decide is "How a flag is decided", from step 3 on.
func (r reference) decide(key string, p person) outcome {
	if p.now.IsZero() {
		p.now = time.Now()
	}
	if slices.Contains(r.quarantined, key) {
		if r.last != nil && r.last.has(key) {
			return r.last.decide(key, p)
		}
		return simply("", flag.ReasonQuarantined)
	}
	f, found := r.doc.Flags[key]
	if !found {
		return simply("", flag.ReasonUnknownFlag)
	}
	if f.Disabled {
		return simply(offOf(f), flag.ReasonDisabled)
	}
	if f.When != nil && r.holds(*f.When, p) != isTrue {
		return simply(offOf(f), flag.ReasonWhen)
	}
	for variant, keys := range f.Targets {
		if slices.Contains(keys, p.key) && p.key != "" {
			return simply(variant, flag.ReasonTarget)
		}
	}
	for i, rule := range f.Rules {
		if r.holds(rule.If, p) != isTrue {
			continue
		}
		if rule.Serve != "" {
			return outcome{Variant: rule.Serve, Reason: flag.ReasonRule, Rule: i, Slot: -1}
		}
		at := r.place(key, rule.Ramp, rule.Split, p)
		if at.variant != "" {
			return at.outcome(at.variant, flag.ReasonRule, i)
		}
	}
	if f.Ramp == nil && f.Split == nil {
		return simply(serveOf(f), flag.ReasonServe)
	}
	switch at := r.place(key, f.Ramp, f.Split, p); {
	case at.without != 0:
		return simply(serveOf(f), at.without)
	case f.Split != nil:
		return at.outcome(at.variant, flag.ReasonSplit, -1)
	case at.variant != "":
		return at.outcome(at.variant, flag.ReasonRamp, -1)
	default:
		return at.outcome(serveOf(f), flag.ReasonRamp, -1)
	}
}

func (r reference) has(key string) bool {
	_, found := r.doc.Flags[key]
	return found
}

// definition is a flag's, or what a quarantined one said last.
func (r reference) definition(key string) flag.FeatureFlag {
	if slices.Contains(r.quarantined, key) && r.last != nil {
		return r.last.doc.Flags[key]
	}
	return r.doc.Flags[key]
}

// simply is an outcome in which no rule and no slot had a part.
func simply(variant string, why flag.Reason) outcome {
	return outcome{Variant: variant, Reason: why, Rule: -1, Slot: -1}
}

// place is what a ramp or a split has for a person.
type place struct {
	variant string      // empty if there is none: not admitted, or no place
	without flag.Reason // why there is no place; 0 if there is one
	unit    uint64
	slot    int32
	share   flag.Share // of a ramp
}

func (at place) outcome(variant string, why flag.Reason, rule int) outcome {
	return outcome{Variant: variant, Reason: why, Rule: rule, Unit: at.unit, Slot: at.slot, Ramp: at.share}
}

// place asks the layer first, then looks for the unit's slot. Exactly one of ramp
// and split is given.
func (r reference) place(key string, ramp *flag.Ramp, split *flag.Split, p person) place {
	if why := r.keptAway(key, p); why != 0 {
		return place{without: why}
	}
	f := r.doc.Flags[key]
	if ramp != nil {
		unit, found := p.unit(ramp.By)
		if !found {
			return place{without: flag.ReasonNoUnit}
		}
		at := place{unit: bucket.Unit(unit), share: shareAt(*ramp, p.now)}
		at.slot = bucket.Slot(at.unit, bucket.Lane(first(ramp.Salt, f.Salt, key), bucket.Ramp))
		if at.slot < int32(at.share) {
			at.variant = first(ramp.Serve, onlyOne(f, true))
		}
		return at
	}
	unit, found := p.unit(split.By)
	if !found {
		return place{without: flag.ReasonNoUnit}
	}
	at := place{unit: bucket.Unit(unit)}
	at.slot = bucket.Slot(at.unit, bucket.Lane(first(split.Salt, f.Salt, key), bucket.Split))
	at.variant = ownerOf(*split, at.slot)
	return at
}

// keptAway says why a layer keeps the flag's ramps and splits from a person.
func (r reference) keptAway(key string, p person) flag.Reason {
	for name, layer := range r.doc.Layers {
		ranges, found := layer.Flags[key]
		if !found {
			continue
		}
		unit, found := p.unit(layer.By)
		if !found {
			return flag.ReasonNoUnit
		}
		salt := first(layer.Salt, name)
		if bucket.Slot(bucket.Unit(unit), bucket.Lane(salt, bucket.Holdout)) < int32(layer.Holdout) {
			return flag.ReasonHoldout
		}
		if !within(ranges, bucket.Slot(bucket.Unit(unit), bucket.Lane(salt, bucket.Layer))) {
			return flag.ReasonLayer
		}
	}
	return 0
}

// ownerOf is the variant that a slot of a split belongs to: by percentages laid out
// in the order of the list, or by ranges.
func ownerOf(split flag.Split, slot int32) string {
	end := flag.Share(0)
	for _, part := range split.Parts {
		end += part.Share
		if slot < int32(end) || within(part.Ranges, slot) {
			return part.Serve
		}
	}
	panic("the split has no part for a slot")
}

func within(ranges []flag.Range, slot int32) bool {
	for _, one := range ranges {
		if int32(one.From) <= slot && slot < int32(one.To) {
			return true
		}
	}
	return false
}

// shareAt is "A scheduled ramp" of BUCKETING.md.
func shareAt(ramp flag.Ramp, now time.Time) flag.Share {
	share := ramp.Share
	for i, point := range ramp.Schedule {
		if now.Before(point.At) {
			break
		}
		share = point.Share
		if ramp.Linear && i+1 < len(ramp.Schedule) && now.Before(ramp.Schedule[i+1].At) {
			next := ramp.Schedule[i+1]
			rise := big.NewInt(int64(next.Share - point.Share))
			rise.Mul(rise, new(big.Int).Sub(nanoseconds(now), nanoseconds(point.At)))
			// Div rounds towards minus infinity, because what divides is positive.
			rise.Div(rise, new(big.Int).Sub(nanoseconds(next.At), nanoseconds(point.At)))
			share += flag.Share(rise.Int64())
		}
	}
	return share
}

// nanoseconds since 1970, for every year there is.
func nanoseconds(t time.Time) *big.Int {
	n := big.NewInt(t.Unix())
	n.Mul(n, big.NewInt(1e9))
	return n.Add(n, big.NewInt(int64(t.Nanosecond())))
}

// unit is the subject's key, or what the attribute named by says: a string that is
// not empty, or an integer in decimal.
func (p person) unit(by string) (unit string, found bool) {
	if by == "" {
		return p.key, p.key != ""
	}
	v := p.attr(by)
	if text, ok := v.(string); ok {
		return text, text != ""
	}
	if n := exact(v); n != nil && n.IsInt() {
		whole, _ := n.Int(nil)
		return whole.String(), whole.IsInt64() || whole.IsUint64()
	}
	return "", false
}

// subject is the same person for the library. For every other key the facts stand in
// the order of declaration; for the rest, facts that later ones replace stand before.
func (p person) subject() flag.Subject {
	var first, last []flag.Fact
	for i, name := range slices.Sorted(maps.Keys(p.attrs)) {
		if p.attr(name) != nil && i%3 == 0 && len(p.key)%2 == 0 {
			first = append(first, flag.Attr[string](name).Is("replaced"))
		}
		switch v := p.attrs[name].(type) {
		case string:
			last = append(last, flag.Attr[string](name).Is(v))
		case bool:
			last = append(last, flag.Attr[bool](name).Is(v))
		case int:
			last = append(last, flag.Attr[int](name).Is(v))
		case int32:
			last = append(last, flag.Attr[int32](name).Is(v))
		case int64:
			last = append(last, flag.Attr[int64](name).Is(v))
		case uint32:
			last = append(last, flag.Attr[uint32](name).Is(v))
		case uint64:
			last = append(last, flag.Attr[uint64](name).Is(v))
		case float32:
			last = append(last, flag.Attr[float32](name).Is(v))
		case float64:
			last = append(last, flag.Attr[float64](name).Is(v))
		case time.Time:
			last = append(last, flag.Attr[time.Time](name).Is(v))
		case []string:
			last = append(last, flag.Attr[[]string](name).Is(v))
		default:
			panic(fmt.Sprintf("no attribute can be a %T", v))
		}
	}
	s := flag.For(p.key, append(first, last...)...)
	if p.now.IsZero() {
		return s
	}
	return s.At(p.now)
}

// variantsOf is what a flag can serve.
func variantsOf(f flag.FeatureFlag) map[string]any {
	if len(f.Variants) == 0 {
		return map[string]any{"on": true, "off": false}
	}
	return f.Variants
}

// onlyOne is the only variant with a boolean value; empty for a flag that has not
// exactly one.
func onlyOne(f flag.FeatureFlag, value bool) string {
	var names []string
	for name, v := range variantsOf(f) {
		if v == value {
			names = append(names, name)
		}
	}
	if len(names) != 1 {
		return ""
	}
	return names[0]
}

func offOf(f flag.FeatureFlag) string { return first(f.Off, onlyOne(f, false)) }

func serveOf(f flag.FeatureFlag) string { return first(f.Serve, onlyOne(f, false)) }

// first is the first that says something.
func first(names ...string) string {
	for _, name := range names {
		if name != "" {
			return name
		}
	}
	return ""
}
