package strategy

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/guidon-go/guidon/internal/percent"
)

// Amount is a number of instances, or a share of all of them. In JSON it is 3 or
// "25%". The zero Amount is none.
type Amount struct {
	Count int   // so many
	Share Share // or such a part; not both
}

// String is "3" or "25%".
func (a Amount) String() string {
	if a.Share != 0 {
		return percent.Format(int32(a.Share)) + "%"
	}
	return strconv.Itoa(a.Count)
}

// MarshalJSON writes 3 or "25%".
func (a Amount) MarshalJSON() ([]byte, error) {
	if a.Share != 0 {
		return json.Marshal(a.String())
	}
	return json.Marshal(a.Count)
}

// UnmarshalJSON reads 3 or "25%".
func (a *Amount) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		share, ok := strings.CutSuffix(text, "%")
		n, err := percent.Parse(strings.TrimSpace(share))
		if !ok || err != nil {
			return fmt.Errorf("found %q, want a number of instances or a percentage like \"25%%\"", text)
		}
		*a = Amount{Share: Share(n)}
		return nil
	}
	var n int
	if err := json.Unmarshal(data, &n); err != nil {
		return fmt.Errorf("found %s, want a number of instances or a percentage like \"25%%\"", data)
	}
	*a = Amount{Count: n}
	return nil
}

// Limits resolves how many instances a rolling update may have beyond the desired
// number, and how many may be missing, as Kubernetes does for its Deployments: a
// share of the surge is rounded up, one of the unavailable down, and if both come to
// nothing, one may be missing, or the update could never move. None of the three is
// below zero.
func Limits(desired int, surge, unavailable Amount) (more, missing int) {
	more, missing = surge.Count, unavailable.Count
	if surge.Share != 0 {
		more = ceil(surge.Share, desired)
	}
	if unavailable.Share != 0 {
		missing = int(int64(unavailable.Share) * int64(desired) / int64(All))
	}
	missing = min(missing, desired)
	if more == 0 && missing == 0 {
		missing = 1
	}
	return more, missing
}

// NextRolling is how many instances of each version run after the next move of a
// rolling update, if all that run now are ready. Either new ones are added, as many
// as more allows beyond the desired number, or old ones are taken away, as many as
// leaves all but missing of the desired number. New ones beyond the desired number go
// first. At the end it changes nothing; before, it does, if more and missing are as
// [Limits] gives them.
func NextRolling(desired, old, new, more, missing int) (nextOld, nextNew int) {
	if new > desired {
		return old, desired
	}
	if add := min(desired+more-old-new, desired-new); add > 0 {
		return old, new + add
	}
	if drop := min(old+new-(desired-missing), old); drop > 0 {
		return old - drop, new
	}
	return old, new
}

// ceil is a share of n, rounded up.
func ceil(share Share, n int) int {
	return int((int64(share)*int64(n) + int64(All) - 1) / int64(All))
}

// InstancesFor is how many instances of n serve a share of the traffic, if all n
// serve all of it: rounded up, so that a share above zero has at least one.
func InstancesFor(share Share, n int) int { return ceil(share, n) }

// ShareOf is the share of the traffic that the new version has where every instance
// gets as much as any other: new of old and new, rounded down to a slot of 0.001 %.
// Without instances it is zero.
func ShareOf(old, new int) Share {
	if new <= 0 {
		return 0
	}
	return Share(int64(new) * int64(All) / int64(max(old, 0)+new))
}

// Divide divides n instances, or n and one if surge allows it, between the versions
// such that the new one's part is as close as can be to a share: for traffic that
// follows the instances. Of two that are equally close it takes the one with more new
// instances, and then the one with fewer in all. Neither version is left without an
// instance by a share above zero and below all, unless there is only one and no surge:
// then it is the old one.
func Divide(share Share, n int, surge bool) (old, new int) {
	switch {
	case share <= 0 || n <= 0:
		return max(n, 0), 0
	case share >= All:
		return 0, n
	case n == 1 && !surge:
		return 1, 0
	}
	best := int64(-1)
	for total := n; total == n || surge && total == n+1; total++ {
		for _, k := range [...]int{ceil(share, total), ceil(share, total) - 1} {
			if k < 1 || k >= total {
				continue
			}
			// |k/total - share| as a fraction of total, compared across totals by
			// cross-multiplying with the other total.
			off := abs(int64(k)*int64(All)-int64(share)*int64(total)) * int64(2*n+1-total)
			if best < 0 || off < best || off == best && k > new {
				best, old, new = off, total-k, k
			}
		}
	}
	return old, new
}

func abs(n int64) int64 { return max(n, -n) }
