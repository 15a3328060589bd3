package flag_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/flag"
)

// dice make every choice: by the bytes of a fuzzer as long as there are some, then
// by a seeded generator.
type dice struct {
	tape []byte
	rest *rand.Rand
}

func newDice(seed uint64, tape []byte) *dice {
	return &dice{tape, rand.New(rand.NewPCG(seed, 0))}
}

// n is 0 to n-1; tapes are for small n only.
func (d *dice) n(n int) int {
	if len(d.tape) > 0 && n <= 256 {
		b := d.tape[0]
		d.tape = d.tape[1:]
		return int(b) % n
	}
	return d.rest.IntN(n)
}

func (d *dice) chance(percent int) bool { return d.n(100) < percent }

func oneOf[T any](d *dice, list []T) T { return list[d.n(len(list))] }

// someOf is up to most of a list, in a random order, each at most once.
func someOf[T any](d *dice, list []T, most int) []T {
	list = slices.Clone(list)
	for i := range list {
		j := i + d.n(len(list)-i)
		list[i], list[j] = list[j], list[i]
	}
	return list[:d.n(min(most, len(list))+1)]
}

// Small pools, so that conditions match often; each has the edges of its kind.
var (
	poolTexts = []string{"SE", "se", "sE", "NO", "Straße", "STRASSE", "straẞe", "K", "k", "\u212a", "ſe", "İ", "i", "a", "aa", "aaa-rc", "beta-1", "Σς", "σσ", "\ufffd", "42", "SE\nNO", "日本"}
	poolOdd   = []string{"", "\xff", "\xffSE", "SE\xc3", "\xed\xa0\x80", strings.Repeat("se", 300)} // subjects only
	poolExprs = []string{"^SE$", "^se", "e$", "(?i)se", `\d+`, ".", "^$", "a{2,3}", "[^a]", "^beta-", "-rc$", "SE|NO", "(?m)^NO$", `\x{fffd}`, "(?i)straße", ".*", "^(SE|se)$", "(?s)^.{2,5}$", `\bse\b`}
	poolKeys  = []string{"anna", "bert", "carl", "u1", "u2", "u3", "42", "-7", "SE", "日本", "18446744073709551615"}
	launch    = time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	poolTimes = []time.Time{
		launch, launch.Add(-1), launch.Add(1), launch.Add(time.Hour), launch.Add(-time.Hour), launch.Add(24 * time.Hour),
		launch.In(time.FixedZone("", 2*3600)), launch.Add(1500 * time.Millisecond).In(time.FixedZone("", -9*3600-1800)),
		time.Unix(0, 0).UTC(), time.Unix(-1, 999_999_999).UTC(),
		time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	poolFarTimes = []time.Time{ // subjects only
		time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC), time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	poolTimeTexts = []string{
		"2026-12-01T08:00:00Z", "2026-12-01T10:00:00+02:00", "2026-12-01T07:59:59.999999999Z", "2026-12-01T08:00:00.000000001Z",
		"1500-01-01T00:00:00Z", "2026-12-01T08:00:00-00:00", "0001-01-01T00:00:00Z",
		"2026-12-01", "2026-12-01T08:00:00z", "2026-12-01t08:00:00Z", "2026-12-01T8:00:00Z", "2026-12-01 08:00:00Z", "2026-12-01T08:00:00,5Z", "2026-13-01T08:00:00Z", "2026-12-01T24:00:00Z", "2026-12-01T08:00:00+24:00", "2026-12-01T08:00:00", "now",
		"2026-12-01T08:00:00.0000000009Z", "2026-12-01T23:59:60Z", "2026-02-29T08:00:00Z", "9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00Z",
	}
	poolNumbers = []any{ // what a document can say; a subject can say more
		0, 1, -1, 18, 19, 42, int64(math.MaxInt64), int64(math.MinInt64), int64(1<<53 + 1), uint64(math.MaxUint64), uint64(1 << 63),
		0.5, 0.1, 17.999, -0.5, 1e300, 5e-324, float64(1 << 53), float64(1 << 64), math.Copysign(0, -1),
		json.Number("1.0"), json.Number("1e0"), json.Number("0.10"), json.Number("180e-1"), json.Number("9007199254740993"), json.Number("9223372036854775808"), json.Number("-9223372036854775808"), json.Number("-0"), json.Number("4.2E1"),
		json.Number("9007199254740993.0"), json.Number("90071992547409930e-1"), json.Number("18446744073709551615.0"), json.Number("18446744073709551616"), json.Number("-0.0e9"),
	}
	poolFacts = []any{int32(42), uint32(42), int32(-1), uint32(1), float32(0.1), float32(0.5), float32(18), float32(1 << 24), 41.99999999999999,
		math.NaN(), float32(math.NaN()), math.Inf(1), math.Inf(-1), float32(math.Inf(1)), float64(1 << 63), uint64(1<<63 - 1), int64(1 << 53)}
	poolVersions = []string{
		"0.0.0", "0.0.0-0", "0.0.3", "0.0.4-0", "0.0.4", "0.2.3", "0.2.9", "0.3.0-0", "0.3.0", "1.0.0-0", "1.0.0", "1.2.0", "1.2.3-alpha", "1.2.3-alpha.1", "1.2.3-alpha.beta",
		"1.2.3-beta", "1.2.3-beta.2", "1.2.3-beta.11", "1.2.3-rc.1+build.007", "1.2.3", "1.2.3+b", "1.2.4", "1.3.0-0", "1.3.0-alpha", "1.10.0", "2.0.0-0", "2.0.0-alpha", "2.0.0",
		"1.2.3--1", "1.2.3--", "1.2.3-0a", "1.2.3-1", "1.2.3-A", "1.2.3-99999999999999999999", "18446744073709551615.0.0", "18446744073709551616.1.0",
	}
	poolNoVersions = []string{"v1.2.3", "1.2", "1", "01.2.3", "1.2.3-01", "1.2.3-", "1.2.3+", "1.2.3 ", " 1.2.3", "1.2.3-ä", "1.2.3.4", "1.2.3-beta..2", "-1.2.3", "+1.2.3", "1.2.x", "1.2.3-a_b", "", "1.2.3\n"}
	poolPartial    = []string{"0", "1", "2", "0.0", "0.1", "0.2", "1.2", "1.10", "18446744073709551615"}
	poolNetworks   = []string{"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "192.168.1.0/25", "0.0.0.0/0", "0.0.0.0/1", "::/0", "2001:db8::/32", "2001:db8::8000:0/97", "fe80::/10", "::1/128"}
	poolAddresses  = []string{"10.1.2.3", "10.2.0.1", "::ffff:10.1.2.3", "::ffff:a01:203", "192.168.1.127", "192.168.1.128", "255.255.255.255", "2001:db8::1", "2001:DB8:0:0:0:0:8000:1", "fe80::1", "::1", "::", "fe80::1%eth0", "::ffff:10.1.2.3%1", "010.1.2.3", "10.1.2", "10.1.2.3:80", "10.1.2.3/32", "[::1]", "host", "",
		"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7", "1:2:3:4:5:6:10.1.2.3", "::10.1.2.3", "1::2::3", ":::", "1:", "::1.2.3.256", "1.2.3.4.5", "00001::", "2001:0db8::"}
	poolShares = []flag.Share{0, 1, 500, 5000, 25_000, 33_333, 50_000, 66_667, 99_999, flag.All}
	poolNames  = []string{"on", "off", "a", "b", "blue", "grün"}
)

// homes are the attributes and what they mostly are. No other test has them: what one
// is declared as holds for the whole process.
var homes = map[string]string{
	"random-country": "text", "random-plan": "text", "random-tenant": "key", "random-org": "key", "random-age": "number", "random-id": "number", "random-score": "number", "random-beta": "boolean",
	"random-version": "version", "random-born": "time", "random-seen": "time", "random-ip": "address", "random-tags": "list", "random-größe": "number",
}

var attributes = declared(slices.Sorted(maps.Keys(homes)))

// declared makes the order of names that of declaration.
func declared(names []string) []string {
	for _, name := range names {
		if homes[name] == "list" {
			flag.Attr[[]string](name)
		} else {
			flag.Attr[string](name)
		}
	}
	return names
}

// people are who a document is asked about: known attributes of the right kind as a
// rule, and some that are missing or of another kind.
func (d *dice) person(attributes []string) person {
	p := person{key: d.name(), attrs: map[string]any{}, now: oneOf(d, poolTimes)}
	switch d.n(12) {
	case 0:
		p.key = ""
	case 1:
		p.key = oneOf(d, poolOdd)
	}
	switch d.n(12) {
	case 0:
		p.now = time.Time{} // by the clock
	case 1:
		p.now = oneOf(d, poolFarTimes)
	case 2, 3, 4, 5, 6:
		p.now = launch.Add(time.Duration(d.n(48*3600)-24*3600)*time.Second + time.Duration(d.n(3)-1))
	}
	likely := 20 + d.n(100)
	for _, name := range attributes {
		if !d.chance(likely) {
			continue
		}
		home := homes[name]
		if home == "" || d.chance(8) {
			home = oneOf(d, []string{"text", "key", "number", "boolean", "version", "time", "address", "list"})
		}
		p.attrs[name] = d.fact(home)
	}
	return p
}

// fact is a value of an attribute; a text often has a slip of the pen.
func (d *dice) fact(home string) any {
	v := d.exactly(home)
	if s, ok := v.(string); ok && d.chance(15) {
		i, with := d.n(len(s)+1), oneOf(d, strings.Split("0159azAZgF:.-+T%/ \xff", ""))
		switch behind := min(i+1, len(s)); d.n(3) {
		case 0:
			return s[:i] + s[behind:]
		case 1:
			return s[:i] + with + s[i:]
		default:
			return s[:i] + with + s[behind:]
		}
	}
	return v
}

func (d *dice) exactly(home string) any {
	switch home {
	case "text":
		if d.chance(15) {
			return oneOf(d, poolOdd)
		}
		return d.text()
	case "key":
		if d.chance(30) {
			return oneOf(d, []any{42, -7, uint64(math.MaxUint64), int64(math.MinInt64), uint32(7), 0, "", 0.5, true})
		}
		return d.name()
	case "number":
		for {
			v := oneOf(d, slices.Concat(poolNumbers, poolFacts))
			if _, literal := v.(json.Number); !literal {
				return v
			}
		}
	case "boolean":
		return d.chance(50)
	case "version":
		return oneOf(d, slices.Concat(poolVersions, poolNoVersions))
	case "time":
		if d.chance(50) {
			return oneOf(d, poolTimeTexts)
		}
		return oneOf(d, slices.Concat([]time.Time{{}}, poolFarTimes, poolTimes))
	case "address":
		return oneOf(d, poolAddresses)
	}
	list := []string{}
	for range d.n(4) {
		element := d.fact(oneOf(d, []string{"text", "text", "version", "version", "address", "time"}))
		if text, ok := element.(string); ok {
			list = append(list, text)
		}
	}
	return list
}

// text is one of few, as a rule.
func (d *dice) text() string {
	switch d.n(10) {
	case 0, 1, 2, 3, 4:
		return poolTexts[d.n(8)]
	case 5, 6: // of every length, and different in one place only
		s := []byte("abcdefghijklmnopqrst")[:1+d.n(20)]
		if d.chance(50) {
			s[d.n(len(s))] = '_'
		}
		return string(s)
	}
	return oneOf(d, poolTexts)
}

// name is a key or another unit.
func (d *dice) name() string {
	if d.chance(50) {
		return fmt.Sprint("user-", d.n(200))
	}
	return oneOf(d, poolKeys)
}

// author writes a document from the bottom up: a flag or segment names only those
// that are there already, so that there is no circle.
type author struct {
	*dice
	doc      flag.Document
	flags    []string
	segments []string
}

// document is valid by construction.
func (d *dice) document() flag.Document {
	a := &author{dice: d, doc: flag.Document{Flags: map[string]flag.FeatureFlag{}}}
	for range 1 + d.n(6) {
		if d.chance(35) {
			if a.doc.Segments == nil {
				a.doc.Segments = map[string]flag.Segment{}
			}
			name := oneOf(d, []string{"testers", "eu", "pro", "grüne"})
			if _, found := a.doc.Segments[name]; !found {
				a.doc.Segments[name] = a.segment()
				a.segments = append(a.segments, name)
			}
		}
		key := oneOf(d, []string{"random-a", "random-b", "random-c", "random-d", "random-e", "random-f", "zufällig"})
		if _, found := a.doc.Flags[key]; !found {
			a.doc.Flags[key] = a.flag()
			a.flags = append(a.flags, key)
		}
	}
	a.layers()
	return a.doc
}

func (a *author) flag() flag.FeatureFlag {
	f := flag.FeatureFlag{Variants: a.variants(), Disabled: a.chance(4), Salt: a.salt()}
	variants := slices.Sorted(maps.Keys(variantsOf(f)))
	_, boolean := variantsOf(f)[variants[0]].(bool)
	named := func(value bool) string { // a variant, or none where that is allowed
		if boolean && onlyOne(f, value) != "" && a.chance(50) {
			return ""
		}
		return oneOf(a.dice, variants)
	}
	if f.Off = named(false); !boolean && a.chance(50) {
		f.Off = ""
	}
	if a.chance(30) {
		f.When = new(a.condition(3))
	}
	if a.chance(30) {
		f.Targets = map[string][]string{}
		for _, key := range someOf(a.dice, poolKeys, 4) {
			variant := oneOf(a.dice, variants)
			f.Targets[variant] = append(f.Targets[variant], key)
		}
	}
	ramp := func() *flag.Ramp { return a.ramp(named(true)) }
	plain := a.chance(30)
	for range a.n(5) {
		rule := flag.Rule{If: a.condition(4)}
		if plain {
			rule.If = a.plain()
		}
		switch a.n(4) {
		case 0:
			rule.Ramp = ramp()
		case 1:
			rule.Split = a.split(variants)
		default:
			rule.Serve = oneOf(a.dice, variants)
		}
		f.Rules = append(f.Rules, rule)
	}
	f.Serve = named(false)
	switch a.n(5) {
	case 0, 1:
		f.Ramp = ramp()
	case 2, 3:
		if f.Split = a.split(variants); !boolean && a.chance(50) {
			f.Serve = ""
		}
	}
	return f
}

// variants are of one of the four kinds, or left out.
func (a *author) variants() map[string]any {
	named := someOf(a.dice, poolNames[1:], 3)
	named = append(named, poolNames[0]) // one at least
	kinds := [][]any{
		{true, false, true, false},
		{"#00f", "#0f0", "", "grün"},
		{1, json.Number("2.0"), int64(1 << 62), -3},
		{0.5, 1e300, uint64(math.MaxUint64), 3},
		{map[string]any{"a": 1}, []any{1, "two", nil}, map[string]any{}, []any{}},
	}
	kind := a.n(len(kinds) + 3)
	if kind >= len(kinds) {
		return nil
	}
	variants := map[string]any{}
	for i, name := range named {
		variants[name] = kinds[kind][i]
	}
	return variants
}

func (a *author) salt() string {
	if a.chance(60) {
		return ""
	}
	return oneOf(a.dice, []string{"s", "s1", "random-a", "page"})
}

func (a *author) by() string {
	if a.chance(65) {
		return ""
	}
	return oneOf(a.dice, slices.Concat(attributes, []string{"random-tenant", "random-org", "random-tenant", "random-org", "random-id"}))
}

func (a *author) share() flag.Share {
	if a.chance(50) {
		return oneOf(a.dice, poolShares)
	}
	return flag.Share(a.n(int(flag.All) + 1))
}

func (a *author) ramp(serve string) *flag.Ramp {
	r := &flag.Ramp{Share: a.share(), Serve: serve, Salt: a.salt(), By: a.by()}
	if a.chance(40) {
		for _, at := range a.times(4) {
			r.Schedule = append(r.Schedule, flag.Point{At: at, Share: a.share()})
		}
		r.Linear = len(r.Schedule) > 0 && a.chance(50)
	}
	return r
}

// times are different and in order.
func (a *author) times(most int) []time.Time {
	list := someOf(a.dice, poolTimes, most)
	slices.SortFunc(list, time.Time.Compare)
	return slices.CompactFunc(list, time.Time.Equal)
}

// cut is where 0 to 100 % is cut: it begins with 0 and ends with 100.
func (a *author) cut(pieces int) []flag.Share {
	list := []flag.Share{0, flag.All}
	for range pieces - 1 {
		list = append(list, a.share())
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (a *author) split(variants []string) *flag.Split {
	s := &flag.Split{By: a.by(), Salt: a.salt()}
	for _, variant := range append(someOf(a.dice, variants[1:], 3), variants[0]) {
		s.Parts = append(s.Parts, flag.Part{Serve: variant})
	}
	byRanges := a.chance(50)
	cuts := a.cut(len(s.Parts) + a.n(3))
	for i, from := range cuts[:len(cuts)-1] {
		part := &s.Parts[a.n(len(s.Parts))]
		if byRanges {
			part.Ranges = append(part.Ranges, flag.Range{From: from, To: cuts[i+1]})
		} else {
			part.Share += cuts[i+1] - from
		}
	}
	return s
}

// layers share out the flags; a flag is in one layer at most.
func (a *author) layers() {
	left := someOf(a.dice, a.flags, len(a.flags))
	for _, name := range []string{"page", "s"} {
		if len(left) == 0 || !a.chance(35) {
			continue
		}
		n := 1 + a.n(len(left))
		layer := flag.Layer{By: a.by(), Salt: a.salt(), Flags: map[string][]flag.Range{}}
		if a.chance(50) {
			layer.Holdout = a.share()
		}
		cuts := a.cut(n + 3)
		for i, from := range cuts[:len(cuts)-1] {
			if key := oneOf(a.dice, left[:n]); a.chance(80) {
				layer.Flags[key] = append(layer.Flags[key], flag.Range{From: from, To: cuts[i+1]})
			}
		}
		left = left[n:]
		if len(layer.Flags) == 0 {
			continue
		}
		if a.doc.Layers == nil {
			a.doc.Layers = map[string]flag.Layer{}
		}
		a.doc.Layers[name] = layer
	}
}
