// Package percent turns percentages as people write them into slots of 0.001 %
// and back, exactly: no float is involved.
package percent

import (
	"fmt"
	"strconv"
	"strings"
)

// Full is 100 % in slots.
const Full = 100_000

// Parse reads a decimal literal ("0.1", "25", "100.0") as slots.
func Parse(literal string) (int32, error) {
	whole, fraction, _ := strings.Cut(literal, ".")
	fraction = strings.TrimRight(fraction, "0")
	if strings.ContainsAny(literal, "eE+") || whole == "" {
		return 0, fmt.Errorf("found %s, want a percentage as a plain decimal", short(literal))
	}
	if len(fraction) > 3 {
		return 0, fmt.Errorf("%s %% is finer than 0.001 %%, the smallest share", short(literal))
	}
	n, err := strconv.ParseInt(whole+fraction+"000"[len(fraction):], 10, 64)
	if err != nil || n < 0 || n > Full || strings.HasPrefix(whole, "-") {
		return 0, fmt.Errorf("found %s, want a percentage from 0 to 100", short(literal))
	}
	return int32(n), nil
}

// short cuts what is quoted, so that an error stays one line.
func short(literal string) string {
	const most = 60
	if len(literal) <= most {
		return literal
	}
	return literal[:most] + "..."
}

// Format writes slots as a decimal percentage without trailing zeros.
func Format(slots int32) string {
	sign := ""
	n := int64(slots)
	if n < 0 {
		sign, n = "-", -n
	}
	s := fmt.Sprintf("%s%d.%03d", sign, n/1000, n%1000)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}
