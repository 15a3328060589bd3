package verify

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// hider knows all that must not be shown of one run, and finds it in any text: as it
// is, in base64 or in hex, escaped for JSON, Go, a URL or HTML, one within another.
// nil hides nothing.
type hider struct {
	mu    sync.RWMutex
	known map[string]bool     // guarded by mu
	heads map[uint32][]string // guarded by mu: what is known, by its first bytes
	size  int                 // guarded by mu: of all that is known
}

const (
	mostKnown = 4 << 20 // bytes; if servers send more, nothing is shown
	mostKinds = 3       // of escapes one within another
	mostTimes = 5       // of one kind within itself
	mostWidth = 12      // of an escape: "&#x0010ffff;"

	cutMark = "..." // what stands for the rest of a text
)

// add hides one more text. Servers do not see the space around the value of a
// header, and so do not send it back; reports show JSON without its white space.
func (h *hider) add(secret string, least int) {
	if trimmed := strings.TrimSpace(secret); len(trimmed) >= leastSecret {
		secret = trimmed
	}
	if len(secret) < least {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	list := []string{secret}
	if secret[0] == '{' || secret[0] == '[' {
		list = append(list, compact(secret))
	}
	for _, s := range list {
		if len(s) < leastSecret || h.known[s] || h.size > mostKnown {
			continue
		}
		if h.known == nil {
			h.known, h.heads = map[string]bool{}, map[uint32][]string{}
		}
		h.size += len(s)
		h.known[s] = true
		h.heads[head(s)] = append(h.heads[head(s)], s)
	}
}

// head is the first bytes of a text, as many as every secret has.
func head(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
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

// result hides what was learned after a result was made. It is a copy.
func (h *hider) result(r Result) Result {
	again := func(text *string, most int) {
		if scrubbed := h.scrub(*text); scrubbed != *text {
			*text = printable(scrubbed, most)
		}
	}
	mismatch := func(m *Mismatch) {
		again(&m.Path, mostPath)
		again(&m.Want, mostBytes)
		again(&m.Got, mostBytes)
	}
	r.Name, r.Endpoint, r.Reason, r.Curl = h.scrub(r.Name), h.scrub(r.Endpoint), h.scrub(r.Reason), h.scrub(r.Curl)
	r.Mismatches, r.Attempts = slices.Clone(r.Mismatches), slices.Clone(r.Attempts)
	for i := range r.Mismatches {
		mismatch(&r.Mismatches[i])
	}
	for i := range r.Attempts {
		mismatch(&r.Attempts[i].Mismatch)
	}
	return r
}

// before moves a place in a text out of the secret that it would cut in two.
func before[T string | []byte](h *hider, text T, at int) int {
	const around = 4 * mostSecret
	from, to := max(0, at-around), min(len(text), at+around)
	for _, s := range h.find(string(text[from:to])) {
		if from+s.from < at && at < from+s.to {
			return from + s.from
		}
	}
	return at
}

// problems are those of a text that is not JSON. They quote it from the place where
// they are.
func (h *hider) problems(text []byte, err error) (list []string) {
	var problems jsontree.Problems
	if !errors.As(err, &problems) {
		return []string{err.Error()}
	}
	for _, p := range problems {
		if at := p.Pos.Offset; before(h, text, at) != at {
			list = append(list, "what is not, at a secret in it")
		} else {
			list = append(list, p.Error())
		}
	}
	return list
}

// span is a part of a text.
type span struct{ from, to int }

// find returns where secrets are, in order and apart from one another.
func (h *hider) find(text string) []span {
	if h == nil || text == "" {
		return nil
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	if len(h.known) == 0 {
		return nil
	}
	l := looker{heads: h.heads, text: text, left: 1<<16 + 64*len(text)}
	l.look(view{text: text}, -1, 0, 0)
	found := l.found
	switch {
	case l.left < 0 || h.size > mostKnown: // nobody writes such a text by accident: all of it is hidden
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
	heads map[uint32][]string
	text  string
	found []span
	left  int // bytes to look at before it gives up
}

// look finds secrets in a text and in what it is with its escapes undone, in all
// orders. Undone last was one kind, so many times.
func (l *looker) look(v view, last, times, kinds int) {
	if l.left -= len(v.text); l.left < 0 {
		return
	}
	for i := 0; i+leastSecret <= len(v.text); i++ {
		for _, secret := range l.heads[head(v.text[i:])] {
			n := common(v.text[i:], secret)
			if l.left -= n; l.left < 0 {
				return
			}
			l.add(v.from(i), v.to(i+n-1), n == len(secret))
		}
	}
	for _, e := range escapes {
		again, kinds := 1, kinds
		if e.kind == last {
			again = times + 1
		} else {
			kinds++
		}
		if kinds > mostKinds || again > mostTimes {
			continue
		}
		if plain, changed := v.undo(e); changed {
			l.look(plain, e.kind, again, kinds)
		}
	}
}

// add adds a secret, or the beginning of one if the text was cut there, maybe within
// an escape. In a mark there is none, whatever it is.
func (l *looker) add(from, to int, whole bool) {
	if !whole {
		rest := strings.Index(l.text[to:min(len(l.text), to+mostWidth+len(cutMark))], cutMark)
		if rest < 0 {
			return
		}
		to += rest
	}
	if to-from <= len(hidden) && strings.Contains(l.text[max(0, to-len(hidden)):min(len(l.text), from+len(hidden))], hidden) {
		return
	}
	l.found = append(l.found, span{from, to})
}
