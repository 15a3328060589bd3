package verify

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// mostBytes is where a value in a report is cut, and mostPath where a path is.
// mostLooked is how much of either is looked at.
const (
	mostBytes  = 120
	mostPath   = 480
	mostLooked = 2 << 10
)

// show makes foreign text fit for a line of a report: without secrets, then cut,
// and with nothing in it that a terminal would act on.
func (d *differences) show(s string, most int) string {
	if d != nil {
		s = d.hide.scrub(beginning(s))
	}
	return printable(s, most)
}

// cut is a text without secrets, and without most of what show will cut.
func (d *differences) cut(s string) string {
	s = d.hide.scrub(beginning(s))
	return s[:min(len(s), mostBytes+utf8.UTFMax)]
}

// beginning is what is looked at to show a text. It says that it was cut, so that no
// part of a secret is left at its end.
func beginning(s string) string {
	if len(s) > mostLooked {
		s = s[:mostLooked] + cutMark
	}
	return s
}

func printable(s string, most int) string {
	var b strings.Builder
	for i, r := range s {
		if i+utf8.RuneLen(r) > most {
			b.WriteString(cutMark)
			break
		}
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// text is the JSON text of a value on one line. It may end where beginning ends.
func text(n *jsontree.Node) string { return compact(n.RawString()) }

// compact is JSON without white space, as far as it is looked at.
func compact(json string) string {
	var b strings.Builder
	inString, escaped := false, false
	for _, c := range []byte(json) {
		switch {
		case b.Len() > max(mostLooked, mostSecret):
			return b.String()
		case !inString && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			continue
		case escaped:
			escaped = false
		case inString && c == '\\':
			escaped = true
		case c == '"':
			inString = !inString
		}
		b.WriteByte(c)
	}
	return b.String()
}

// line is a text on one line. What comes of a run is so already, but a report may be
// made by hand.
func line(s string) string { return printable(s, math.MaxInt) }

// visible is the first of some names that is not empty, on one line.
func visible(names ...string) string { return printable(cmp.Or(names...), mostPath) }

func items(n *jsontree.Node) string { return count(len(n.Items), "item") }

// count is "1 item", "2 items".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
