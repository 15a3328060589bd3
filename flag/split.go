package flag

import (
	"cmp"
	"math"
	"slices"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// span is the slots from from up to, not including, to, and whose they are.
type span struct {
	from, to Share
	part     int // which of the parts of a split
}

// layout says who gets which slots: spans in ascending order that cover 0 to All
// once; those of one part that touch are one. Everything that is wrong with the
// shares is added to the problems, and then there are no spans. What the parts are
// called is for the caller to check, except that no two are called the same.
func layout(split Split, path string, problems *Problems) []span {
	before := len(*problems)
	path = jsontree.Join(path, "parts")
	first := map[string]int{}
	for i, part := range split.Parts {
		if j, ok := first[part.Serve]; ok && part.Serve != "" {
			problems.add(jsontree.Join(jsontree.Index(path, i), "serve"), "found %q, want another variant than in parts[%d]", part.Serve, j)
			continue
		}
		first[part.Serve] = i
	}
	var spans []span
	if i := slices.IndexFunc(split.Parts, func(p Part) bool { return len(p.Ranges) > 0 }); i >= 0 {
		spans = byRanges(split.Parts, i, path, problems)
	} else {
		spans = byShares(split.Parts, path, problems)
	}
	if len(*problems) > before {
		return nil
	}
	return merge(spans)
}

// byShares lays the parts out one behind the other.
func byShares(parts []Part, path string, problems *Problems) []span {
	before := len(*problems)
	spans, sum := make([]span, 0, len(parts)), int64(0)
	for i, part := range parts {
		at := func() string { return jsontree.Join(jsontree.Index(path, i), "percent") }
		switch {
		case part.Share < 0 || part.Share > All:
			problems.add(at(), "found %v, want 0 to 100 %%", part.Share)
			continue
		case part.Share != 0 && part.Ranges != nil:
			problems.add(at(), "found %v beside ranges, want one or the other", part.Share)
		}
		spans = append(spans, span{Share(sum), Share(sum) + part.Share, i})
		sum += int64(part.Share)
	}
	if sum != int64(All) && len(*problems) == before {
		problems.add(path, "sums to %v, want 100 %%", Share(min(sum, math.MaxInt32)))
	}
	return spans
}

// byRanges puts the parts where they say, of which the first that does is known.
func byRanges(parts []Part, first int, path string, problems *Problems) []span {
	before := len(*problems)
	var claims []claim
	for i, part := range parts {
		at := jsontree.Index(path, i)
		if part.Share != 0 {
			problems.add(jsontree.Join(at, "percent"), "found %v beside the ranges of parts[%d], want one or the other in all parts", part.Share, first)
		}
		claims = append(claims, claimed(part.Ranges, i, jsontree.Join(at, "ranges"), problems)...)
	}
	complete := len(*problems) == before // if not, a gap may only follow from that
	separate(claims, problems)
	spans, end := make([]span, len(claims)), Share(0)
	gap := func(to Share) {
		if end < to && complete {
			problems.add(path, "leaves %v to %v to nobody, want ranges that cover 0 to 100 %% once", end, to)
		}
	}
	for i, c := range claims {
		gap(c.from)
		end = max(end, c.to)
		spans[i] = c.span
	}
	gap(All)
	return spans
}

// claim is a range that somebody wrote, and where.
type claim struct {
	span
	path string
}

// claimed checks each of one part's ranges for itself and leaves out the impossible.
func claimed(ranges []Range, part int, path string, problems *Problems) []claim {
	claims := make([]claim, 0, len(ranges))
	for i, r := range ranges {
		at := jsontree.Index(path, i)
		switch {
		case r.From < 0 || r.To > All:
			problems.add(at, "found %v to %v, want a range within 0 to 100 %%", r.From, r.To)
		case r.From >= r.To:
			problems.add(at, "found %v to %v, want from to be less than to", r.From, r.To)
		default:
			claims = append(claims, claim{span{r.From, r.To, part}, at})
		}
	}
	return claims
}

// separate puts claims into the order of their slots and tells which overlap with
// one before.
func separate(claims []claim, problems *Problems) {
	slices.SortStableFunc(claims, func(a, b claim) int { return cmp.Compare(a.from, b.from) })
	last := 0 // which of them reaches furthest so far
	for i, c := range claims {
		if i > 0 && c.from < claims[last].to {
			problems.add(c.path, "overlaps with %s from %v to %v", claims[last].path, c.from, min(c.to, claims[last].to))
		}
		if c.to > claims[last].to {
			last = i
		}
	}
}

// merge makes one span of neighbours that belong to the same part, and drops the
// empty. The spans are in order and leave no gap.
func merge(spans []span) []span {
	merged := spans[:0]
	for _, s := range spans {
		switch last := len(merged) - 1; {
		case s.from == s.to:
		case last >= 0 && merged[last].part == s.part:
			merged[last].to = s.to
		default:
			merged = append(merged, s)
		}
	}
	return merged
}
