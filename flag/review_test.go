package flag_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

const hours24 = 24 * time.Hour

// thisFile is a place that every edit of this file moves.
var thisFile = regexp.MustCompile(`review_test\.go:\d+`)

// found is what a review says of one flag, a line for each finding.
func found(r flag.Review, key string) (lines []string) {
	for _, f := range reviewed(r, key).Findings {
		since := "-"
		if !f.Since.IsZero() {
			since = f.Since.UTC().Format(time.DateTime)
		}
		text := thisFile.ReplaceAllString(f.Text, "here")
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%v, %s: %s", f.Kind, since, text)))
	}
	return lines
}

func reviewed(r flag.Review, key string) flag.ReviewedFlag {
	i := slices.IndexFunc(r.Flags, func(f flag.ReviewedFlag) bool { return f.Key == key })
	if i < 0 {
		return flag.ReviewedFlag{}
	}
	return r.Flags[i]
}

// TestReviewOfDeclarations: what is found whatever was evaluated.
func TestReviewOfDeclarations(t *testing.T) {
	flag.Bool("review-fine", false, flag.Life{Owner: "one", Expires: tuesday})
	flag.Bool("review-absent", false)
	flag.Bool("review-twice", false)
	flag.String("review-twice", "")
	flag.Bool("review-owners", false, flag.Life{Owner: "one", Expires: tuesday}, flag.Life{Expires: tuesday.Add(hours24)}, flag.Life{Owner: "other"})
	flag.Bool("review-fields", false, flag.Life{Owner: "one"}, flag.Life{Expires: tuesday}) // do not differ
	flag.Bool("review-over", false, flag.Life{Expires: monday})
	flag.Bool("review-broken", false)
	store := flag.New(flag.Bytes([]byte(`{"flags": {"review-fine": {}, "review-twice": {}, "review-owners": {}, "review-fields": {}, "review-over": {},
		"review-stray": {}, "review-read": {}, "review-base": {}, "review-deep": {}, "review-broken": {"serve": "no such"},
		"review-on-base": {"when": {"flag": "review-base"}}, "review-on-deep": {"rules": [{"if": {"segment": "outer"}, "serve": "on"}]}},
		"segments": {"outer": {"if": {"segment": "inner"}}, "inner": {"if": {"flag": "review-deep"}}}}`)), flag.Options{})
	require.ErrorContains(t, store.Load(t.Context()), "2 problems")
	subject := flag.For("u")
	flag.ByKey("review-read", false).Value(store, &subject)
	review := store.Review(flag.ReviewOptions{AsOf: monday, Soon: hours24 + 1})
	want := map[string][]string{
		"review-fine":    {"expires soon, 2026-12-01 00:00:00: declared at here"},
		"review-absent":  {"not configured, -: declared as bool at here"},
		"review-twice":   {"several types, -: declared as bool at here and string at here"},
		"review-owners":  {"several lives, -: one until 2026-12-01 at here and no owner until 2026-12-02 at here and other at here", "expires soon, 2026-12-01 00:00:00: declared at here"},
		"review-fields":  {"expires soon, 2026-12-01 00:00:00: declared at here"},
		"review-over":    {"expired, 2026-11-30 00:00:00: declared at here"},
		"review-broken":  nil,
		"review-stray":   {"not declared, -:"},
		"review-read":    {"not declared, -: evaluated by its key"},
		"review-base":    nil,
		"review-deep":    nil,
		"review-on-base": {"not declared, -:"},
		"review-nowhere": nil,
	}
	for key, want := range want {
		if d := cmp.Diff(want, found(review, key)); d != "" {
			t.Errorf("%s: (-want +got)\n%s", key, d)
		}
	}
	require.Equal(t, "one or other", reviewed(review, "review-owners").Owner)
	require.Equal(t, tuesday, reviewed(review, "review-owners").Expires)
	require.Equal(t, []string{"review-on-base"}, reviewed(review, "review-base").NeededBy)
	require.Equal(t, []string{"review-on-deep"}, reviewed(review, "review-deep").NeededBy)
	require.True(t, reviewed(review, "review-broken").Configured)
	require.False(t, reviewed(review, "review-absent").Configured)

	// One nanosecond less, and it is not soon.
	require.Empty(t, found(store.Review(flag.ReviewOptions{AsOf: monday, Soon: hours24}), "review-fine"))
	require.Len(t, found(store.Review(flag.ReviewOptions{AsOf: tuesday.Add(-14*hours24 + 1)}), "review-fine"), 1)
	require.Empty(t, found(store.Review(flag.ReviewOptions{AsOf: tuesday.Add(-14 * hours24)}), "review-fine"))
}

// TestReviewDaily: whoever reviews daily knows to the day since when a flag is idle or
// constant.
func TestReviewDaily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const key = "review-daily"
		daily := flag.String(key, "none")
		src := &source{data: `{"flags": {"review-daily": {"variants": {"a": "A", "b": "B"}, "targets": {"a": ["a"], "b": ["b"]}, "split": {"parts": [{"serve": "a", "percent": 100}]}}}}`}
		store := flag.New(src, flag.Options{})
		require.NoError(t, store.Load(t.Context()))
		born := time.Now()
		at := func(days int) string { return born.Add(time.Duration(days) * hours24).UTC().Format(time.DateTime) }
		evaluate := func(users ...string) {
			for _, user := range users {
				subject := flag.For(user)
				daily.Value(store, &subject)
			}
		}
		steps := []struct {
			do   func()
			want string
		}{
			{nil, ""},
			{nil, ""}, // for one day
			{nil, "not evaluated, " + at(0) + ":"},
			{func() { evaluate("a") }, ""}, // from the day before on nothing but a is served
			{func() { evaluate("a", "c") }, "constant, " + at(2) + `: serves only "a"`},
			{func() { evaluate("a", "b") }, ""},
			{func() { evaluate("b") }, ""},
			{func() { evaluate("b") }, "constant, " + at(5) + `: serves only "b"`},
			{nil, "constant, " + at(5) + `: serves only "b"`},
			{nil, "not evaluated, " + at(7) + ": evaluated 7 times before"},
			{func() { evaluate("") }, ""}, // the caller's default
			{func() { evaluate("") }, "constant, " + at(9) + ": serves only the caller's default"},
			{func() { require.NoError(t, store.Kill(key, me)) }, "constant, " + at(9) + ": serves only the caller's default"},
			{func() { require.NoError(t, store.Clear(key, me)); evaluate("b") }, ""},
			{func() { // somebody removes it for a moment, so that its counts begin anew
				src.put(`{"flags": {}}`, nil)
				require.NoError(t, store.Load(t.Context()))
				src.put(`{"flags": {"review-daily": {"variants": {"a": "A", "b": "B"}, "serve": "a", "targets": {"b": ["b"]}}}}`, nil)
				require.NoError(t, store.Load(t.Context()))
				evaluate("a")
			}, ""},
			{nil, "constant, " + at(13) + `: serves only "a"`},
			{func() { evaluate("a") }, "constant, " + at(13) + `: serves only "a"`},
		}
		for day, step := range steps {
			if step.do != nil {
				step.do()
			}
			for range 2 { // somebody else may ask, too
				review := store.Review(flag.ReviewOptions{Constant: 2 * hours24, AsOf: monday})
				if got := strings.Join(found(review, key), "; "); got != step.want {
					t.Errorf("day %d: got %s\nwant %s", day, got, step.want)
				}
				clear(reviewed(review, key).Counts) // the caller's
			}
			time.Sleep(hours24)
		}
	})
}

// TestReviewStatic: a flag that can serve one variant alone is constant although nobody
// counts.
func TestReviewStatic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const document = `{"flags": {"review-static": {"serve": "on", "ramp": {"percent": 0}}, "review-free": {"ramp": {"percent": 100}},
			"review-none": {"disabled": true, "variants": {"a": "A"}, "serve": "a"}}}`
		for _, noCounts := range []bool{false, true} {
			store := flag.New(flag.Bytes([]byte(document)), flag.Options{NoCounts: noCounts})
			require.NoError(t, store.Load(t.Context()))
			on, free, subject := flag.Bool("review-static", false), flag.Bool("review-free", false), flag.For("u")
			start := time.Now()
			for day := range 3 {
				on.Value(store, &subject)
				free.Value(store, &subject)
				review := store.Review(flag.ReviewOptions{})
				require.Equal(t, "on", reviewed(review, "review-static").Only)
				require.True(t, start.Equal(reviewed(review, "review-static").OnlySince), "day %d", day)
				require.Equal(t, noCounts, reviewed(review, "review-free").OnlySince.IsZero())
				require.Equal(t, noCounts, reviewed(review, "review-free").Idle.IsZero())
				require.Equal(t, noCounts, reviewed(review, "review-free").Counts == nil)
				time.Sleep(hours24)
			}
			// It is another since it was changed, whoever was served before.
			on.Value(store, &subject)
			changed := time.Now()
			require.NoError(t, store.Override("review-static", "off", me))
			time.Sleep(time.Hour)
			review := store.Review(flag.ReviewOptions{})
			require.Equal(t, "off", reviewed(review, "review-static").Only)
			require.True(t, changed.Equal(reviewed(review, "review-static").OnlySince))
			require.NoError(t, store.SetRamp("review-static", flag.Ramp{Share: flag.Percent, Serve: "off"}, me))
			require.NoError(t, store.Clear("review-static", me))
			require.NoError(t, store.SetRamp("review-free", flag.Ramp{Share: 0}, me))
			free.Value(store, &subject)
			changed = time.Now()
			time.Sleep(time.Hour)
			review = store.Review(flag.ReviewOptions{})
			require.True(t, changed.Equal(reviewed(review, "review-free").OnlySince))
			require.True(t, changed.Equal(reviewed(review, "review-static").OnlySince))
			require.NoError(t, store.Override("review-static", "off", me))
			require.NoError(t, store.Clear("review-static", me))
			require.NoError(t, store.SetRamp("review-free", flag.Ramp{Share: flag.Percent}, me))
			review = store.Review(flag.ReviewOptions{})
			require.Equal(t, noCounts, reviewed(review, "review-free").OnlySince.IsZero(), "it may be either, and without counts nobody knows")
			require.Equal(t, noCounts, time.Now().Equal(reviewed(review, "review-static").OnlySince), "it was another for a moment, in which nobody asked")
			require.NoError(t, store.Override("review-static", "off", me))
			on.Value(store, &subject)
			time.Sleep(time.Hour)
			require.NoError(t, store.Clear("review-static", me))
			changed = time.Now()
			time.Sleep(time.Hour)
			require.True(t, changed.Equal(reviewed(store.Review(flag.ReviewOptions{}), "review-static").OnlySince), "somebody was served another")
			require.Empty(t, reviewed(review, "review-none").Only)
			require.True(t, start.Equal(reviewed(review, "review-none").OnlySince), "the caller's default is one, too")
		}
	})
}

// TestReviewIsNotTooOld: the first review knows when a flag came, and when it was changed.
func TestReviewIsNotTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &source{data: `{"flags": {"review-old": {}, "review-changed": {}}}`}
		store := flag.New(src, flag.Options{})
		time.Sleep(hours24)
		require.NoError(t, store.Load(t.Context()))
		loaded := time.Now()
		time.Sleep(hours24)
		src.put(`{"flags": {"review-old": {}, "review-changed": {"serve": "on"}, "review-new": {}}}`, nil)
		require.NoError(t, store.Load(t.Context()))
		changed := time.Now()
		time.Sleep(hours24)
		review := store.Review(flag.ReviewOptions{})
		for key, want := range map[string]time.Time{"review-old": loaded, "review-changed": changed, "review-new": changed} {
			require.True(t, want.Equal(reviewed(review, key).Idle), key)
			require.True(t, want.Equal(reviewed(review, key).OnlySince), key)
		}
		time.Sleep(hours24) // and so does the first that finds it
		src.put(`{"flags": {"review-newest": {}}}`, nil)
		require.NoError(t, store.Load(t.Context()))
		changed = time.Now()
		time.Sleep(hours24)
		flag.Bool("review-newest", false)
		again := flag.New(src, flag.Options{})
		require.NoError(t, again.Load(t.Context()))
		loaded = time.Now()
		time.Sleep(hours24)
		require.True(t, changed.Equal(reviewed(store.Review(flag.ReviewOptions{}), "review-newest").Idle))
		last := flag.Review{At: changed, Flags: []flag.ReviewedFlag{{Key: "review-newest"}}}
		require.True(t, loaded.Equal(reviewed(again.Review(flag.ReviewOptions{Last: last}), "review-newest").Idle))
	})
}

// TestReviewAfterRestart: what is known of the process before is handed over in JSON.
func TestReviewAfterRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := func() *flag.Store {
			return load(t, `{"flags": {"review-again": {"ramp": {"percent": 100}}, "review-unread": {}}}`)
		}
		again, subject := flag.Bool("review-again", false), flag.For("u")
		flag.Bool("review-unread", false)
		store, start := open(), time.Now()
		again.Value(store, &subject)
		time.Sleep(20 * hours24)
		text, err := json.Marshal(store.Review(flag.ReviewOptions{}))
		require.NoError(t, err)
		var last flag.Review
		require.NoError(t, json.Unmarshal(text, &last))
		require.Empty(t, found(last, "review-again"))

		store = open()
		again.Value(store, &subject)
		time.Sleep(20 * hours24)
		review := store.Review(flag.ReviewOptions{Last: last})
		want := start.UTC().Format(time.DateTime)
		require.Equal(t, []string{"constant, " + want + `: serves only "on"`}, found(review, "review-again"))
		require.Equal(t, []string{"not evaluated, " + want + ":"}, found(review, "review-unread"))
		again.Value(store, &flag.Subject{})
		require.Empty(t, found(store.Review(flag.ReviewOptions{Last: last}), "review-again"), "only the first looks at it")

		// Who hands nothing over begins anew, and so does who comes from the future.
		last.At = time.Now().Add(1)
		for _, last := range []flag.Review{{}, last} {
			store = open()
			again.Value(store, &subject)
			review = store.Review(flag.ReviewOptions{Last: last, Constant: 1})
			require.Empty(t, found(review, "review-again"))
			require.True(t, time.Now().Equal(reviewed(review, "review-unread").Idle))
		}
	})
}

// TestReviewOfNothing: there is always a review, of what is declared at least.
func TestReviewOfNothing(t *testing.T) {
	flag.Bool("review-nothing", false, flag.Life{Expires: monday})
	var none *flag.Store
	for _, store := range []*flag.Store{none, {}, flag.New(nil, flag.Options{})} {
		for range 2 {
			review := store.Review(flag.ReviewOptions{})
			require.Contains(t, found(review, "review-nothing"), "not configured, -: declared as bool at here")
		}
	}
}

func TestReviewText(t *testing.T) {
	review := flag.Review{At: monday, Flags: []flag.ReviewedFlag{
		{Key: "fine"},
		{Key: "two\tlines\n", Owner: "team é", Findings: []flag.Finding{{Kind: flag.FindingExpired, Since: monday, Text: "declared at a.go:1"}, {Kind: flag.FindingUndeclared}}},
		{Key: "bad", Findings: []flag.Finding{{Kind: 99}}},
	}}
	require.Equal(t, `FLAG            OWNER   FINDING       SINCE       DETAILS
"two\tlines\n"  team é  expired       2026-11-30  declared at a.go:1
"two\tlines\n"  team é  not declared  -
bad             -       invalid       -
`, review.String())
	require.Equal(t, "nothing found in 1 flags\n", flag.Review{Flags: review.Flags[:1]}.String())

	for kind := flag.FindingUnconfigured; kind <= flag.FindingExpiring; kind++ {
		text, err := json.Marshal(kind)
		require.NoError(t, err)
		var back flag.FindingKind
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, kind, back)
	}
	require.ErrorContains(t, new(flag.FindingKind).UnmarshalText([]byte("invalid")), `unknown finding "invalid", want one of ["not configured"`)
}
