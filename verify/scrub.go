package verify

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// hider knows what must not be shown, and finds it in any text: as it is, in hex or
// in base64 wherever it stands there, and each of these escaped for JSON, Go, a URL
// or HTML, one within another. The zero value, and nil, hide
// nothing. It is for one goroutine.
type hider struct {
	secrets []string
	longest int      // of them, in bytes
	needles []needle // what to look for; nil until something is
}

// needle is a secret as it may stand in a text. In base64, the digits before and
// after it may be its own in part.
type needle struct {
	text          string
	before, after bool
}

func (h *hider) idle() bool { return h == nil || len(h.secrets) == 0 }

// mostEscaped is how many bytes stand for one of a secret that was escaped twice.
const mostEscaped = 36

// window is how much of a text to look at so that its beginning, cut at most bytes
// once nothing secret is in it, shows no part of a secret: at most each takes the
// place of its mark.
func (h *hider) window(most int) int {
	if h.idle() {
		return most + utf8.UTFMax
	}
	return most + utf8.UTFMax + h.longest*mostEscaped*(most/len(hidden)+1)
}

// scrub puts "[secret]" in the place of every secret.
func (h *hider) scrub(text string) string {
	spans := h.find(text)
	if len(spans) == 0 {
		return text
	}
	var b strings.Builder
	end := 0
	for _, s := range spans {
		b.WriteString(text[end:s.from])
		b.WriteString(hidden)
		end = s.to
	}
	b.WriteString(text[end:])
	return b.String()
}

// mask puts an asterisk in the place of every byte of a secret, so that all else
// keeps its place.
func (h *hider) mask(text []byte) []byte {
	spans := h.find(string(text))
	if len(spans) == 0 {
		return text
	}
	text = slices.Clone(text)
	for _, s := range spans {
		for i := s.from; i < s.to; i++ {
			text[i] = '*'
		}
	}
	return text
}

// before moves a place in a text out of the secret that it would cut in two.
func (h *hider) before(text string, at int) int {
	if h.idle() {
		return at
	}
	from := max(0, at-h.longest*mostEscaped)
	for _, s := range h.find(text[from:min(len(text), at+h.longest*mostEscaped)]) {
		if from+s.from < at && at < from+s.to {
			return from + s.from
		}
	}
	return at
}

// problems are those of a text that is not JSON. Their texts quote it, and cut what
// they quote: if there are secrets in it, they are about the text without them.
func (h *hider) problems(text []byte, err error) []string {
	if !h.idle() && len(text) > BodyLimit {
		return []string{"what is not"} // it would take long to look for them
	}
	if masked := h.mask(text); !bytes.Equal(masked, text) {
		if _, err = jsontree.Parse(masked); err == nil {
			return []string{"what is not, for a secret in it"}
		}
	}
	var problems jsontree.Problems
	if !errors.As(err, &problems) {
		return []string{err.Error()}
	}
	var texts []string
	for _, p := range problems {
		texts = append(texts, p.Error())
	}
	return texts
}

// span is a part of a text.
type span struct{ from, to int }

// find returns where secrets are, in order and apart from one another.
func (h *hider) find(text string) []span {
	if h.idle() {
		return nil
	}
	if h.needles == nil {
		for _, secret := range h.secrets {
			h.needles = append(h.needles, forms(secret)...)
		}
	}
	l := looker{needles: h.needles, left: enough + 8*len(text)}
	l.look(view{text: text}, -1, 0, 0)
	found := l.found
	switch {
	case l.left < 0: // a text that nobody writes by accident: all of it is hidden
		return []span{{0, len(text)}}
	case len(found) < 2:
		return found
	}
	slices.SortFunc(found, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	apart := found[:1]
	for _, s := range found[1:] {
		if last := &apart[len(apart)-1]; s.from <= last.to {
			last.to = max(last.to, s.to)
		} else {
			apart = append(apart, s)
		}
	}
	return apart
}

// looker looks through one text.
type looker struct {
	needles []needle
	found   []span
	left    int // bytes to look at before it gives up
}

const (
	enough    = 4 << 20
	mostKinds = 3 // of escapes one within another
	mostTimes = 5 // of one kind within itself
)

// look finds the needles in a text and in what it is with its escapes undone, in
// all orders. Undone last was one kind, so many times.
func (l *looker) look(v view, last, times, kinds int) {
	if l.left -= len(v.text); l.left < 0 {
		return
	}
	for _, n := range l.needles {
		for next := 0; ; {
			i := strings.Index(v.text[next:], n.text)
			if i < 0 {
				break
			}
			from := next + i
			to := from + len(n.text) - 1
			next = from + 1
			if n.before && from > 0 && isBase64(v.text[from-1]) {
				from--
			}
			if n.after && to+1 < len(v.text) && isBase64(v.text[to+1]) {
				to++
			}
			l.found = append(l.found, span{v.from(from), v.to(to)})
		}
	}
	for i, e := range escapes {
		again, kinds := 1, kinds
		if i == last {
			again = times + 1
		} else {
			kinds++
		}
		if kinds > mostKinds || again > mostTimes {
			continue
		}
		if plain, changed := v.undo(e); changed {
			l.look(plain, i, again, kinds)
		}
	}
}

// forms are the needles of a secret that no escaping makes of one another. In
// base64 a secret has one for each place, modulo 3, that it may stand at: as in the
// "user:secret" of Basic authentication.
func forms(secret string) []needle {
	list := []needle{
		{text: secret},
		{text: hex.EncodeToString([]byte(secret))},
		{text: strings.ToUpper(hex.EncodeToString([]byte(secret)))},
	}
	for offset := range 3 {
		bits := (offset + len(secret)) * 8
		from, to := (offset*8+5)/6, bits/6
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := encoding.EncodeToString(append(make([]byte, offset), secret...))[from:to]
			n := needle{text: text, before: offset > 0, after: bits%6 != 0}
			if n != list[len(list)-1] { // in most there is neither '+' nor '/'
				list = append(list, n)
			}
		}
	}
	return list
}

func isBase64(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("+/-_", c) >= 0
}
