package verify

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/guidon-go/guidon/internal/jsonpath"
	"github.com/guidon-go/guidon/internal/jsontree"
)

// From says what to capture of an answer: exactly one of its fields is set. Where
// redirects were followed, it is the last answer. What is not there, or there more
// than once, fails the test.
type From struct {
	// JSON is a JSONPath in the body that leads to one value, of any kind:
	// "$.items[0].id".
	JSON string

	// Header is the name of a header that has one value, which is text.
	Header string

	// Cookie is the name of a cookie that the answer sets. Its value is text.
	Cookie string

	// Status captures the status, a number.
	Status bool
}

// capture is a value under its name. It stays what it was in JSON.
type capture struct {
	name string
	kind jsontree.Kind
	text string // of a String decoded, of anything else as JSON

	secret bool // whether no report may show it
}

// captures compiles what a test captures into checks, so that all that is missing
// is reported.
func (c *compiler) captures(t *test) {
	for _, name := range sortedKeys(t.Capture) {
		at := jsontree.Join(jsontree.Join(t.path, "Capture"), name)
		if !isName(name) {
			c.add(at, "want a name of letters, digits, '_' and '-', found %q", name)
		}
		take := c.from(at, t.Capture[name])
		secret := t.Capture[name].Cookie != "" || isCredential(t.Capture[name].Header)
		t.checks = append(t.checks, check{body: t.Capture[name].JSON != "", look: func(e *exchanged, d *differences) {
			if got, ok := take(e, d); ok {
				got.name, got.secret = name, secret
				e.captured = append(e.captured, got)
			}
		}})
	}
}

// taker finds a value, or adds why there is none.
type taker func(e *exchanged, d *differences) (capture, bool)

func (c *compiler) from(path string, from From) taker {
	var takers []taker
	if from.JSON != "" {
		takers = append(takers, c.fromJSON(jsontree.Join(path, "JSON"), from.JSON))
	}
	if from.Header != "" {
		if !token(from.Header) {
			c.add(jsontree.Join(path, "Header"), "%q is not the name of a header", from.Header)
		}
		takers = append(takers, func(e *exchanged, d *differences) (capture, bool) {
			return one("header "+from.Header, e.Header[http.CanonicalHeaderKey(from.Header)], d)
		})
	}
	if from.Cookie != "" {
		takers = append(takers, func(e *exchanged, d *differences) (capture, bool) {
			var values []string
			for _, cookie := range set(e.Header) {
				if cookie.Name == from.Cookie && cookie.MaxAge >= 0 { // otherwise it is taken back
					values = append(values, cookie.Value)
				}
			}
			return one("cookie "+from.Cookie, values, d)
		})
	}
	if from.Status {
		takers = append(takers, func(e *exchanged, _ *differences) (capture, bool) {
			return capture{kind: jsontree.Number, text: strconv.Itoa(e.Status)}, true
		})
	}
	if len(takers) != 1 {
		c.add(path, "want one of %s, %s, %s and %s, found %s", c.name("JSON"), c.name("Header"), c.name("Cookie"), c.name("Status"), []string{"none", "", "two", "three", "four"}[len(takers)])
		return nil
	}
	return takers[0]
}

func (c *compiler) fromJSON(path, text string) taker {
	compiled, err := jsonpath.Compile(text)
	if err != nil {
		c.add(path, "%v", err)
		return nil
	}
	return func(e *exchanged, d *differences) (capture, bool) {
		root := e.json(d)
		if root == nil {
			return capture{}, false
		}
		nodes, err := compiled.Select(root)
		switch {
		case err != nil:
			d.add(KindCapture, text, "one value", err.Error())
		case len(nodes) == 0:
			d.add(KindCapture, text, "one value", "nothing")
		case len(nodes) > 1:
			d.add(KindCapture, text, "one value", strconv.Itoa(len(nodes)))
		case nodes[0].Kind == jsontree.String:
			return capture{kind: jsontree.String, text: strings.Clone(nodes[0].Text())}, true
		default:
			return capture{kind: nodes[0].Kind, text: string(nodes[0].Raw())}, true
		}
		return capture{}, false
	}
}

func one(path string, values []string, d *differences) (capture, bool) {
	switch len(values) {
	case 0:
		d.add(KindCapture, path, "one value", "nothing")
	case 1:
		return capture{kind: jsontree.String, text: values[0]}, true
	default:
		d.add(KindCapture, path, "one value", strconv.Itoa(len(values)))
	}
	return capture{}, false
}

// scalar is the text of a value that is text, a number or a bool.
func (v capture) scalar() (string, error) {
	switch v.kind {
	case jsontree.String, jsontree.Number, jsontree.Bool:
		return v.text, nil
	case jsontree.Array, jsontree.Object:
		return "", fmt.Errorf("an %v", v.kind)
	}
	return "", fmt.Errorf("%v", v.kind)
}
