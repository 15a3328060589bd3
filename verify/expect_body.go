package verify

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// BodyIs wants the body to be Text, byte by byte.
type BodyIs struct {
	Text string // empty: no body
}

// String is `body is "pong"`.
func (b BodyIs) String() string { return "body is " + strconv.Quote(b.Text) }

func (b BodyIs) compile(*compiler, string) check {
	return check{body: true, look: func(e *exchanged, d *differences) {
		if string(e.Body) == b.Text {
			return
		}
		// the beginning, unless the difference stands too far behind it
		from, place := 0, ""
		const shown = 20
		if at := common(e.Body, b.Text); at > mostBytes/2 {
			from = min(before(d.hide, e.Body, at-shown), before(d.hide, b.Text, at-shown))
			place = fmt.Sprintf(" at byte %d", from)
		}
		d.add(KindValue, "body", strconv.Quote(d.cut(b.Text[from:]))+place, d.quote(e.Body[from:])+place)
	}}
}

// common returns how many bytes both begin with.
func common[A, B string | []byte](a A, b B) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// BodyContains wants Text somewhere in the body, byte by byte.
type BodyContains struct {
	Text string // required
}

// String is `body contains "welcome"`.
func (b BodyContains) String() string { return "body contains " + strconv.Quote(b.Text) }

func (b BodyContains) compile(c *compiler, path string) check {
	if b.Text == "" {
		c.add(jsontree.Join(path, "Text"), "every body contains an empty text")
	}
	text := []byte(b.Text)
	return check{body: true, look: func(e *exchanged, d *differences) {
		if !bytes.Contains(e.Body, text) {
			d.add(KindValue, "body", strconv.Quote(b.Text)+" in it", d.quote(e.Body))
		}
	}}
}

// BodyMatches wants a match of a regular expression in the body.
type BodyMatches struct {
	Pattern string // required
}

// String is `body matches "^v[0-9]+$"`.
func (b BodyMatches) String() string { return "body matches " + strconv.Quote(b.Pattern) }

func (b BodyMatches) compile(c *compiler, path string) check {
	re := c.pattern(jsontree.Join(path, "Pattern"), b.Pattern)
	return check{body: true, look: func(e *exchanged, d *differences) {
		if !re.Match(e.Body) {
			d.add(KindValue, "body", "a match of "+strconv.Quote(b.Pattern), d.quote(e.Body))
		}
	}}
}

// quote is the beginning of a body.
func (d *differences) quote(body []byte) string {
	return strconv.Quote(d.cut(string(body[:min(len(body), mostLooked+1)])))
}
