package flagtest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
)

// Flags is a [flag.Store] or a [flag.Set].
type Flags interface {
	View(subject flag.Subject) *flag.View
}

// AsOf returns the same flags at another moment, for what asks them for a view: their
// schedules and time windows are looked at as of then.
func AsOf(flags Flags, moment time.Time) Flags { return asOf{flags, moment} }

type asOf struct {
	Flags
	moment time.Time
}

func (a asOf) View(subject flag.Subject) *flag.View { return a.Flags.View(subject.At(a.moment)) }

// tries is how many subjects SubjectIn looks at: of a share of one slot, 0.001 %, it finds
// one all but surely.
const tries = 1_000_000

// SubjectIn returns a subject with these facts that the flag gives this variant; an empty
// one is the caller's default. It is always the same one. It is looked for among a million
// keys, and last without a key, so it is nobody whom only a target, a segment or an
// attribute lets in: give his facts. If there is none, the test is over, and told what
// there is instead.
func SubjectIn(t testing.TB, flags Flags, key, variant string, facts ...flag.Fact) flag.Subject {
	t.Helper()
	var can []string
	for name := range flag.ByKey[any](key, nil).Variants(flags.View(flag.Subject{})) {
		can = append(can, name)
	}
	switch {
	case can == nil:
		t.Fatalf("a subject in %q of %q: there is no such flag", variant, key)
	case !slices.Contains(can, variant):
		t.Fatalf("a subject in %q of %q: the flag can serve %q alone", variant, key, can)
	}
	found := map[outcome]int{}
	for i := range tries + 1 {
		subject := flag.For("subject-"+strconv.Itoa(i), facts...)
		if i == tries {
			subject = flag.For("", facts...)
		}
		d := decide(flags, key, subject)
		if d.Variant == variant {
			return subject
		}
		found[outcome{d.Variant, d.Reason, d.Rule}]++
	}
	var others []string
	for other, n := range found {
		others = append(others, fmt.Sprintf("%d %v", n, other))
	}
	slices.Sort(others)
	t.Fatalf("a subject in %q of %q: none of %d with these facts, but %s", variant, key, tries+1, strings.Join(others, ", "))
	return flag.Subject{}
}

// outcome is what other subjects get, and why.
type outcome struct {
	variant string
	reason  flag.Reason
	rule    int
}

func (o outcome) String() string {
	if o.rule >= 0 {
		return fmt.Sprintf("in %q by %v %d", o.variant, o.reason, o.rule)
	}
	return fmt.Sprintf("in %q by %v", o.variant, o.reason)
}

// decide is no exposure to those who are told of the store's, and is not counted, nor of a
// set that is a store's.
func decide(flags Flags, key string, subject flag.Subject) flag.Decision[any] {
	ref := flag.ByKey[any](key, nil)
	switch flags := flags.(type) {
	case *flag.Store:
		for d := range ref.Follow(context.Background(), flags, subject) {
			return d
		}
		return flag.Decision[any]{}
	case *flag.Set:
		d := flags.Explain(key, &subject)
		return flag.Decision[any]{Variant: d.Variant, Reason: d.Reason, Rule: d.Rule}
	case asOf:
		return decide(flags.Flags, key, subject.At(flags.moment))
	default:
		return ref.DecideFrom(flags.View(subject))
	}
}
