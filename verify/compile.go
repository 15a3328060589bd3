package verify

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// test is a SmokeTest with its defaults filled in and everything in it checked.
type test struct {
	SmokeTest
	url  string
	want *jsontree.Node // nil if the body may be anything
}

// compiler collects the mistakes of a suite, each under the path of its field.
type compiler struct {
	problems jsontree.Problems
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
	t.ExpectedStatus = cmp.Or(spec.ExpectedStatus, http.StatusOK)
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
	if t.ExpectedStatus < 200 || t.ExpectedStatus > 599 {
		c.add(jsontree.Join(path, "ExpectedStatus"), "want 200 to 599, found %d", t.ExpectedStatus)
	}
	if t.Timeout < 0 {
		c.add(jsontree.Join(path, "Timeout"), "%v is negative", t.Timeout)
	}
	c.header(jsontree.Join(path, "Header"), spec.Header)
	if spec.ExpectedResponse != nil {
		t.want = c.expected(jsontree.Join(path, "ExpectedResponse"), spec.ExpectedResponse)
	}
	return t
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

// expected reads what a body must contain.
func (c *compiler) expected(path string, v any) *jsontree.Node {
	text, raw := v.(json.RawMessage)
	if _, bytes := v.([]byte); bytes {
		c.add(path, "want a json.RawMessage, found a []byte, which JSON would write in base64")
		return nil
	}
	if !raw {
		var err error
		if text, err = json.Marshal(v); err != nil {
			c.add(path, "cannot be written as JSON: %v", err)
			return nil
		}
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
