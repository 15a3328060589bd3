package verify

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// suiteFile is a suite as it stands in JSON. The comments of its fields, and of the
// types below, are what schema.json says.
type suiteFile struct {
	// Where an editor finds the schema; not read here.
	Schema string `json:"$schema,omitempty"`
	// What reports call the suite.
	Name string `json:"name,omitempty"`
	// The base that endpoints are appended to: "https://shop.example". Left out,
	// the program that reads the suite says what it is sent to.
	URL string `json:"url,omitempty" want:"a URL"`
	// What must be there before `tests`: these run one after another, and if one
	// that is not optional does not pass, the rest of them and all `tests` are
	// skipped.
	Setup []testFile `json:"setup,omitempty"`
	// The requests; at least one of them is not optional. They run in this order
	// as far as their needs allow, and all of them run although others failed.
	Tests []testFile `json:"tests" want:"a list of tests"`
	// What takes back what the others did. These run one after another and always.
	Cleanup []testFile `json:"cleanup,omitempty"`
	// The time for `setup` and `tests` together. Left out, it is 60s.
	Timeout timeFile `json:"timeout,omitzero"`
	// The time for `cleanup`. Left out, it is 30s.
	CleanupTimeout timeFile `json:"cleanup_timeout,omitzero"`
	// How many `tests` that do not need one another run at once. Left out, they run
	// one after another.
	Parallel int `json:"parallel,omitempty"`
	// Whether cookies that answers set are sent with later requests.
	Cookies bool `json:"cookies,omitempty"`
	// How many bytes of a body are read, after decompression. Left out, it is 1 MiB.
	BodyLimit int `json:"body_limit,omitempty"`
	// The names of the secrets that ${...} stands for in tests. The texts never stand
	// in a file: the program that reads the suite has them.
	Secrets namesFile `json:"secrets,omitempty"`
}

// testFile is one request and what must come back.
type testFile struct {
	// What reports call the test. Left out, it is method and endpoint.
	Name string `json:"name,omitempty"`
	// The HTTP method. Left out, it is GET.
	Method string `json:"method,omitempty"`
	// Path and query, from the "/" that follows the URL: "/cart?user=42".
	Endpoint string `json:"endpoint" want:"a path that begins with \"/\""`
	// What is sent with the request: a value by name, or a list of values.
	Header map[string]texts `json:"header,omitempty"`
	// The body, sent as it is. Left out, there is none, unless `json` is one.
	Body string `json:"body,omitempty" want:"none beside json" if:"json"`
	// The body, sent as it is written here. Unless `header` says otherwise, its
	// Content-Type is application/json.
	JSON json.RawMessage `json:"json,omitempty"`
	// The status that passes: 404, "2xx", "500-503", or a list of these. Left out,
	// it is 200.
	ExpectedStatus statusFile `json:"expected_status,omitempty"`
	// What the JSON body must contain: every key, at every depth, and arrays of the
	// same length in the same order. Other keys may be there.
	ExpectedResponse json.RawMessage `json:"expected_response,omitempty"`
	// Everything else that must hold.
	Expect []expectFile `json:"expect,omitempty"`
	// The time for the whole test, with all its attempts. Left out, it is 5s.
	Timeout timeFile `json:"timeout,omitzero"`
	// The names of tests that must have passed.
	Needs []string `json:"needs,omitempty"`
	// Values of the answer that are kept by name: ${id} in `endpoint`, `header` and
	// body of other tests stands for what was kept as id.
	Capture map[string]fromFile `json:"capture,omitempty"`
	// For tests that may fail at first.
	Retry retryFile `json:"retry,omitzero"`
	// How many redirects are followed. Left out, a redirect is an answer like any
	// other.
	Redirects int `json:"redirects,omitempty"`
	// Whether the test does not decide if the suite is healthy.
	Optional bool `json:"optional,omitempty"`
}

// fromFile says what to keep of an answer: one of its fields is given.
type fromFile struct {
	// A JSONPath in the body that leads to one value: "$.items[0].id".
	JSON string `json:"json,omitempty" want:"a JSONPath"`
	// The name of a header that has one value.
	Header string `json:"header,omitempty" want:"the name of a header"`
	// The name of a cookie that the answer sets.
	Cookie string `json:"cookie,omitempty" want:"the name of a cookie"`
	// Keeps the status.
	Status bool `json:"status,omitempty" want:"true"`
}

// retryFile says how often a test that fails is tried again.
type retryFile struct {
	// How many attempts there are at most, the first included.
	Attempts int `json:"attempts" want:"a whole number"`
	// The longest wait before the second attempt; it doubles with each. Left out,
	// it is 100ms.
	Backoff timeFile `json:"backoff,omitzero"`
	// Where the wait stops doubling. Left out, it is 5s, or `backoff` if that is
	// longer.
	Max timeFile `json:"max,omitzero"`
	// The time for each attempt. Left out, it is what is left of the test's.
	Timeout timeFile `json:"timeout,omitzero"`
	// Whether the request may be sent twice although its method is not idempotent.
	AnyMethod bool `json:"any_method,omitempty"`
}

func (f *suiteFile) suite() *Suite {
	s := &Suite{
		Name: f.Name, URL: f.URL,
		Setup: testsOf(f.Setup), Tests: testsOf(f.Tests), Cleanup: testsOf(f.Cleanup),
		Timeout: f.Timeout.d(), CleanupTimeout: f.CleanupTimeout.d(),
		Parallel: f.Parallel, Cookies: f.Cookies, BodyLimit: f.BodyLimit,
	}
	for _, name := range f.Secrets {
		if s.Secrets == nil {
			s.Secrets = map[string]Secret{}
		}
		s.Secrets[name] = ""
	}
	return s
}

func testsOf(files []testFile) (tests []SmokeTest) {
	for i := range files {
		tests = append(tests, files[i].test())
	}
	return tests
}

func (f *testFile) test() SmokeTest {
	t := SmokeTest{
		Name: f.Name, Method: f.Method, Endpoint: f.Endpoint, Body: f.Body,
		Statuses: f.ExpectedStatus, Timeout: f.Timeout.d(), Needs: f.Needs, Redirects: f.Redirects, Optional: f.Optional,
		Retry: Retry{f.Retry.Attempts, f.Retry.Backoff.d(), f.Retry.Max.d(), f.Retry.Timeout.d(), f.Retry.AnyMethod},
	}
	if len(f.Header) > 0 || f.JSON != nil {
		t.Header = http.Header{}
	}
	for name, values := range f.Header {
		t.Header[name] = values
	}
	if f.JSON != nil {
		t.Body = string(f.JSON)
		if _, typed := canonical(t.Header)["Content-Type"]; !typed {
			t.Header["Content-Type"] = []string{"application/json"}
		}
	}
	if f.ExpectedResponse != nil {
		t.ExpectedResponse = f.ExpectedResponse
	}
	for _, e := range f.Expect {
		t.Expect = append(t.Expect, e.expectation())
	}
	for name, from := range f.Capture {
		if t.Capture == nil {
			t.Capture = map[string]From{}
		}
		t.Capture[name] = From(from)
	}
	return t
}

// UnmarshalJSON also refuses two bodies.
func (f *testFile) UnmarshalJSON(data []byte) error {
	type plain testFile
	var problems jsontree.Problems
	errors.As(jsontree.Unmarshal(data, (*plain)(f)), &problems)
	if f.Body != "" && f.JSON != nil {
		problems = append(problems, jsontree.Problem{Path: "json", Text: "want one body, found another in body"})
	}
	return problems.Err()
}
