package jsontree

import (
	"fmt"
	"strconv"
	"strings"
)

// CanonicalNumber writes a JSON number so that two literals stand for the same
// number exactly if their canonical forms are the same string: 1, 1.0 and 10e-1
// are all "1e0", and both zeros are "0". No exponent is ever carried out, so
// 1e400000000 costs no more than its text. What is not a JSON number gives "".
func CanonicalNumber(literal string) string {
	if n, want := scanNumber(literal); want != "" || n != len(literal) {
		return ""
	}
	rest, negative := strings.CutPrefix(literal, "-")
	mantissa, exponent := rest, "0"
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		mantissa, exponent = rest[:i], rest[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	all := whole + fraction
	digits := strings.TrimRight(all, "0")
	shift := len(all) - len(digits) - len(fraction)
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		return "0"
	}
	if negative {
		digits = "-" + digits
	}
	return digits + "e" + addDecimal(exponent, shift)
}

// addDecimal adds a small number to one of any length, in the time it takes to
// read it.
func addDecimal(decimal string, n int) string {
	sign, decimal := "", strings.TrimPrefix(decimal, "+")
	if rest, negative := strings.CutPrefix(decimal, "-"); negative {
		sign, decimal = "-", rest
	}
	decimal = strings.TrimLeft(decimal, "0")
	const low = 18 // digits that fit an int64
	if len(decimal) <= low {
		e, _ := strconv.ParseInt("0"+decimal, 10, 64)
		if sign != "" {
			e = -e
		}
		return strconv.FormatInt(e+int64(n), 10)
	}
	if sign != "" {
		n = -n
	}
	split := len(decimal) - low
	e, _ := strconv.ParseInt(decimal[split:], 10, 64)
	e += int64(n)
	high := []byte("0" + decimal[:split])
	switch carry := int64(1e18); {
	case e >= carry:
		e -= carry
		count(high, '9', '0', +1)
	case e < 0:
		e += carry
		count(high, '0', '9', -1)
	}
	return sign + strings.TrimLeft(fmt.Sprintf("%s%018d", high, e), "0")
}

// count adds 1 to digits, or takes 1 away: the last digits at their end wrap
// around.
func count(digits []byte, end, wrap byte, by int) {
	i := len(digits) - 1
	for ; digits[i] == end; i-- {
		digits[i] = wrap
	}
	digits[i] += byte(by)
}

// integer splits a number into sign and magnitude. It is not whole if it has a
// fraction, and does not fit if its magnitude takes more than 64 bits.
func integer(literal string) (negative bool, magnitude uint64, whole, fits bool) {
	canonical, negative := strings.CutPrefix(CanonicalNumber(literal), "-")
	digits, exponent, _ := strings.Cut(canonical, "e")
	if exponent != "" {
		if exponent[0] == '-' {
			return negative, 0, false, false
		}
		zeros, err := strconv.Atoi(exponent)
		if err != nil || zeros > 19 {
			return negative, 0, true, false
		}
		digits += strings.Repeat("0", zeros)
	}
	magnitude, err := strconv.ParseUint(digits, 10, 64)
	return negative, magnitude, true, err == nil
}

// scanNumber returns the length of the JSON number s begins with. If want is not
// empty there is none: it says what was wanted after n bytes.
func scanNumber(s string) (n int, want string) {
	digits := func() bool {
		start := n
		for n < len(s) && '0' <= s[n] && s[n] <= '9' {
			n++
		}
		return n > start
	}
	is := func(set string) bool { return n < len(s) && strings.IndexByte(set, s[n]) >= 0 }

	if is("-") {
		n++
	}
	if start := n; is("0") && digits() && n > start+1 {
		return start, "a number without leading zeros"
	} else if n == start && !digits() {
		return n, "a digit"
	}
	if is(".") {
		n++
		if !digits() {
			return n, "a digit after the point"
		}
	}
	if is("eE") {
		n++
		if is("+-") {
			n++
		}
		if !digits() {
			return n, "a digit of the exponent"
		}
	}
	return n, ""
}
