package flagtest

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
)

// NoneExpired fails the test for every flag whose [flag.Life] is over, from the very day
// that a [flag.Date] names: those that the
// packages of the test's binary declare, so it is best called from a test of the program
// that links them all.
func NoneExpired(t testing.TB) {
	t.Helper()
	NoneExpiredAt(t, time.Now())
}

// NoneExpiredAt is [NoneExpired] as of a moment: what will fail the build by then.
func NoneExpiredAt(t testing.TB, moment time.Time) {
	t.Helper()
	for d := range flag.Declared() {
		if d.Expired(moment) {
			t.Errorf("flag %q of %s, declared at %s, has expired on %s, %d days ago: remove it, or say until when it stays",
				d.Key, cmp.Or(d.Owner, "nobody"), d.Where, d.Expires.UTC().Format(time.DateOnly), int(moment.Sub(d.Expires).Hours()/24))
		}
	}
}

// Reviewed fails the test for every finding of a review that is of one of these kinds,
// or of any if there are none.
func Reviewed(t testing.TB, review flag.Review, kinds ...flag.FindingKind) {
	t.Helper()
	for _, f := range review.Flags {
		for _, found := range f.Findings {
			if kinds != nil && !slices.Contains(kinds, found.Kind) {
				continue
			}
			text := ""
			if !found.Since.IsZero() {
				text += ", " + found.Since.UTC().Format(time.DateOnly)
			}
			if found.Text != "" {
				text += ": " + found.Text
			}
			t.Errorf("flag %q of %s: %v%s", f.Key, cmp.Or(f.Owner, "nobody"), found.Kind, text)
		}
	}
}
