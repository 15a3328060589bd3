package verify

import (
	"cmp"
	"strconv"
	"strings"
)

// decimal is a number as it was written: sign times 0.digits times 10^exponent. To
// make and to compare one takes no memory, since it is done for each pair of numbers.
type decimal struct {
	sign     int    // -1, 0 or 1
	digits   string // from the first that is not 0; there may be a point, and zeros at the end
	exponent int64
}

// exponentDigits is up to how many digits an exponent may have.
const exponentDigits = 9

// parseDecimal reads what is known to be a JSON number. It is not ok if the exponent
// is longer than anybody means it.
func parseDecimal(literal string) (d decimal, ok bool) {
	d.sign = 1
	if literal[0] == '-' {
		d.sign, literal = -1, literal[1:]
	}
	first, point, end := -1, -1, len(literal)
	for i := 0; i < end; i++ {
		switch c := literal[i]; {
		case c == '.':
			point = i
		case c|' ' == 'e':
			end = i
		case c != '0' && first < 0:
			first = i
		}
	}
	if end < len(literal) {
		exponent := literal[end+1:]
		if len(strings.TrimLeft(exponent, "+-")) > exponentDigits {
			return decimal{}, false
		}
		d.exponent, _ = strconv.ParseInt(exponent, 10, 64)
	}
	if first < 0 {
		return decimal{}, true // 0, whatever its sign and its exponent
	}
	if point < 0 {
		point = end
	}
	d.digits = literal[first:end]
	d.exponent += int64(point - first)
	if first > point {
		d.exponent++ // the point itself is no digit
	}
	return d, true
}

// compare is negative if d is less than other, 0 if they are one number, and
// positive otherwise.
func (d decimal) compare(other decimal) int {
	if d.sign != other.sign {
		return cmp.Compare(d.sign, other.sign)
	}
	if d.exponent != other.exponent {
		return d.sign * cmp.Compare(d.exponent, other.exponent)
	}
	for i, j := 0, 0; i < len(d.digits) || j < len(other.digits); i, j = i+1, j+1 {
		a, next := digit(d.digits, i)
		i = next
		b, next := digit(other.digits, j)
		j = next
		if a != b {
			return d.sign * cmp.Compare(a, b)
		}
	}
	return 0
}

// digit returns the digit at i, or behind the point there, and where it is: '0'
// behind the end.
func digit(digits string, i int) (byte, int) {
	if i < len(digits) && digits[i] == '.' {
		i++
	}
	if i < len(digits) {
		return digits[i], i
	}
	return '0', i
}
