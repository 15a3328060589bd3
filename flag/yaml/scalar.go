package yaml

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	goyaml "go.yaml.in/yaml/v4"
)

// kind is what a scalar is by the core schema of YAML 1.2.
type kind uint8

const (
	isString kind = iota + 1
	isNull
	isBool
	isNumber
)

const quoted = goyaml.SingleQuotedStyle | goyaml.DoubleQuotedStyle | goyaml.LiteralStyle | goyaml.FoldedStyle

// plainKind is the kind of a scalar without quotes and tag. Only null, true, false and
// numbers are none of them strings: no, on, yes, 12:30 and 2026-12-01 are strings.
func plainKind(text string) kind {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return isNull
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return isBool
	}
	if numeric(text) {
		return isNumber
	}
	return isString
}

// tags are those of the core schema, for scalars. "!" is whatever has no other.
var tags = map[string]kind{"!": isString, "!!str": isString, "!!null": isNull, "!!bool": isBool, "!!int": isNumber, "!!float": isNumber}

// resolve returns what a scalar is, and how JSON writes it. Strings are left to the
// caller; wrong says what is wrong with others.
func resolve(n *goyaml.Node) (is kind, literal, wrong string) {
	tag := "" // what was written: without a tag, the library fills in what it thinks
	if n.Style&goyaml.TaggedStyle != 0 || n.Tag == "!" {
		tag = n.Tag
	}
	is = isString
	if n.Style&quoted == 0 {
		is = plainKind(n.Value)
	}
	switch want := tags[tag]; {
	case tag == "":
	case want == 0:
		return 0, "", fmt.Sprintf("found the tag %s, want none", cut(tag))
	case want == isString:
		is = isString
	case plainKind(n.Value) != want, tag == "!!int" && !whole(n.Value):
		return 0, "", fmt.Sprintf("found %s under the tag %s", cut(strconv.Quote(n.Value)), tag)
	default:
		is = want
	}
	switch is {
	case isNull:
		literal = "null"
	case isBool:
		literal = strings.ToLower(n.Value)
	case isNumber:
		literal, wrong = number(n.Value)
	}
	return is, literal, wrong
}

// whole says whether a number is an integer by the core schema.
func whole(text string) bool {
	return strings.HasPrefix(text, "0x") || strings.HasPrefix(text, "0o") || strings.Trim(text, "+-0123456789") == ""
}

// numeric says whether text is a number by the core schema.
func numeric(text string) bool {
	if c := text[0]; c > '9' || c < '0' && c != '+' && c != '-' && c != '.' {
		return false
	}
	if hex, ok := strings.CutPrefix(text, "0x"); ok {
		return hex != "" && strings.Trim(hex, "0123456789abcdefABCDEF") == ""
	}
	if octal, ok := strings.CutPrefix(text, "0o"); ok {
		return octal != "" && strings.Trim(octal, "01234567") == ""
	}
	switch text {
	case ".nan", ".NaN", ".NAN":
		return true
	}
	rest := text
	if rest[0] == '-' || rest[0] == '+' {
		rest = rest[1:]
	}
	switch rest {
	case ".inf", ".Inf", ".INF":
		return true
	}
	mantissa, exponent := rest, "0"
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		mantissa, exponent = rest[:i], rest[i+1:]
		if exponent != "" && (exponent[0] == '-' || exponent[0] == '+') {
			exponent = exponent[1:]
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	return whole+fraction != "" && exponent != "" && strings.Trim(whole+fraction+exponent, "0123456789") == ""
}

// number writes a number of the core schema as JSON does, with every digit that it
// has, or says why that cannot be.
func number(text string) (literal, wrong string) {
	if strings.HasPrefix(text, "0x") || strings.HasPrefix(text, "0o") {
		n, ok := new(big.Int), len(text) <= 300
		if ok {
			_, ok = n.SetString(text, 0)
		}
		if !ok {
			return "", fmt.Sprintf("found %s, want a shorter number", cut(text))
		}
		return n.String(), ""
	}
	sign, rest := "", strings.TrimPrefix(text, "+")
	if rest[0] == '-' {
		sign, rest = "-", rest[1:]
	}
	if rest[0] == '.' && len(rest) > 1 && '0' <= rest[1] && rest[1] <= '9' {
		rest = "0" + rest // .5
	}
	if before, after, ok := strings.Cut(rest, "."); ok && (after == "" || after[0] == 'e' || after[0] == 'E') {
		rest = before + ".0" + after // 5.
	}
	switch literal = sign + rest; {
	case len(rest) > 1 && rest[0] == '0' && '0' <= rest[1] && rest[1] <= '9':
		// In YAML 1.1 this was octal, and many still read it so.
		return "", fmt.Sprintf("found %s, want a number without leading zeros, or quotes around it", cut(text))
	case !json.Valid([]byte(literal)):
		return "", fmt.Sprintf("found %s, want a number that JSON has, too", cut(text))
	}
	return literal, ""
}

// cut shortens what is quoted from a file.
func cut(text string) string {
	if len(text) <= 60 {
		return text
	}
	return strings.ToValidUTF8(text[:60], "") + "..."
}
