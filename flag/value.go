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
)

func (k kind) String() string {
	return [...]string{"nothing", "a boolean", "a string", "a number", "a number", "a number", "JSON"}[k]
}

// value is one boolean, string or number in canonical form, so that equal values
// are equal structs: every number that an int64 can hold is a kindInt, whatever
// Go type it came from. NaN has no form.
type value struct {
	kind kind
	num  uint64 // the number's bits, or 1 for true
	str  string // the string, or the JSON text
}

func boolValue(b bool) value {
	if b {
		return value{kind: kindBool, num: 1}
	}
	return value{kind: kindBool}
}

func stringValue(s string) value { return value{kind: kindString, str: s} }

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
		return strconv.FormatFloat(v.float(), 'g', -1, 64)
	}
	return v.str
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

// number reads a JSON number without loss where an integer type can hold it, and
// as the nearest float64 otherwise.
func number(literal string) (value, error) {
	digits, exponent, _ := strings.Cut(jsontree.CanonicalNumber(literal), "e")
	if e, err := strconv.Atoi("0" + exponent); err == nil && e <= len("18446744073709551615") {
		whole := digits + strings.Repeat("0", e)
		if n, err := strconv.ParseInt(whole, 10, 64); err == nil {
			return intValue(n), nil
		}
		if n, err := strconv.ParseUint(whole, 10, 64); err == nil {
			return uintValue(n), nil
		}
	}
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return value{}, fmt.Errorf("found %s, which no number can hold", literal)
	}
	return value{kind: kindFloat, num: math.Float64bits(f)}, nil // never rounded to an integer
}

// variantValue reads what a variant serves: a scalar, or anything that JSON can
// say.
func variantValue(x any) (value, error) {
	if v, err := scalar(x); err == nil {
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
