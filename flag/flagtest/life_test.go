package flagtest_test

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flagtest"
	"github.com/stretchr/testify/require"
)

var (
	_ = flag.Bool("life-owned", false, flag.Life{Owner: "team basket", Expires: flag.Date(2200, time.January, 31)})
	_ = flag.Int("life-other", 0, flag.Life{Expires: flag.Date(2201, time.January, 31)}, flag.Life{Owner: "team mine"})
)

func TestNoneExpired(t *testing.T) {
	lines := regexp.MustCompile(`life_test\.go:\d+`)
	at := func(moment time.Time) (failures []string) {
		for _, f := range judge(t, func(t testing.TB) { flagtest.NoneExpiredAt(t, moment) }) {
			failures = append(failures, lines.ReplaceAllString(f, "here"))
		}
		return failures
	}
	const owned = `flag "life-owned" of team basket, declared at here, has expired on 2200-01-31, %d days ago: remove it, or say until when it stays`
	require.Empty(t, at(flag.Date(2200, time.January, 31).Add(-1)))
	require.Equal(t, []string{strings.ReplaceAll(owned, "%d", "0")}, at(flag.Date(2200, time.January, 31)))
	require.Equal(t, []string{
		`flag "life-other" of nobody, declared at here, has expired on 2201-01-31, 0 days ago: remove it, or say until when it stays`,
		strings.ReplaceAll(owned, "%d", "365"),
	}, at(flag.Date(2201, time.January, 31)))

	flagtest.NoneExpired(t)
}

// TestNoneExpiredLooksAtTheClock: what passes today fails when the time has come.
func TestNoneExpiredLooksAtTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		require.Empty(t, judge(t, flagtest.NoneExpired))
		time.Sleep(time.Until(flag.Date(2200, time.January, 31)))
		require.Len(t, judge(t, flagtest.NoneExpired), 1)
	})
}

func TestReviewed(t *testing.T) {
	review := flag.Review{Flags: []flag.ReviewedFlag{
		{Key: "fine"},
		{Key: "old", Owner: "me", Findings: []flag.Finding{{Kind: flag.FindingConstant, Since: monday, Text: `serves only "on"`}, {Kind: flag.FindingExpired}}},
		{Key: "stray", Findings: []flag.Finding{{Kind: flag.FindingUndeclared}}},
	}}
	by := func(kinds ...flag.FindingKind) []string {
		return judge(t, func(t testing.TB) { flagtest.Reviewed(t, review, kinds...) })
	}
	constant, expired, stray := `flag "old" of me: constant, 2026-11-30: serves only "on"`, `flag "old" of me: expired`, `flag "stray" of nobody: not declared`
	require.Equal(t, []string{constant, expired, stray}, by())
	require.Equal(t, []string{constant, stray}, by(flag.FindingUndeclared, flag.FindingConstant))
	require.Empty(t, by(flag.FindingTypes))
}
