package flag

import (
	"iter"
	"slices"
	"strings"
	"time"
)

// Life is what a declaration says about how long a flag is meant to live, and who
// answers for it. Its zero value says neither.
type Life struct {
	Owner   string    `json:"owner,omitempty"`  // a team or a person; empty is unknown
	Expires time.Time `json:"expires,omitzero"` // from when on the flag ought to be gone: a [Date] is the first day without it; zero is never
}

// Date is the beginning of a day in UTC, for [Life.Expires].
func Date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// Expired says whether the life is over at a moment: it is at Expires itself, so on the
// whole day of a [Date].
func (l Life) Expired(now time.Time) bool { return !l.Expires.IsZero() && !now.Before(l.Expires) }

func (l Life) equal(other Life) bool {
	return l.Owner == other.Owner && l.Expires.Equal(other.Expires)
}

// Declaration is one way in which the code of this process declares a flag.
type Declaration struct {
	Key   string `json:"key"`   // the flag's
	Type  string `json:"type"`  // of its values, as Go writes it: "bool", "int64"
	Where string `json:"where"` // the first place that declares it so: "checkout.go:12"
	Life
}

// Declared yields every way in which the packages of this process have declared flags
// so far, in the order of their keys: a flag that is declared with two types, or with
// two lives, comes twice. It is safe for concurrent use.
func Declared() iter.Seq[Declaration] {
	return func(yield func(Declaration) bool) {
		for _, d := range allDeclared() {
			if !yield(d) {
				return
			}
		}
	}
}

// maxLives is how many lives one declaration may have: whoever gives it another each
// time tells nothing new.
const maxLives = 10

// lived is a life with the place that says so.
type lived struct {
	Life
	where string
}

// live notes the lives of a declaration that it does not have yet. It is called with the
// registry locked.
func live(id int, life []Life) {
	for _, l := range life {
		known := registry.lives[id]
		same := func(other lived) bool { return other.equal(l) }
		if len(known) < maxLives && !l.equal(Life{}) && !slices.ContainsFunc(known, same) {
			registry.lives[id] = append(known, lived{l, declaredAt()})
		}
	}
}

func allDeclared() (all []Declaration) {
	registry.Lock()
	defer registry.Unlock()
	for id, d := range registry.refs {
		switch lives := registry.lives[id]; {
		case d.typ == nil: // the first is no flag
		case len(lives) == 0:
			all = append(all, Declaration{d.key, d.typ.String(), d.where, Life{}})
		default:
			for _, l := range lives {
				all = append(all, Declaration{d.key, d.typ.String(), l.where, l.Life})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Declaration) int { return strings.Compare(a.Key, b.Key) })
	return all
}
