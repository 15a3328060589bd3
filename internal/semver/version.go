package semver

import (
	"cmp"
	"strings"
)

// Version is a semantic version without its build metadata, which says nothing
// about the order. It keeps parts of the text it was parsed from.
type Version struct {
	major, minor, patch string // digits, without leading zeros
	pre                 string // what follows the hyphen; empty for a release
}

// Parse reads a complete version, exactly as SemVer 2 has it: "1.2.3",
// "1.2.3-rc.1+build.5".
func Parse(s string) (Version, bool) {
	// The first plus ends everything else: only build metadata can follow it, and
	// a hyphen behind it belongs to that.
	s, build, hasBuild := strings.Cut(s, "+")
	core, pre, hasPre := strings.Cut(s, "-")
	var v Version
	major, rest, _ := strings.Cut(core, ".")
	minor, patch, _ := strings.Cut(rest, ".")
	switch {
	case !isNumber(major), !isNumber(minor), !isNumber(patch):
		return v, false
	case hasPre && !areIdentifiers(pre, false):
		return v, false
	case hasBuild && !areIdentifiers(build, true):
		return v, false
	}
	return Version{major: major, minor: minor, patch: patch, pre: pre}, true
}

// Compare is negative when v comes before w, and positive when it comes after.
func (v Version) Compare(w Version) int {
	if c := compareNumbers(v.major, w.major); c != 0 {
		return c
	}
	if c := compareNumbers(v.minor, w.minor); c != 0 {
		return c
	}
	if c := compareNumbers(v.patch, w.patch); c != 0 {
		return c
	}
	return comparePre(v.pre, w.pre)
}

// String is the version without build metadata.
func (v Version) String() string {
	s := v.major + "." + v.minor + "." + v.patch
	if v.pre != "" {
		s += "-" + v.pre
	}
	return s
}

// isNumber wants digits without a leading zero.
func isNumber(s string) bool { return isDigits(s) && (s == "0" || s[0] != '0') }

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// areIdentifiers wants identifiers with dots between them. Numbers begin with a
// zero only in build metadata.
func areIdentifiers(s string, zeros bool) bool {
	for more := true; more; {
		var id string
		id, s, more = strings.Cut(s, ".")
		if !isIdentifier(id) || !zeros && isDigits(id) && !isNumber(id) {
			return false
		}
	}
	return true
}

func isIdentifier(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '-':
		default:
			return false
		}
	}
	return s != ""
}

// comparePre compares pre-releases: none comes after any, then the first
// identifier that differs decides, then who has more of them comes after.
func comparePre(v, w string) int {
	if v == "" || w == "" {
		return cmp.Compare(len(w), len(v))
	}
	for v != "" && w != "" {
		var a, b string
		a, v, _ = strings.Cut(v, ".")
		b, w, _ = strings.Cut(w, ".")
		if c := compareIdentifiers(a, b); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(v), len(w))
}

// compareIdentifiers compares numbers by size, other identifiers as text, and puts
// numbers first.
func compareIdentifiers(a, b string) int {
	switch isA, isB := isDigits(a), isDigits(b); {
	case isA && isB:
		return compareNumbers(a, b)
	case isA:
		return -1
	case isB:
		return 1
	}
	return strings.Compare(a, b)
}

func compareNumbers(a, b string) int {
	if len(a) != len(b) {
		return cmp.Compare(len(a), len(b))
	}
	return strings.Compare(a, b)
}
