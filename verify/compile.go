package verify

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// test is a SmokeTest with its defaults filled in and everything in it checked.
type test struct {
	SmokeTest
	url      string
	statuses statuses
	checks   []check
}

// compiler collects the mistakes of a suite, each under the path of its field.
type compiler struct {
	problems jsontree.Problems
	plain    bool          // whether nothing is encrypted
	timeout  time.Duration // of the test at hand
}

func (c *compiler) add(path, format string, args ...any) {
	c.problems = append(c.problems, jsontree.Problem{Path: path, Text: fmt.Sprintf(format, args...)})
}

func (s *Suite) compile() ([]test, jsontree.Problems) {
	c := &compiler{}
	base := c.base(s)
	if s.Timeout < 0 {
		c.add("Timeout", "%v is negative", s.Timeout)
	}
	tests := make([]test, len(s.Tests))
	decisive := false
	for i, spec := range s.Tests {
		tests[i] = c.test(jsontree.Index("Tests", i), base, spec)
		decisive = decisive || !spec.Optional
	}
	if !decisive {
		c.add("Tests", "want at least one test that is not optional")
	}
	return tests, c.problems
}

// base returns what endpoints are appended to.
func (c *compiler) base(s *Suite) string {
	switch {
	case s.URL == "" && s.Handler == nil:
		c.add("URL", "want a URL or a Handler, found neither")
		return ""
	case s.URL != "" && s.Handler != nil:
		c.add("URL", "want a URL or a Handler, found both")
		return ""
	case s.Handler != nil:
		c.plain = true
		return "http://localhost"
	}
	u, err := url.Parse(s.URL)
	switch {
	case err != nil:
		// the error quotes the URL, and with it a password there may be in it
		c.add("URL", "not a URL: %v", errors.Unwrap(err))
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		c.add("URL", "want http:// or https:// and a host, found %q", u.Redacted())
	case u.User != nil:
		c.add("URL", "want no user name or password in it: they belong in the tests' Header")
	case strings.ContainsAny(s.URL, "?#"):
		c.add("URL", "want no query and no fragment")
	default:
		c.plain = u.Scheme == "http"
	}
	return strings.TrimSuffix(s.URL, "/")
}

// target is what reports call the other side, without what may be secret in it.
func (s *Suite) target() string {
	if s.Handler != nil {
		return "a handler"
	}
	u, err := url.Parse(s.URL)
	if err != nil || s.URL == "" {
		return "no URL"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

func (c *compiler) test(path, base string, spec SmokeTest) test {
	t := test{SmokeTest: spec}
	t.Method = cmp.Or(spec.Method, http.MethodGet)
	t.Name = cmp.Or(spec.Name, t.Method+" "+spec.Endpoint)
	t.Timeout = cmp.Or(spec.Timeout, defaultTestTimeout)
	t.url = base + spec.Endpoint

	if !token(t.Method) {
		c.add(jsontree.Join(path, "Method"), "%q is not an HTTP method", t.Method)
	}
	at := jsontree.Join(path, "Endpoint")
	if _, err := url.Parse("http://localhost" + spec.Endpoint); !strings.HasPrefix(spec.Endpoint, "/") {
		c.add(at, `want a path that begins with "/", found %q`, spec.Endpoint)
	} else if err != nil {
		c.add(at, "%q is not a path: %v", spec.Endpoint, errors.Unwrap(err))
	} else if strings.Contains(spec.Endpoint, "#") {
		c.add(at, "want no fragment, which is never sent, found %q", spec.Endpoint)
	}
	t.statuses = c.statuses(path, spec)
	if t.Timeout < 0 {
		c.add(jsontree.Join(path, "Timeout"), "%v is negative", t.Timeout)
	}
	c.header(jsontree.Join(path, "Header"), spec.Header)
	if spec.ExpectedResponse != nil {
		x := expected{Node: c.value(jsontree.Join(path, "ExpectedResponse"), spec.ExpectedResponse)}
		t.checks = append(t.checks, x.check(nil))
	}
	c.expect(jsontree.Join(path, "Expect"), &t)
	return t
}

// statuses returns those that pass.
func (c *compiler) statuses(path string, spec SmokeTest) statuses {
	at := jsontree.Join(path, "ExpectedStatus")
	if len(spec.Statuses) == 0 {
		status := cmp.Or(spec.ExpectedStatus, http.StatusOK)
		if status < 200 || status > 599 {
			c.add(at, "want 200 to 599, found %d", status)
		}
		return statuses{{From: status}}
	}
	if spec.ExpectedStatus != 0 {
		c.add(at, "want no more than Statuses, found %d beside them", spec.ExpectedStatus)
	}
	for i, s := range spec.Statuses {
		if s.From < 200 || s.last() > 599 || s.last() < s.From {
			c.add(jsontree.Index(jsontree.Join(path, "Statuses"), i), "want from 200 to 599, found %d to %d", s.From, s.last())
		}
	}
	return spec.Statuses
}

func (c *compiler) header(path string, header http.Header) {
	for _, name := range slices.Sorted(maps.Keys(header)) {
		if !token(name) {
			c.add(jsontree.Join(path, name), "not the name of a header")
		}
		for _, v := range header[name] {
			if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
				c.add(jsontree.Join(path, name), "has a control character in its value")
			}
		}
	}
}

// required reads a value that must be there.
func (c *compiler) required(path string, v any) *jsontree.Node {
	if v == nil {
		c.add(path, `want a value, found nil; null is json.RawMessage("null")`)
		return nil
	}
	return c.value(path, v)
}

// value reads what is expected of JSON.
func (c *compiler) value(path string, v any) *jsontree.Node {
	text, raw := v.(json.RawMessage)
	if _, bytes := v.([]byte); bytes {
		c.add(path, "want a json.RawMessage, found a []byte, which JSON would write in base64")
		return nil
	}
	if !raw {
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false) // reports show the text
		if err := encoder.Encode(v); err != nil {
			c.add(path, "cannot be written as JSON: %v", err)
			return nil
		}
		text = b.Bytes()
	}
	n, err := jsontree.Parse(text)
	var problems jsontree.Problems
	if errors.As(err, &problems) {
		for _, p := range problems {
			c.add(path, "%v", p)
		}
	}
	return n
}

// token says whether s may be a method or the name of a header.
func token(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}
