package flag

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// kind is what a value can be; numbers are one kind for comparing, and two for
// declaring.
type kind uint8

const (
	kindBool kind = iota + 1
	kindString
	kindInt   // fits int64
	kindUint  // fits uint64, not int64
	kindFloat // everything else
	kindJSON  // an object or array
	kindTime  // of attributes only
	kindList  // of attributes only: strings
)

func (k kind) String() string {
	return [...]string{"nothing", "a boolean", "a string", "a number", "a number", "a number", "an object or array", "a time", "a list"}[k]
}

// value is one boolean, string or number in canonical form, so that equal values
// are equal structs: every number that an int64 can hold is a kindInt, whatever
// Go type it came from. NaN has no form.
type value struct {
	kind kind
	num  uint64 // the number's bits, 1 for true, a string packed, nanoseconds since 1970
	str  string // the string, the JSON text, or how a variant's float was written
}

func boolValue(b bool) value {
	if b {
		return value{kind: kindBool, num: 1}
	}
	return value{kind: kindBool}
}

func stringValue(s string) value { return value{kind: kindString, num: pack(s), str: s} }

func intValue(n int64) value { return value{kind: kindInt, num: uint64(n)} }

func uintValue(n uint64) value {
	if n <= math.MaxInt64 {
		return intValue(int64(n))
	}
	return value{kind: kindUint, num: n}
}

func floatValue(f float64) value {
	switch {
	case f != f:
		return value{}
	case f == math.Trunc(f) && f >= -1<<63 && f < 1<<63:
		return intValue(int64(f))
	case f == math.Trunc(f) && f >= 1<<63 && f < 1<<64:
		return value{kind: kindUint, num: uint64(f)}
	}
	return value{kind: kindFloat, num: math.Float64bits(f)}
}

// packed is up to how many bytes a string is packed whole.
const packed = 7

// pack puts a string into a word, its length in the highest byte, so that strings
// of at most 7 bytes are equal exactly when their words are. A longer one gives its
// length alone, so that nobody has to read it.
func pack(s string) uint64 {
	switch n := len(s); {
	case n > packed:
		return longer | uint64(n)
	case n >= 4:
		return uint64(n)<<56 | uint64(word(s)) | uint64(word(s[n-4:]))<<(8*(n-4)&31)
	case n > 0:
		return uint64(n)<<56 | uint64(s[0]) | uint64(s[n/2])<<(8*(n/2)) | uint64(s[n-1])<<(8*(n-1))
	}
	return 0
}

const (
	longer   = (packed + 1) << 56
	noString = ^uint64(0) // what no string packs to
)

// packsWhole says whether a string was short enough.
func packsWhole(num uint64) bool { return num < longer }

func word(s string) uint32 {
	_ = s[3]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// comparable values are of one kind when all numbers count as one.
func (v value) sameKind(w value) bool {
	return v.kind == w.kind || v.isNumber() && w.isNumber()
}

func (v value) isNumber() bool { return v.kind >= kindInt && v.kind <= kindFloat }

func (v value) float() float64 {
	switch v.kind {
	case kindInt:
		return float64(int64(v.num))
	case kindUint:
		return float64(v.num)
	}
	return math.Float64frombits(v.num)
}

// compare orders two numbers exactly: -1, 0 or +1.
func (v value) compare(w value) int {
	switch {
	case v.kind == kindFloat && w.kind == kindFloat:
		return order(v.float() < w.float(), v.float() > w.float())
	case v.kind == kindFloat:
		return -w.compare(v)
	case w.kind == kindFloat:
		// A float that is not an integer, or beyond them all: its floor decides.
		f := w.float()
		switch {
		case f >= 1<<64:
			return -1
		case f < -1<<63:
			return +1
		}
		if below := floatValue(math.Floor(f)); v.compare(below) > 0 {
			return +1
		}
		return -1
	case v.kind == kindUint || w.kind == kindUint:
		if v.kind != w.kind {
			return order(w.kind == kindUint, v.kind == kindUint)
		}
		return order(v.num < w.num, v.num > w.num)
	}
	return order(int64(v.num) < int64(w.num), int64(v.num) > int64(w.num))
}

func order(less, greater bool) int {
	switch {
	case less:
		return -1
	case greater:
		return +1
	}
	return 0
}

// String shows the value as JSON does.
func (v value) String() string {
	switch v.kind {
	case kindBool:
		return strconv.FormatBool(v.num == 1)
	case kindString:
		return strconv.Quote(v.str)
	case kindInt:
		return strconv.FormatInt(int64(v.num), 10)
	case kindUint:
		return strconv.FormatUint(v.num, 10)
	case kindFloat:
		if v.str == "" {
			return strconv.FormatFloat(v.float(), 'g', -1, 64)
		}
	}
	return v.str
}

// found says what the value is, in a problem.
func (v value) found() string {
	switch {
	case v.kind != kindJSON:
		return v.String()
	case v.str[0] == '[':
		return "an array"
	}
	return "an object"
}

// scalar reads a boolean, string or number that a person wrote, in JSON or as a
// Go literal.
func scalar(x any) (value, error) {
	if n, ok := x.(json.Number); ok {
		return number(n.String())
	}
	switch v := reflect.ValueOf(x); {
	case !v.IsValid():
		return value{}, fmt.Errorf("found null, want a string, number or boolean")
	case v.Kind() == reflect.Bool:
		return boolValue(v.Bool()), nil
	case v.Kind() == reflect.String:
		return stringValue(v.String()), nil
	case v.CanInt():
		return intValue(v.Int()), nil
	case v.CanUint():
		return uintValue(v.Uint()), nil
	case v.CanFloat():
		if f := floatValue(v.Float()); f.kind != 0 {
			return f, nil
		}
		return value{}, fmt.Errorf("found NaN, want a number")
	}
	found := "an object"
	if _, list := x.([]any); list {
		found = "an array"
	}
	return value{}, fmt.Errorf("found %s, want a string, number or boolean", found)
}

// nearest reads a JSON number without loss where an integer type can hold it, and as
// the nearest float64 otherwise. It also says where the literal has a fraction.
func nearest(literal string) (v value, fraction bool, err error) {
	digits, exponent, _ := strings.Cut(jsontree.CanonicalNumber(literal), "e")
	if e, err := strconv.Atoi("0" + exponent); err == nil && e <= len("18446744073709551615") {
		whole := digits + strings.Repeat("0", e)
		if n, err := strconv.ParseInt(whole, 10, 64); err == nil {
			return intValue(n), false, nil
		}
		if n, err := strconv.ParseUint(whole, 10, 64); err == nil {
			return uintValue(n), false, nil
		}
	}
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return value{}, false, fmt.Errorf("found %s, which no number can hold", jsontree.Cut(literal))
	}
	return value{kind: kindFloat, num: math.Float64bits(f)}, strings.HasPrefix(exponent, "-"), nil
}

// number reads a JSON number to compare with: almost one is not one.
func number(literal string) (value, error) {
	v, fraction, err := nearest(literal)
	if err != nil || !fraction {
		return v, err
	}
	f := v.float()
	switch {
	case f != math.Trunc(f):
	case math.Abs(f) >= 1<<52:
		return value{}, fmt.Errorf("found %s, want no fraction beyond 2^52: no float64 has one", jsontree.Cut(literal))
	default:
		v.num = math.Float64bits(beside(f, literal))
	}
	return v, nil
}

// beside returns the float next to an integer, on the side where a literal is that
// was rounded to it.
func beside(f float64, literal string) float64 {
	digits, exponent, _ := strings.Cut(jsontree.CanonicalNumber(literal), "e")
	digits, negative := strings.CutPrefix(digits, "-")
	whole := int64(0)
	if e, err := strconv.Atoi(exponent); err == nil && len(digits)+e > 0 {
		whole, _ = strconv.ParseInt(digits[:len(digits)+e], 10, 64) // below 2^52
	}
	switch {
	case whole < int64(math.Abs(f)):
		return math.Nextafter(f, 0)
	case negative:
		return math.Nextafter(f, math.Inf(-1))
	}
	return math.Nextafter(f, math.Inf(1))
}

// variantValue reads what a variant serves: a scalar, or anything that JSON can
// say.
func variantValue(x any) (value, error) {
	if n, ok := x.(json.Number); ok {
		v, _, err := nearest(n.String())
		if v.kind == kindFloat {
			v.str = n.String() // for problems, and for what decodes it by itself
		}
		return v, err
	}
	v, err := scalar(x)
	if err == nil {
		return v, nil
	}
	if x == nil {
		return value{}, fmt.Errorf("found null, want a value")
	}
	text, err := json.Marshal(x)
	if err != nil {
		return value{}, fmt.Errorf("cannot be written as JSON: %w", err)
	}
	return value{kind: kindJSON, str: string(text)}, nil
}
