package flag

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Review is what there is to say about the life of every flag that this process
// declares or its document has: which have become litter, which will, and who answers for
// them. It reads and writes JSON, and String prints what was found.
type Review struct {
	At    time.Time      `json:"at"`              // when it was made; zero is no review
	Flags []ReviewedFlag `json:"flags,omitempty"` // in the order of their keys, those included of which nothing was found
}

// ReviewedFlag is one flag in a [Review]. What it says of evaluations is of this process,
// and of those before it whose review it was told of.
type ReviewedFlag struct {
	Key      string        `json:"key"`                // the flag's
	Owner    string        `json:"owner,omitempty"`    // who answers for it; joined by " or " if declarations differ, empty if none says
	Expires  time.Time     `json:"expires,omitzero"`   // the earliest that a declaration says; zero is never
	Declared []Declaration `json:"declared,omitempty"` // every way in which the code does, as in [Declared]
	// Configured says that the store has the flag, be its definition broken or not.
	Configured bool     `json:"configured,omitempty"`
	NeededBy   []string `json:"neededBy,omitempty"` // the flags that name it in a condition, so that nobody has to declare or to evaluate it
	// Counts are evaluations by variant, as in [Status].
	Counts map[string]uint64 `json:"counts,omitempty"`
	// Idle is since when nobody has evaluated the flag, as far as is known. It is zero if
	// the store does not have the flag or counts nothing.
	Idle time.Time `json:"idle,omitzero"`
	// Only is the one variant that was served since OnlySince, and would be now; empty is
	// the caller's default. OnlySince is zero if there were several, or if it is not known.
	Only      string    `json:"only,omitempty"`
	OnlySince time.Time `json:"onlySince,omitzero"` // see Only
	// Quarantined is since when reviews have found that the newest document is wrong
	// about the flag, as [Status] says; zero if it is not.
	Quarantined time.Time `json:"quarantined,omitzero"`
	// Laid is what was changed at run time, as in [Status], also if it waits for a flag
	// that the store does not have. It is without what was put into a store without a
	// source, which lives of that.
	Laid     []Laid    `json:"laid,omitempty"`
	Findings []Finding `json:"findings,omitempty"` // what somebody ought to look at, in the order of their kinds
}

// Finding is something about a flag that somebody ought to look at.
type Finding struct {
	Kind  FindingKind `json:"kind"`           // what it is
	Since time.Time   `json:"since,omitzero"` // since when it has been so, as far as is known; of FindingExpiring, when it will be; zero is not known
	Text  string      `json:"text,omitempty"` // details for people
}

// FindingKind says what was found.
type FindingKind uint8

// What can be found. The zero FindingKind is never returned.
const (
	// FindingUnconfigured is a flag that code declares and the store does not have: its
	// callers get their defaults.
	FindingUnconfigured FindingKind = iota + 1
	// FindingUndeclared is a flag that the store has, but no code declares and no other
	// flag needs.
	FindingUndeclared
	// FindingTypes is a flag that code declares with more than one type; it does not load.
	FindingTypes
	// FindingLives is a flag whose declarations name different owners or ends.
	FindingLives
	// FindingIdle is a flag that nobody has evaluated for [ReviewOptions.Constant], be it
	// never or no more, and that no other flag needs.
	FindingIdle
	// FindingConstant is a flag that has served only one variant for
	// [ReviewOptions.Constant], because it can serve no other or because it happened to.
	FindingConstant
	// FindingExpired is a flag whose [Life.Expires] is over.
	FindingExpired
	// FindingExpiring is a flag whose [Life.Expires] is less than [ReviewOptions.Soon] away.
	FindingExpiring
	// FindingOverlaid is something that was laid over a flag at run time, a kill for
	// example, [ReviewOptions.Constant] ago or longer: it is forgotten, or belongs into the
	// document.
	FindingOverlaid
	// FindingQuarantined is a flag that reviews have found quarantined for
	// [ReviewOptions.Constant].
	FindingQuarantined
)

var findingNames = [...]string{"invalid", "not configured", "not declared", "several types", "several lives", "not evaluated",
	"constant", "expired", "expires soon", "overlaid", "quarantined"}

// String is a word or two.
func (k FindingKind) String() string {
	if int(k) >= len(findingNames) {
		return findingNames[0]
	}
	return findingNames[k]
}

// MarshalText is String.
func (k FindingKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is the opposite of MarshalText. What it does not know is an error.
func (k *FindingKind) UnmarshalText(text []byte) error {
	i := slices.Index(findingNames[1:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown finding %q, want one of %q", text, findingNames[1:])
	}
	*k = FindingKind(i + 1)
	return nil
}

// ReviewOptions tune [Store.Review]. Every zero is right for most.
type ReviewOptions struct {
	// Constant is for how long a flag has to have served only one variant, or not to have
	// been evaluated, until that is a finding, or to be overlaid or quarantined. Zero means
	// 30 days.
	Constant time.Duration
	// Soon is how long before a flag expires that is a finding. Zero means 14 days.
	Soon time.Duration
	// Last is what an earlier process of the same service found, to know again since when
	// flags are idle or constant. Only the store's first review looks at it. Zero is
	// nothing; one of the future says nothing.
	Last Review
	// AsOf is the moment at which lives are looked at, to ask what will have expired by
	// then. Zero means now. Whether a flag is idle or constant does not depend on it.
	AsOf time.Time
}

// String is a table with a line for everything that was found.
func (r Review) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	found := 0
	for _, f := range r.Flags {
		for _, finding := range f.Findings {
			if found++; found == 1 {
				fmt.Fprintln(w, "FLAG\tOWNER\tFINDING\tSINCE\tDETAILS")
			}
			fmt.Fprintf(w, "%s\t%s\t%v\t%s\t%s\n", oneLine(f.Key), oneLine(cmp.Or(f.Owner, "-")), finding.Kind, dated(finding.Since), oneLine(finding.Text))
		}
	}
	if found == 0 {
		return fmt.Sprintf("nothing found in %d flags\n", len(r.Flags))
	}
	w.Flush() // to a strings.Builder, which takes everything
	var lines []string
	for line := range strings.Lines(b.String()) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	return strings.Join(lines, "\n") + "\n"
}

// oneLine quotes what would break a table.
func oneLine(text string) string {
	if quoted := strconv.Quote(text); strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return quoted
	}
	return text
}

func dated(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateOnly)
}
