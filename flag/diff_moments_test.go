package flag_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestDiffAhead: what moves people later does not pass as what moves nobody.
func TestDiffAhead(t *testing.T) {
	const se, tomorrow = `{"attr": "country", "eq": "SE"}`, `2000-01-02T00:00:00Z`
	const window = `{"time": {"from": "` + tomorrow + `", "until": "2000-01-03T00:00:00Z"}}`
	step := func(percent, at, then string) string {
		return `"ramp": {"percent": ` + percent + `, "schedule": [{"at": "` + at + `", "percent": ` + then + `}]}`
	}
	line := func(salt, percents string) string {
		var a, b int
		_, _ = fmt.Sscan(percents, &a, &b)
		return fmt.Sprintf(`"salt": %q, "ramp": {"percent": 0, "linear": true, "schedule": [{"at": %q, "percent": %d}, {"at": "2000-01-03T00:00:00Z", "percent": %d}]}`, salt, tomorrow, a, b)
	}
	tests := []struct{ name, old, new, want string }{
		{"a schedule is new", `"ramp": {"percent": 25}`, step("25", tomorrow, "100"), "f   75.000 % of everybody: off -> on (schedule changed), at 2000-01-02T00:00:00Z"},
		{"only what is over", `"ramp": {"percent": 25}`, step("90", "1999-12-31T00:00:00Z", "25"), "f  nobody moves (schedule changed)"},
		{"more at once than later", step("60", tomorrow, "10"), `"ramp": {"percent": 10}`, "f   50.000 % of everybody: on -> off (schedule changed)"},
		{"a window", `"serve": "off"`, `"serve": "on", "when": ` + window, "f  100.000 % of everybody: off -> on (when is new; serve off to on), at 2000-01-02T00:00:00Z"},
		{"a window that ends", `"ramp": {"percent": 10}`, `"ramp": {"percent": 10}, "when": {"time": {"until": "` + tomorrow + `"}}`, "f   10.000 % of everybody: on -> off (when is new), at 2000-01-02T00:00:00Z"},
		{"in a rule", `"rules": [{"if": ` + se + `, "serve": "off"}]`, `"rules": [{"if": ` + se + `, ` + step("0", tomorrow, "40") + `}]`, "f   40.000 % of rules[0]: off -> on (rules[0]: serve off to scheduled ramp), at 2000-01-02T00:00:00Z"},
		{"in a segment", `"serve": "off"`, `"rules": [{"if": {"segment": "soon"}, "serve": "on"}]`, "f  100.000 % of everybody: off -> on (rules[0] is new), at 2000-01-02T00:00:00Z"},
		{"as many of everybody, more later", `"rules": [{"if": ` + se + `, "serve": "off"}]`, `"rules": [{"if": ` + se + `, "serve": "on"}], ` + step("0", tomorrow, "100"), "f  100.000 % of everybody: off -> on (rules[0]: serve off to on; serve off to scheduled ramp), at 2000-01-02T00:00:00Z"},
		{"a line", `"serve": "off"`, line("f", "0 80"), "f   80.000 % of everybody: off -> on (serve off to scheduled ramp), at 2000-01-03T00:00:00Z"},
		{"on the way", line("a", "0 100"), line("b", "0 100"), "f   25.000 % of everybody, expected: off -> on (ramp with another salt), at 2000-01-02T12:00:00Z\n    25.000 % of everybody, expected: on -> off"},
		{"at the end of the way", line("f", "0 100"), step("0", "2000-01-03T00:00:00Z", "100"), "f   99.999 % of everybody: on -> off (schedule changed), at 2000-01-02T23:59:59.999999999Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				set := func(f string) *flag.Set {
					return compiled(t, `{"flags": {"f": {`+f+`}}, "segments": {"soon": {"if": `+window+`}}}`)
				}
				old, new := set(tt.old), set(tt.new)
				got := flag.Diff(old, new, nil)
				require.Equal(t, withBound(got, tt.want), got.String())
				require.Equal(t, got.Most(), flag.Diff(new, old, nil).Most())
				if at := got.Flags[0].At; !at.IsZero() {
					require.Equal(t, flag.DiffAt(old, new, nil, at).Flags[0].Moves, got.Flags[0].Moves)
				}
				require.Empty(t, flag.Diff(old, set(tt.old), nil).Flags)
			})
		})
	}
}

// TestDiffAheadOfSegments: segments that are the same today are not forever.
func TestDiffAheadOfSegments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := func(until string) *flag.Set {
			return compiled(t, `{"segments": {"north": {"if": {"any": [{"all": [{"attr": "country", "eq": "SE"}, {"time": {"until": "`+until+`"}}]}, {"attr": "country", "eq": "NO"}]}}},
				"flags": {"f": {"rules": [{"if": {"segment": "north"}, "serve": "on"}]}}}`)
		}
		old, new := set("2000-01-02T00:00:00Z"), set("2000-01-03T00:00:00Z")
		require.Zero(t, flag.DiffAt(old, new, nil, time.Now()).Most())
		require.Equal(t, flag.All, flag.Diff(old, new, nil).Most())
	})
}

// TestDiffAheadOfPeople: a population is looked at ahead as slots are; who has a moment
// of his own is not.
func TestDiffAheadOfPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		schedule := func(percent string) *flag.Set {
			return compiled(t, `{"flags": {"f": {"ramp": {"percent": 0, "schedule": [{"at": "2000-01-02T00:00:00Z", "percent": `+percent+`}, {"at": "2000-01-03T00:00:00Z", "percent": 50}]}}}}`)
		}
		old, new := schedule("0"), schedule("100")
		people := []flag.Subject{flag.For("a"), flag.For("b"), flag.For("c").At(time.Now())}
		got := flag.Diff(old, new, slices.Values(people))
		require.Equal(t, "f   66.667 % (2 of 3): off -> on (schedule changed), at 2000-01-02T00:00:00Z\n2 of 3 subjects moved by at least one flag", got.String())
		require.Zero(t, flag.DiffAt(old, new, slices.Values(people), time.Now()).Moved)
		require.Zero(t, flag.Diff(old, new, slices.Values(people[2:])).Most())

		needing := func(f string) *flag.Set {
			return compiled(t, `{"flags": {"f": {`+f+`}, "base": {"when": {"time": {"from": "2000-01-02T00:00:00Z"}}, "serve": "on"}}}`)
		}
		require.Equal(t, flag.All, flag.Diff(needing(`"serve": "off"`), needing(`"when": {"flag": "base"}, "serve": "on"`), slices.Values(people[:2])).Most())
	})
}

// TestDiffAheadOfRandomDocuments: of all moments at which anything can change, the worst
// is found.
func TestDiffAheadOfRandomDocuments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now, later := time.Now(), 0
		straight := func(doc flag.Document) {
			for _, f := range doc.Flags {
				for _, r := range append(f.Rules, flag.Rule{Ramp: f.Ramp}) {
					if r.Ramp != nil {
						r.Ramp.Linear = false
					}
				}
			}
		}
		for seed := range uint64(200) {
			d := newDice(seed, nil)
			a := d.document()
			b := d.edited(a)
			straight(a)
			straight(b)
			old, err := flag.Compile(a)
			require.NoError(t, err)
			new, err := flag.Compile(b)
			if err != nil {
				continue // an edit took away what something needs
			}
			people := make([]flag.Subject, 10)
			for i := range people {
				people[i] = d.person(attributes).subject()
			}
			shares := func(diff func(at time.Time) flag.Difference) map[string]flag.Share {
				most := map[string]flag.Share{}
				for _, at := range append(poolTimes, now) {
					if !at.Before(now) {
						for _, f := range diff(at).Flags {
							most[f.Key] = max(most[f.Key], f.Share)
						}
					}
				}
				return most
			}
			ahead := func(d flag.Difference) map[string]flag.Share {
				most := map[string]flag.Share{}
				for _, f := range d.Flags {
					most[f.Key] = f.Share
					if !f.At.IsZero() {
						later++
					}
				}
				return most
			}
			want := shares(func(at time.Time) flag.Difference { return flag.DiffAt(old, new, nil, at) })
			require.Equal(t, want, ahead(flag.Diff(old, new, nil)), "seed %d", seed)
			want = shares(func(at time.Time) flag.Difference { return flag.DiffAt(old, new, slices.Values(people), at) })
			got := ahead(flag.Diff(old, new, slices.Values(people)))
			maps.DeleteFunc(got, func(key string, share flag.Share) bool { return share == 0 && want[key] == 0 })
			maps.DeleteFunc(want, func(_ string, share flag.Share) bool { return share == 0 })
			require.Equal(t, want, got, "seed %d", seed)
		}
		require.Greater(t, later, 20)
	})
}

// TestDiffTooManyMoments: what cannot be looked at is not what moves nobody.
func TestDiffTooManyMoments(t *testing.T) {
	set := func(n int) *flag.Set {
		ramp := &flag.Ramp{}
		for i := range n {
			ramp.Schedule = append(ramp.Schedule, flag.Point{At: time.Now().AddDate(1, 0, i)})
		}
		set, err := flag.Compile(flag.Document{Flags: map[string]flag.FeatureFlag{"f": {Ramp: ramp}}})
		require.NoError(t, err)
		return set
	}
	require.Zero(t, flag.Diff(set(999), set(0), nil).Most())
	require.Equal(t, "f  100.000 % of everybody at most: too complicated (schedule changed)", flag.Diff(set(1000), set(0), nil).String())
	people := slices.Values([]flag.Subject{flag.For("a")})
	require.Equal(t, []any{flag.All, flag.BasisBound}, []any{flag.Diff(set(1000), set(0), people).Most(), flag.Diff(set(1000), set(0), people).Flags[0].Basis})
	require.Zero(t, flag.DiffAt(set(1000), set(0), nil, time.Now()).Most(), "one moment is not too many")
}
