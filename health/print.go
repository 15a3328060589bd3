package health

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// count writes a number of things: "1 request", "2,310 requests".
func count(n uint64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return group(n) + " " + thing + "s"
}

// group sets thousands apart: 2310 is "2,310".
func group(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// percent writes part of whole with two digits that mean something. It says 0 %
// and 100 % only where that is exact. The whole must not be zero.
func percent(part, whole uint64) string {
	switch p := 100 * float64(part) / float64(whole); {
	case part == 0:
		return "0 %"
	case part == whole:
		return "100 %"
	case p < 0.001:
		return "under 0.001 %"
	case p < 9.95:
		return fmt.Sprintf("%.2g %%", p)
	default:
		return fmt.Sprintf("%.1f %%", min(p, 99.9))
	}
}

// figure writes a number of any size with three digits that mean something.
func figure(x float64) string {
	switch {
	case math.Abs(x) < 999.5:
		return fmt.Sprintf("%.3g", x)
	case x < 1e6:
		return group(uint64(math.Round(x)))
	default:
		return "over a million"
	}
}

// short rounds a latency to three digits.
func short(d time.Duration) string {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit).String()
}
