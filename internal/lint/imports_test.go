package lint_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// reach says which imports a rule looks at.
type reach int

const (
	inCode  reach = 1 << iota // direct imports of what is not a test
	inTests                   // direct imports of _test.go files
	linked                    // all that the package's code links, however far away
)

// thirdParty stands in a rule for every module but ours and the standard library.
const thirdParty = "third party"

// rule bans imports. Packages of this module are written "./flag", with "/..."
// for a package and all below it; "." is the root.
type rule struct {
	from, except []string // who must not, and who of those may
	where        reach
	ban, allow   []string // import what, and what of that is fine
	why          string
}

// testKits are linked by tests only, though they are not _test.go files.
var testKits = []string{
	"./flag/flagtest", "./health/healthtest", "./rollout/rollouttest", "./strategy/strategytest", "./internal/scenario",
}

// simulations measure the judges, in tests and by a command; no host links them.
var simulations = []string{"./internal/simulation/..."}

var rules = []rule{
	{from: []string{"./flag/..."}, where: linked | inTests,
		ban: []string{"./health/...", "./strategy/...", "./verify/...", "./rollout/..."},
		why: "flag is a leaf; only rollout knows the others"},
	{from: []string{"./health/..."}, where: linked | inTests,
		ban: []string{"./flag/...", "./strategy/...", "./verify/...", "./rollout/..."},
		why: "health is a leaf; only rollout knows the others"},
	{from: []string{"./strategy/..."}, where: linked | inTests,
		ban: []string{"./flag/...", "./health/...", "./verify/...", "./rollout/..."},
		why: "strategy is a leaf; only rollout knows the others"},
	{from: []string{"./verify/..."}, where: linked | inTests,
		ban: []string{"./flag/...", "./health/...", "./strategy/...", "./rollout/..."},
		why: "verify is a leaf; only rollout knows the others"},
	{from: []string{"./..."}, where: inCode | inTests, ban: []string{"."},
		why: "the root is a map and holds no code"},
	{from: []string{"./flag", "./strategy", "./internal/..."}, except: simulations, where: linked, ban: []string{"net/http"},
		why: "it is 6.5 MB of a host's binary; what speaks HTTP is a sub-package"},
	{from: []string{"./..."}, except: []string{"./internal/bucket"}, where: inCode | inTests,
		ban: []string{"github.com/cespare/xxhash/..."},
		why: "internal/bucket is the one place that hashes units"},
	{from: []string{"./..."}, where: inCode,
		ban: []string{"github.com/google/go-cmp/...", "github.com/stretchr/testify/..."},
		why: "it belongs in _test.go files"},
	{from: []string{"./..."}, where: inCode | inTests, ban: []string{thirdParty},
		allow: []string{"github.com/cespare/xxhash/...", "github.com/google/go-cmp/...", "github.com/stretchr/testify/..."},
		why:   "an adapter with a dependency is a module of its own"},
	{from: []string{"./..."}, except: testKits, where: linked, ban: []string{"testing"},
		why: "a host has no use for it; only tests and test kits have"},
	{from: []string{"./..."}, except: slices.Concat([]string{"./examples/..."}, testKits, simulations), where: inCode, ban: []string{"flag"},
		why: "a library reads no command line, and flag is ours"},
}

func TestImports(t *testing.T) { holds(t, badImports) }

func TestImportsCatches(t *testing.T) {
	const own = `"` + module
	catches(t, badImports, []planted{
		{name: "in order", files: map[string]string{
			"flag/flag.go":               `package flag; import _ ` + own + `/internal/bucket"`,
			"flag/flag_test.go":          `package flag; import _ "github.com/google/go-cmp/cmp"; import _ "testing"; import _ "flag"`,
			"flag/flaghttp/flaghttp.go":  `package flaghttp; import _ "net/http"; import _ ` + own + `/flag"`,
			"flag/flagtest/flagtest.go":  `package flagtest; import _ "testing"`,
			"internal/bucket/bucket.go":  `package bucket; import _ "github.com/cespare/xxhash/v2"`,
			"rollout/rollout.go":         `package rollout; import _ ` + own + `/flag"; import _ ` + own + `/health"`,
			"health/health.go":           `package health; import _ "net/http"`,
			"examples/quickstart/run.go": `package main; import _ "flag"`,
			"flag/yaml/go.mod":           `module ` + module + `/flag/yaml`,
			"flag/yaml/yaml.go":          `package yaml; import _ "go.yaml.in/yaml/v3"`,
		}},
		{name: "a leaf that knows another", files: map[string]string{
			"flag/flag.go":           `package flag; import _ ` + own + `/internal/odd"`,
			"internal/odd/odd.go":    `package odd; import _ ` + own + `/health"`,
			"health/health.go":       `package health`,
			"health/health_test.go":  `package health; import _ ` + own + `/rollout"`,
			"rollout/rollout.go":     `package rollout`,
			"strategy/split/a.go":    `package split; import _ ` + own + `/strategy"`,
			"strategy/strategy.go":   `package strategy`,
			"verify/verify_linux.go": `package verify; import _ ` + own + `/strategy"`,
		}, want: []string{
			"./flag -> ./internal/odd -> ./health: flag is a leaf; only rollout knows the others",
			"./health imports ./rollout: health is a leaf; only rollout knows the others",
			"./verify -> ./strategy: verify is a leaf; only rollout knows the others",
		}},
		{name: "the root", files: map[string]string{
			"doc.go": `package guidon`, "flag/flag_test.go": `package flag; import _ ` + own + `"`,
		}, want: []string{"./flag imports .: the root is a map and holds no code"}},
		{name: "net/http by a detour, on another platform", files: map[string]string{
			"strategy/count_plan9.go": `package strategy; import _ "expvar"`,
		}, want: []string{
			"./strategy -> expvar -> net/http: it is 6.5 MB of a host's binary; what speaks HTTP is a sub-package",
		}},
		{name: "third parties", files: map[string]string{
			"flag/hash.go":      `package flag; import _ "github.com/cespare/xxhash/v2"`,
			"health/cmp.go":     `package health; import _ "github.com/stretchr/testify/require"`,
			"verify/yaml.go":    `package verify; import _ "go.yaml.in/yaml/v3"`,
			"verify/go_test.go": `package verify; import _ "golang.org/x/sync/errgroup"`,
		}, want: []string{
			"./flag imports github.com/cespare/xxhash/v2: internal/bucket is the one place that hashes units",
			"./health imports github.com/stretchr/testify/require: it belongs in _test.go files",
			"./verify imports go.yaml.in/yaml/v3: an adapter with a dependency is a module of its own",
			"./verify imports golang.org/x/sync/errgroup: an adapter with a dependency is a module of its own",
		}},
		{name: "testing, and the standard flag", files: map[string]string{
			"flag/flag.go":              `package flag; import _ ` + own + `/flag/flagtest"`,
			"flag/flagtest/flagtest.go": `package flagtest; import _ "testing"; import _ "flag"`,
			"health/health.go":          `package health; import _ "flag"`,
		}, want: []string{
			"./flag -> ./flag/flagtest -> testing: a host has no use for it; only tests and test kits have",
			"./health imports flag: a library reads no command line, and flag is ours",
		}},
	})
}

// badImports runs the table over the root module.
func badImports(t *testing.T, r repo) []string {
	g := graphOf(t, r)
	var problems []string
	for _, from := range slices.Sorted(maps.Keys(g.code)) {
		for _, rule := range rules {
			if !matchAny(rule.from, from) || matchAny(rule.except, from) {
				continue
			}
			bad := func(p string) bool { return matchAny(rule.ban, p) && !matchAny(rule.allow, p) }
			if rule.where&linked != 0 {
				if chain := g.chain(from, bad); chain != nil {
					problems = append(problems, fmt.Sprintf("%s: %s", strings.Join(chain, " -> "), rule.why))
				}
			}
			var direct []string
			if rule.where&inCode != 0 {
				direct = g.code[from]
			}
			if rule.where&inTests != 0 {
				direct = slices.Concat(direct, g.tests[from])
			}
			slices.Sort(direct)
			for _, p := range slices.Compact(direct) {
				if bad(p) {
					problems = append(problems, fmt.Sprintf("%s imports %s: %s", from, p, rule.why))
				}
			}
		}
	}
	return problems
}

func matchAny(patterns []string, p string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if pattern == thirdParty {
			host, _, _ := strings.Cut(p, "/")
			return host != "." && strings.Contains(host, ".")
		}
		prefix, tree := strings.CutSuffix(pattern, "/...")
		return p == prefix || tree && strings.HasPrefix(p, prefix+"/")
	})
}
