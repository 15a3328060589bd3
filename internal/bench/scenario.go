package bench

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// kind is what a flag does; every system says it in its own words.
type kind int

const (
	static  kind = iota // S1: on for everybody
	half                // S2: on for 50 %
	ruled               // S3: on for whom a rule matches, and for 10 % of the others
	listed              // S4: on for the members
	divided             // S5: one of four strings
)

const (
	halfPercent = 50 // the ramp of S2
	restPercent = 10 // the ramp of S3, for whom no rule matches
)

// spec is one flag.
type spec struct {
	key  string
	kind kind
	n    int // which rules, if it is ruled
}

// scenarioFlags are loaded for all scenarios but S6: one of each kind, and as
// many more S3 flags as make ten.
var scenarioFlags = makeScenarioFlags()

// tenKeys are the ten S3 flags.
var tenKeys = makeTenKeys()

// cycleFlags are the 10 000 S2 flags of S6 and of the updates; cycleKeys are
// their keys in the order in which S6 evaluates them.
var (
	cycleFlags = makeCycleFlags()
	cycleKeys  = makeCycleKeys()
)

// updated is the S6 flag that updates change: the first that S6 evaluates.
var updated = spec{key: cycleKeys[0], kind: half}

func makeScenarioFlags() []spec {
	flags := []spec{{key: "s1", kind: static}, {key: "s2", kind: half}, {key: "s4", kind: listed}, {key: "s5", kind: divided}}
	for n, key := range makeTenKeys() {
		flags = append(flags, spec{key: key, kind: ruled, n: n})
	}
	return flags
}

func makeTenKeys() []string {
	keys := []string{"s3"}
	for n := 1; n < 10; n++ {
		keys = append(keys, fmt.Sprintf("s3-%d", n))
	}
	return keys
}

func makeCycleFlags() []spec {
	flags := make([]spec, cycleCount)
	for i := range flags {
		flags[i] = spec{key: fmt.Sprintf("flag-%05d", i), kind: half}
	}
	return flags
}

func makeCycleKeys() []string {
	keys := make([]string, cycleCount)
	for i, at := range rand.New(rand.NewPCG(5, 6)).Perm(cycleCount) {
		keys[i] = fmt.Sprintf("flag-%05d", at)
	}
	return keys
}

// manyRuled are S3 flags with rules that differ, for documents of some size.
func manyRuled(count int) []spec {
	flags := make([]spec, count)
	for i := range flags {
		flags[i] = spec{key: fmt.Sprintf("rules-%05d", i), kind: ruled, n: i}
	}
	return flags
}

const ruleCount = 3

// rule is true of a user with one of the countries, and the plan, and the age or
// more.
type rule struct {
	countries [3]string
	plan      string
	age       int
}

// Every value has at most seven bytes.
var (
	countries = [4][3]string{{"SE", "NO", "DK"}, {"DE", "AT", "CH"}, {"US", "CA", "MX"}, {"JP", "KR", "TW"}}
	plans     = [4]string{"pro", "team", "free", "company"}
	ages      = [4]int{30, 25, 40, 35}
)

const (
	youngest = 18
	oldest   = 80
)

// rules are those of the n-th S3 flag. Each flag has three of four pairs of
// countries and plan, so that no flag's answer follows from another's.
func rules(n int) (all [ruleCount]rule) {
	for i := range all {
		pair := (i + n) % len(countries)
		all[i] = rule{countries[pair], plans[pair], ages[pair] + n%10}
	}
	return all
}

// matches is the slow and obvious meaning of a rule.
func (r rule) matches(u *User) bool {
	return slices.Contains(r.countries[:], u.Country) && u.Plan == r.plan && u.Age >= r.age
}

func matchesAny(rules [ruleCount]rule, u *User) bool {
	return rules[0].matches(u) || rules[1].matches(u) || rules[2].matches(u)
}

// part is one variant of S5. The values differ in length, so that a sum of
// lengths tells who got what.
type part struct {
	value   string
	percent int
}

var parts = []part{{"red", 40}, {"blue", 30}, {"green", 20}, {"yellow", 10}}
