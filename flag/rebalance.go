package flag

import (
	"cmp"
	"slices"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Rebalance gives a live split new shares and moves as few units as any split with
// these shares can. It returns the new split by ranges: a variant that shrinks gives
// up its highest slots, and those that grow take them, in the order of new.Parts.
// Nobody moves between two variants unless one of them shrinks and the other grows.
//
// Either split may be by percentages or by ranges; of the ranges in new, only the
// sums count. A variant that new leaves out gives everything up. By and Salt stay
// as they are in old: empty in new they mean that, and anything else is an error,
// since it would move nearly everybody. The error is a [Problems] with everything
// that is wrong, in paths that begin with old and new.
func Rebalance(old, new Split) (Split, error) {
	var problems Problems
	checkNames(old, "old", &problems)
	from := layout(old, "old", &problems)
	checkKept(old.By, new.By, "new.by", &problems)
	checkKept(old.Salt, new.Salt, "new.salt", &problems)
	checkNames(new, "new", &problems)
	to := layout(new, "new", &problems)
	if len(problems) > 0 {
		return Split{}, problems
	}
	result := Split{By: old.By, Salt: old.Salt, Parts: make([]Part, len(new.Parts))}
	for i, part := range new.Parts {
		result.Parts[i].Serve = part.Serve
	}
	for _, s := range move(renumber(from, old.Parts, new.Parts), to, len(new.Parts)) {
		part := &result.Parts[s.part]
		part.Ranges = append(part.Ranges, Range{From: s.from, To: s.to})
	}
	return result, nil
}

// gone is the part of a span that no variant of the new split has.
const gone = -1

// renumber says whose the spans of the old parts are among the new ones.
func renumber(spans []span, old, new []Part) []span {
	renumbered := make([]span, len(spans))
	for i, s := range spans {
		s.part = slices.IndexFunc(new, func(p Part) bool { return p.Serve == old[s.part].Serve })
		renumbered[i] = s
	}
	return renumbered
}

// move changes who has the slots until each of so many parts has as many as in to.
func move(spans, to []span, parts int) []span {
	surplus := make([]Share, parts) // negative for those who grow
	for _, s := range spans {
		if s.part != gone {
			surplus[s.part] += s.to - s.from
		}
	}
	for _, s := range to {
		surplus[s.part] -= s.to - s.from
	}

	var moved, freed []span
	for _, s := range slices.Backward(spans) { // the highest first
		gives := s.to - s.from
		if s.part != gone {
			gives = max(0, min(gives, surplus[s.part]))
			surplus[s.part] -= gives
		}
		moved = append(moved, span{s.from, s.to - gives, s.part})
		freed = append(freed, span{s.to - gives, s.to, gone})
	}

	slices.Reverse(freed)
	for part := range surplus {
		for surplus[part] < 0 {
			free := &freed[0]
			takes := min(-surplus[part], free.to-free.from)
			moved = append(moved, span{free.from, free.from + takes, part})
			surplus[part] += takes
			if free.from += takes; free.from == free.to {
				freed = freed[1:]
			}
		}
	}
	slices.SortFunc(moved, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	return merge(moved)
}

// checkNames wants every part to name a variant.
func checkNames(split Split, path string, problems *Problems) {
	for i, part := range split.Parts {
		if part.Serve == "" {
			problems.add(jsontree.Join(jsontree.Index(jsontree.Join(path, "parts"), i), "serve"), "missing, want the name of a variant")
		}
	}
}

// checkKept wants the new split to say nothing else than the old one.
func checkKept(old, new, path string, problems *Problems) {
	if new != "" && new != old {
		problems.add(path, "found %q where the old split has %q, want the same or nothing: any other moves nearly everybody", new, old)
	}
}
