package jsontree

import (
	"fmt"
	"math"
	"reflect"
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

func decodeFloat(d *decoder, n *Node, v reflect.Value, _ *plan) {
	f, err := strconv.ParseFloat(n.Text(), 64)
	if err != nil || v.OverflowFloat(f) {
		d.fail(n, "%s is out of range of a %s", Cut(n.Text()), v.Kind())
		return
	}
	v.SetFloat(f)
}

// decodeInt decodes into every int and uint.
func decodeInt(d *decoder, n *Node, v reflect.Value, _ *plan) {
	text := n.Text()
	negative, magnitude, whole, fits := integer(text)
	if !whole {
		d.fail(n, "found number %s, want a whole number", Cut(text))
		return
	}
	var least int64
	most := uint64(math.MaxUint64) >> (64 - v.Type().Bits())
	if v.CanInt() {
		most >>= 1
		least = -int64(most) - 1
	}
	if !fits || !negative && magnitude > most || negative && magnitude > uint64(-least) {
		d.fail(n, "%s is out of range, want %d to %d", Cut(text), least, most)
		return
	}
	if v.CanUint() {
		v.SetUint(magnitude)
	} else if negative {
		v.SetInt(-int64(magnitude))
	} else {
		v.SetInt(int64(magnitude))
	}
}

// integer splits a number into sign and magnitude. It is not whole if it has a
// fraction, and does not fit if its magnitude takes more than 64 bits.
func integer(literal string) (negative bool, magnitude uint64, whole, fits bool) {
	plain, negative := strings.CutPrefix(literal, "-")
	if magnitude, err := strconv.ParseUint(plain, 10, 64); err == nil {
		return negative, magnitude, true, true // as nearly all are written
	}
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
	if n < len(s) && s[n] == '-' {
		n++
	}
	start := n
	switch n = digits(s, start); {
	case n == start:
		return n, "a digit"
	case n > start+1 && s[start] == '0':
		return start, "a number without leading zeros"
	}
	if n < len(s) && s[n] == '.' {
		start = n + 1
		if n = digits(s, start); n == start {
			return n, "a digit after the point"
		}
	}
	if n < len(s) && (s[n] == 'e' || s[n] == 'E') {
		start = n + 1
		if start < len(s) && (s[start] == '+' || s[start] == '-') {
			start++
		}
		if n = digits(s, start); n == start {
			return n, "a digit of the exponent"
		}
	}
	return n, ""
}

// digits returns where the digits end that begin at s[i].
func digits(s string, i int) int {
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return i
}
