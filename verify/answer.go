package verify

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Answer is what came back, for a [Custom] expectation to look at. It is a copy of
// the function's own.
type Answer struct {
	Status       int                  // such as 200
	Header       http.Header          // as it came, names in canonical form
	Body         []byte               // all of it, at most the suite's limit
	ResponseTime time.Duration        // to the last byte
	TLS          *tls.ConnectionState // of the connection; nil if it was not encrypted, or was a Handler's
}

// JSON decodes the body as strictly as all of the package does: duplicate keys,
// trailing data and invalid UTF-8 are errors, with their places. The value is nil,
// a bool, a string, a [json.Number], so that no digit is lost, a []any or a
// map[string]any. For a struct, give Body to encoding/json.
func (a Answer) JSON() (any, error) {
	n, err := jsontree.Parse(a.Body)
	if err != nil {
		return nil, err
	}
	return n.Any(), nil
}

// exchanged is an answer as the checks of one test see it.
type exchanged struct {
	Answer
	start    time.Time // of the attempt
	at       time.Time // when the last byte came
	phases   Phases
	limit    int // of the body, in bytes
	limited  io.LimitedReader
	unzip    bool // whether gzip was asked for
	long     bool // the body is longer than its limit, and Body is its beginning
	stuck    bool // the handler did not return in time
	panicked string
	cookies  bool // whether some were sent
	captured []capture

	parsed bool
	root   *jsontree.Node // of the body; nil if it is not JSON
}

// json returns the body's tree or, if there is none, nil: the first time it says
// why.
func (e *exchanged) json(d *differences) *jsontree.Node {
	if e.parsed {
		return e.root
	}
	e.parsed = true
	root, err := jsontree.Parse(e.Body)
	if err != nil {
		for _, p := range d.hide.problems(e.Body, err) {
			d.add(KindBody, "body", "JSON", p)
		}
		return nil
	}
	e.root = root
	return root
}

// look adds whatever in the answer is not as the test wants it. A body is looked
// at only if all of it came.
func (t *test) look(e *exchanged, whole bool, d *differences) {
	if !t.statuses.has(e.Status) {
		d.add(KindStatus, "status", t.statuses.String(), strconv.Itoa(e.Status))
	}
	tooLong := false
	for _, c := range t.checks {
		switch {
		case !c.body:
			c.look(e, d)
		case !whole:
		case !e.long:
			c.look(e, d)
		case !tooLong:
			tooLong = true
			d.add(KindBody, "body", "at most "+strconv.Itoa(len(e.Body))+" bytes", "more")
		}
	}
}

// copied is for a function that may write to it.
func (e *exchanged) copied() Answer {
	a := e.Answer
	a.Header = a.Header.Clone()
	a.Body = bytes.Clone(a.Body)
	return a
}
