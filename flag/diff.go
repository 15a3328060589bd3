package flag

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"
)

// Difference is who gets something else from one set of flags than from another.
// The zero Difference is that nobody does. It is data: printed by [Difference.String],
// written as JSON, and compared in a test.
type Difference struct {
	// At is the moment as of which both sets decided, or from which on [Diff] looked, for
	// subjects that have none of their own.
	At time.Time `json:"at"`
	// Subjects is how many the population has; 0 without one.
	Subjects int `json:"subjects,omitempty"`
	// Moved is how many of them get another value of one flag or more, at any moment that
	// was looked at.
	Moved int `json:"moved,omitempty"`
	// Flags are those that changed, and those that move somebody because of another
	// one that did, in the order of their keys.
	Flags []FlagDifference `json:"flags"`
}

// FlagDifference is what became of one flag.
type FlagDifference struct {
	Key string `json:"key"` // the flag's
	// At is when the most move, which is what Moves, Count and Share are of; zero if that
	// is so at once.
	At time.Time `json:"at,omitzero"`
	// Changes are what is different in its definition, each in a few words:
	// "ramp 25 % to 50 %".
	Changes []string `json:"changes,omitempty"`
	// Moves are who gets what instead of what, those of one group together, and of
	// these the most first. There are none if nobody moves; or if that is not known, and
	// Share is 100 %: because the population is of nobody, or the flag too complicated
	// for slot arithmetic, or one that changes at more than 1,000 moments.
	Moves []Move `json:"moves,omitempty"`
	// Count is how many of the population move.
	Count int `json:"count,omitempty"`
	// Share is how many of everybody move, rounded up to a slot. Where Basis is
	// BasisBound, they are no more than that: in the group in which the most move, it
	// is as many. Subjects that are targets by name are no share of everybody, so they
	// count for one slot.
	Share Share `json:"percent"`
	// Basis is how Share was found.
	Basis Basis `json:"basis"`
}

// Move is subjects that get one variant instead of another with another value.
type Move struct {
	// Group is whom the move is about: empty for everybody; else a rule that matches
	// them, "everybody else" for those whom no rule decides, or the like. How many
	// belong to a group is not known, and no subject belongs to two.
	Group string `json:"group,omitempty"`
	From  string `json:"from"` // the variant before; empty is the caller's default
	To    string `json:"to"`   // the variant after
	// Count is how many of the population move.
	Count int `json:"count,omitempty"`
	// Share is how many of the group, or of the population, rounded up to a slot.
	Share Share `json:"percent"`
	// Basis is how Share was found.
	Basis Basis `json:"basis"`
}

// Basis is how a share of a [Difference] was found.
type Basis uint8

// The bases, the best first.
const (
	// BasisCounted is that every subject of a population was decided on both sets.
	BasisCounted Basis = iota + 1
	// BasisExact is that the slots were counted which lead to another variant.
	BasisExact
	// BasisExpected is a product of shares of slots that are independent of one
	// another: of two salts, say, or of a layer and a ramp. Real people are this many
	// but for chance.
	BasisExpected
	// BasisBound is that nobody knows how many belong to the groups that move, or that
	// the flag is too complicated: the share is the most that can move.
	BasisBound
	// BasisNobody is that the population is of nobody, which shows nothing: the share is
	// 100 %.
	BasisNobody
)

// String is a word or two.
func (b Basis) String() string {
	names := [...]string{"invalid", "counted", "exact", "expected", "at most", "nobody"}
	if int(b) >= len(names) {
		return names[0]
	}
	return names[b]
}

// MarshalText is String.
func (b Basis) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// Diff says who gets another value from the new set than from the old one, now or ever
// after: of each flag, at that moment at which the most move.
//
// The moments are now and, ahead, each at which a schedule or a time window of either
// set changes what a flag serves, or one that it needs. While a schedule goes along a
// straight line, these are eight from point to point, of which the worst may be a little
// less than the worst of all.
//
// With a population, every subject is decided on both sets, at its own moment or,
// without one, at the same moments as all others; nothing is counted in
// [Status.Counts]. The population is walked once, and only flags are decided that can
// have changed: whose definition did, or that of a segment, a layer or another flag
// which it depends on. A population of nobody, one that was read from an empty file
// say, is told as such: everybody may move.
//
// Without one (nil), the slots are counted that lead to another variant: of everybody
// who has the units that ramps and splits are by, or, where a flag has rules, of each
// group of subjects that its rules tell apart.
//
// A move is another value. Who gets the same value from a variant with another name
// stays where he is. A flag that one set lacks leaves it to the caller's default
// there: the one that this process declares the flag with or, if it declares none or
// several, what is like no variant. A nil set has no flags.
func Diff(old, new *Set, population iter.Seq[Subject]) Difference {
	return diff(old, new, population, time.Now(), true)
}

// DiffAt is [Diff] as of one moment, whatever comes after it.
func DiffAt(old, new *Set, population iter.Seq[Subject], at time.Time) Difference {
	return diff(old, new, population, at, false)
}

func diff(old, new *Set, population iter.Seq[Subject], at time.Time, ahead bool) Difference {
	at = at.Round(0) // no reading of the monotonic clock
	d := differ{sides: [2]*Set{old, new}, changed: map[string]bool{}, own: map[string]bool{}, constant: map[sidedProgram]truth{}, contents: map[any]uint64{}, numbers: map[string]uint64{}, left: maxAskedAll}
	for i, set := range d.sides {
		if set == nil {
			d.sides[i] = &Set{}
		}
	}
	subject := Subject{}.At(at)
	d.now = subject.moment(true)
	out := Difference{At: at.UTC()}
	affected := d.affected()
	for i := range affected {
		if affected[i].moments = []int64{d.now}; ahead {
			affected[i].moments = d.moments(affected[i].sides)
		}
	}
	if population != nil {
		out.Subjects, out.Moved = d.count(affected, population)
	}
	for i := range affected {
		p := &affected[i]
		var lines [2]outline
		for side, f := range p.sides {
			lines[side] = d.outlined(f, side, false)
		}
		if population == nil {
			p.bySlots(&d, lines)
		}
		if p.Changes = d.changes(p, &lines[0], &lines[1]); len(p.Changes) > 0 || p.Share > 0 {
			out.Flags = append(out.Flags, p.FlagDifference)
		}
	}
	return out
}

// Most is the greatest share of everybody that any one flag moves: at most this many,
// whatever the basis. It is 0 only if nobody moves. Without a population, it is that of
// the group in which the most move, because the group may be everybody; with one of
// nobody, it is 100 % as soon as any flag is not what it was.
func (d Difference) Most() (most Share) {
	for _, f := range d.Flags {
		most = max(most, f.Share)
	}
	return most
}

// differ compares two sets.
type differ struct {
	sides    [2]*Set
	now      int64
	changed  map[string]bool        // whether a flag may decide differently
	own      map[string]bool        // whether its own definition differs
	contents map[any]uint64         // numbers of lists and segments, by their pointers
	numbers  map[string]uint64      // of contents
	constant map[sidedProgram]truth // see writer.always
	alias    map[*segment]uint64    // numbers that count instead
	left     int                    // questions that slot arithmetic may still ask
}

// pair is one flag on both sides.
type pair struct {
	FlagDifference
	sides   [2]*compiled      // nil where a set lacks it
	equal   map[[2]int32]bool // of values, by variants
	moments []int64           // to look at, the first of which is the differ's; none if they are too many
}

// affected are the flags that may decide differently, in the order of their keys.
func (d *differ) affected() []pair {
	var keys []string
	for side, set := range d.sides {
		for key := range set.byKey {
			if _, both := d.sides[0].byKey[key]; (side == 0 || !both) && d.differs(key) {
				keys = append(keys, key)
			}
		}
	}
	slices.Sort(keys)
	pairs := make([]pair, len(keys))
	for i, key := range keys {
		pairs[i] = pair{FlagDifference: FlagDifference{Key: key}, sides: [2]*compiled{d.flag(0, key), d.flag(1, key)}}
	}
	return pairs
}

func (d *differ) flag(side int, key string) *compiled {
	if h := d.sides[side].header(key); h != nil {
		return h.flag
	}
	return nil
}

// differs says whether a flag, or one that it needs, is not the same on both sides.
// Where a flag is the same, it needs the same ones; so there is no circle.
func (d *differ) differs(key string) bool {
	known, done := d.changed[key]
	if done {
		return known
	}
	f := d.flag(0, key)
	differs := !d.same(f, d.flag(1, key))
	if differs {
		d.own[key] = true
	} else if f != nil {
		differs = d.needsChanged(f) != ""
	}
	d.changed[key] = differs
	return differs
}

// needsChanged names a flag that differs and that a flag needs, or nothing.
func (d *differ) needsChanged(f *compiled) string {
	if !f.linked().needs {
		return ""
	}
	flags, _ := f.named()
	for _, key := range slices.Sorted(maps.Keys(flags)) {
		if d.differs(key) {
			return key
		}
	}
	return ""
}

// name is a variant's on one side.
func (p *pair) name(side int, variant int32) string {
	if variant < 0 {
		return ""
	}
	return p.sides[side].names[variant]
}

// value is a variant's on one side.
func (p *pair) value(side int, variant int32) any {
	if variant < 0 {
		return defaultOf(p.Key)
	}
	return p.sides[side].values.any[variant]
}

// stays says whether both variants have the same value.
func (p *pair) stays(got [2]int32) bool {
	if got[0] < 0 && got[1] < 0 {
		return true
	}
	if old, new := p.sides[0], p.sides[1]; got[0] >= 0 && got[1] >= 0 && old.values == new.values && (got[0] == got[1] || old.values == onOffValues) {
		return got[0] == got[1]
	}
	equal, known := p.equal[got]
	if !known {
		if p.equal == nil {
			p.equal = map[[2]int32]bool{}
		}
		equal = sameValue(p.value(0, got[0]), p.value(1, got[1]))
		p.equal[got] = equal
	}
	return equal
}

// sortMoves puts the greatest first.
func sortMoves(moves []Move) {
	slices.SortFunc(moves, func(a, b Move) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(b.Count, a.Count), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
}
