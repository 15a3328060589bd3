package verify

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// test is a SmokeTest with its defaults filled in and everything in it checked.
type test struct {
	SmokeTest
	statuses statuses
	checks   []check
	fill     filler

	stage Stage
	path  string // in the suite
	named bool   // by its Name, not by what it sends
	needs []int  // the tests that must have passed
	after []int  // the tests that must have ended
}

// compiler collects the mistakes of a suite, each under the path of its field.
type compiler struct {
	problems jsontree.Problems
	hide     *hider
	plain    bool          // whether nothing is encrypted
	timeout  time.Duration // of the test at hand
	custom   map[string]func(Answer) error

	file                    bool // whether the suite stands in a file, whose reader may add to it
	lostNames, lostCaptures bool // whether not all of them could be read
}

// name is what a field is called where the suite stands.
func (c *compiler) name(field string) string {
	if c.file {
		return inWords(field)
	}
	return field
}

func (c *compiler) add(path, format string, args ...any) {
	c.problems = append(c.problems, jsontree.Problem{Path: path, Text: fmt.Sprintf(format, args...)})
}

func (s *Suite) compile() ([]test, jsontree.Problems) {
	c := &compiler{hide: s.hide()}
	return c.compile(s), c.problems
}

func (c *compiler) compile(s *Suite) []test {
	c.custom = s.Custom
	base := c.base(s)
	c.suite(s)
	decisive := false
	tests := make([]test, 0, len(s.Setup)+len(s.Tests)+len(s.Cleanup))
	for _, stage := range []struct {
		Stage
		tests []SmokeTest
	}{{StageSetup, s.Setup}, {StageTests, s.Tests}, {StageCleanup, s.Cleanup}} {
		for i, spec := range stage.tests {
			t := c.test(jsontree.Index(stage.String(), i), base, spec)
			t.stage = stage.Stage
			tests = append(tests, t)
			decisive = decisive || stage.Stage == StageTests && !spec.Optional
		}
	}
	if !decisive {
		c.add("Tests", "want at least one test that is not optional")
	}
	c.order(tests, s.Secrets)
	return tests
}

// suite checks what is for all tests.
func (c *compiler) suite(s *Suite) {
	if s.Timeout < 0 {
		c.add("Timeout", "%v is negative", s.Timeout)
	}
	if s.CleanupTimeout < 0 {
		c.add("CleanupTimeout", "%v is negative", s.CleanupTimeout)
	}
	if s.Parallel < 0 || s.Parallel > mostParallel {
		c.add("Parallel", "want 0 to %d, found %d", mostParallel, s.Parallel)
	}
	if s.BodyLimit < 0 || s.BodyLimit > mostBody {
		c.add("BodyLimit", "want 0 to %d bytes, found %d", mostBody, s.BodyLimit)
	}
	c.secrets(s)
	if s.TLS != nil && s.TLS.InsecureSkipVerify {
		c.add("TLS", "want certificates to be verified; RootCAs may have those of your own")
	}
}

// inMemory is where a handler is, and where endpoints are checked against if the
// suite's URL is wrong.
const inMemory = "http://localhost"

// base returns what endpoints are appended to.
func (c *compiler) base(s *Suite) string {
	switch {
	case s.URL == "" && s.Handler == nil:
		c.add("URL", "want a URL or a Handler, found neither")
		return inMemory
	case s.URL != "" && s.Handler != nil:
		c.add("URL", "want a URL or a Handler, found both")
		return inMemory
	case s.Handler != nil:
		c.plain = true
		return inMemory
	}
	u, err := url.Parse(s.URL)
	other := err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == ""
	switch {
	case other && strings.Contains(s.URL, "@") || !other && u.User != nil: // first: what follows quotes the URL
		c.add("URL", "want no user name or password in it: they belong in the tests' %s", c.name("Header"))
	case err != nil:
		c.add("URL", "not a URL: %v", errors.Unwrap(err))
	case other:
		found, _, _ := strings.Cut(s.URL, "?")
		c.add("URL", "want http:// or https:// and a host, found %q", found)
	case strings.ContainsAny(s.URL, "?#"):
		c.add("URL", "want no query and no fragment")
	default:
		c.plain = u.Scheme == "http"
		return strings.TrimSuffix(s.URL, "/")
	}
	return inMemory
}

// target is what reports call the other side, without what may be secret in it.
func (s *Suite) target() string {
	if s.Handler != nil {
		return "a handler"
	}
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" {
		return "no URL"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

func (c *compiler) test(path, base string, spec SmokeTest) test {
	t := test{SmokeTest: spec, path: path, named: spec.Name != ""}
	t.Method = cmp.Or(spec.Method, http.MethodGet)
	t.Name = cmp.Or(spec.Name, t.Method+" "+spec.Endpoint)
	t.Timeout = cmp.Or(spec.Timeout, defaultTestTimeout)

	if !token(t.Method) {
		c.add(jsontree.Join(path, "Method"), "%q is not an HTTP method", t.Method)
	}
	t.fill = c.filler(path, base, &spec)
	t.statuses = c.statuses(path, spec)
	if t.Timeout < 0 {
		c.add(jsontree.Join(path, "Timeout"), "%v is negative", t.Timeout)
	}
	if len(spec.Header) > 0 {
		c.header(jsontree.Join(path, "Header"), spec.Header)
	}
	if spec.ExpectedResponse != nil {
		x := expected{Node: c.value(jsontree.Join(path, "ExpectedResponse"), spec.ExpectedResponse)}
		t.checks = append(t.checks, x.check(nil))
	}
	if len(spec.Expect) > 0 {
		c.expect(jsontree.Join(path, "Expect"), &t)
	}
	c.captures(&t)
	c.retry(&t)
	if t.Redirects < 0 || t.Redirects > mostRedirects {
		c.add(jsontree.Join(path, "Redirects"), "want 0 to %d, found %d", mostRedirects, t.Redirects)
	}
	return t
}

// url returns where a test is sent to.
func (c *compiler) url(path, base, endpoint string) *url.URL {
	u, err := url.Parse(base + endpoint)
	switch {
	case !strings.HasPrefix(endpoint, "/"):
		c.add(jsontree.Join(path, "Endpoint"), `want a path that begins with "/", found %q`, endpoint)
	case strings.Contains(endpoint, "#"):
		c.add(jsontree.Join(path, "Endpoint"), "want no fragment, which is never sent, found %q", endpoint)
	case err != nil:
		c.add(jsontree.Join(path, "Endpoint"), "%q is not a path: %v", endpoint, errors.Unwrap(err))
	}
	return u
}

// statuses returns those that pass.
func (c *compiler) statuses(path string, spec SmokeTest) statuses {
	if len(spec.Statuses) == 0 {
		status := cmp.Or(spec.ExpectedStatus, http.StatusOK)
		if status < 200 || status > 599 {
			c.add(jsontree.Join(path, "ExpectedStatus"), "want 200 to 599, found %d", status)
		}
		return statuses{{From: status}}
	}
	if spec.ExpectedStatus != 0 {
		c.add(jsontree.Join(path, "ExpectedStatus"), "want no more than Statuses, found %d beside them", spec.ExpectedStatus)
	}
	for i, s := range spec.Statuses {
		if s.From < 200 || s.last() > 599 || s.last() < s.From {
			c.add(jsontree.Index(jsontree.Join(path, "Statuses"), i), "want from 200 to 599, found %d to %d", s.From, s.last())
		}
	}
	return spec.Statuses
}

func (c *compiler) header(path string, header http.Header) {
	spelt := map[string]string{}
	for _, name := range sortedKeys(header) {
		canonical := http.CanonicalHeaderKey(name)
		switch other, twice := spelt[canonical]; {
		case !token(name):
			c.add(jsontree.Join(path, name), "not the name of a header")
		case canonical == "Content-Length" || ofTheConnection(name):
			c.add(jsontree.Join(path, name), "is written by the connection, and cannot be chosen")
		case twice:
			c.add(jsontree.Join(path, name), "is %s again, want one of them with all its values", other)
		}
		spelt[canonical] = name
		for _, v := range header[name] {
			if strings.ContainsFunc(v, control) {
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
		var err error
		if text, err = written(v); err != nil {
			c.add(path, "cannot be written as JSON: %v", err)
			return nil
		}
	}
	n, err := jsontree.Parse(text)
	if err != nil {
		for _, p := range c.hide.problems(text, err) {
			c.add(path, "%s", p)
		}
	}
	return n
}

// written is a value as JSON. What its methods may do is contained.
func written(v any) (text []byte, err error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // reports show the text
	if ended := apart(func() { err = encoder.Encode(v) }); ended != "" {
		err = errors.New(ended)
	}
	return b.Bytes(), err
}

// token says whether s may be a method or the name of a header.
func token(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}
