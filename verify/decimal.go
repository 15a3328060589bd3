package verify

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// decimal is a number as it was written: sign times 0.digits times 10^exponent.
type decimal struct {
	sign     int    // -1, 0 or 1
	digits   string // without zeros at either end
	exponent int64
}

// exponentDigits is up to how many digits an exponent may have to be compared.
const exponentDigits = 17

// parseDecimal reads a JSON number. It is not ok if it is none, or if its exponent
// is longer than anybody means it.
func parseDecimal(literal string) (d decimal, ok bool) {
	canonical := jsontree.CanonicalNumber(literal)
	if canonical == "" || canonical == "0" {
		return d, canonical != ""
	}
	d.sign = 1
	canonical, negative := strings.CutPrefix(canonical, "-")
	if negative {
		d.sign = -1
	}
	digits, exponent, _ := strings.Cut(canonical, "e")
	if len(strings.TrimPrefix(exponent, "-")) > exponentDigits {
		return decimal{}, false
	}
	e, err := strconv.ParseInt(exponent, 10, 64)
	d.digits, d.exponent = digits, e+int64(len(digits))
	return d, err == nil
}

// compare is negative if d is less than other, 0 if they are one number, and
// positive otherwise.
func (d decimal) compare(other decimal) int {
	if d.sign != other.sign {
		return cmp.Compare(d.sign, other.sign)
	}
	return d.sign * cmp.Or(cmp.Compare(d.exponent, other.exponent), strings.Compare(d.digits, other.digits))
}
