package verify

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"
)

// SmokeTest is one request and what must come back. The zero value of every
// field but Endpoint is right for most tests.
type SmokeTest struct {
	// Name is what reports call the test. Empty: method and endpoint.
	Name string

	// Method is the HTTP method. Empty: GET.
	Method string

	// Endpoint is path and query, from the "/" that follows the suite's URL:
	// "/cart?user=42". It is required.
	Endpoint string

	// Header is sent with the request; "Host" sets the host asked for. Unless it
	// says otherwise the User-Agent is "guidon-verify". Nothing else is added:
	// neither Accept nor Content-Type.
	Header http.Header

	// Body is sent as it is. Empty: no body.
	Body string

	// ExpectedStatus is the one status that passes. Zero: 200.
	ExpectedStatus int

	// Statuses are the statuses that pass, in the place of ExpectedStatus: any one
	// in any of the ranges, such as {Status2xx, {From: 404}}.
	Statuses []StatusRange

	// ExpectedResponse is what the JSON body must contain, by the rules of the
	// package: a [json.RawMessage], or any value that encoding/json can write,
	// such as map[string]any{"status": "ok"}. A string is a JSON string, not
	// JSON text. Nil: the body is read, but it may be anything.
	ExpectedResponse any

	// Expect is everything else that must hold. All of it is looked at, whatever
	// fails before.
	Expect []Expectation

	// Timeout is for the whole test, from dialing to the last byte of the body,
	// with all its redirects, attempts and the waits between them. Zero: 5 s.
	Timeout time.Duration

	// Needs are the names of tests that must have passed, of Setup or of the same
	// list as this one: it runs after them, wherever it stands, and is skipped if
	// one of them did not pass.
	Needs []string

	// Capture keeps values of the answer under their names, for the Endpoint,
	// Header and Body of other tests: ${id} there stands for what was captured as
	// id. Those tests need this one as if their Needs said so, so that a name
	// always has a value. It is escaped as its place asks for: in the Endpoint for
	// a segment of the path or for the query, so that a whole path, as of a
	// Location, has no place there; in a form for the form; in a JSON Body as a
	// value of the kind that it had, or within a string; in no other text. What
	// cannot stand in its place fails the test: an object in a path, a line break
	// in a header, ";" in a cookie. "$${" stands for "${" itself. A name is
	// captured once in a suite.
	Capture map[string]From

	// Retry is for tests that may fail at first.
	Retry Retry

	// Redirects is how many redirects are followed, at most 10, all of them to
	// the same scheme, host and port: any other fails the test, and so does one
	// more. Zero: a redirect is an answer like any other.
	Redirects int

	// Optional says that the test is reported and counted, but does not decide
	// whether the suite is healthy.
	Optional bool
}

// Suite is a list of smoke tests and what they are sent to: exactly one of URL
// and Handler. Setup runs first, then Tests, then Cleanup.
//
// A Suite is not changed by running, so it may be run from several goroutines
// at once, as long as nobody writes to it. The zero value is malformed.
type Suite struct {
	// Name is what reports call the suite. It may be empty.
	Name string

	// URL is the base that endpoints are appended to: "https://shop.example" or
	// "http://10.0.0.7:8080/v2".
	URL string

	// Handler is called without a socket, through an HTTP server at the other
	// end of a pipe, so that it sees what it would see in production. Its
	// requests are for http://localhost and carry the values of the context
	// given to Probe or Check. A test whose handler does not return has failed.
	Handler http.Handler

	// Setup is what must be there before Tests: its tests run one after another,
	// and if one that is not Optional does not pass, the rest of it and all Tests
	// are skipped.
	Setup []SmokeTest

	// Tests are the requests; at least one of them must not be Optional. They run
	// in this order as far as their Needs allow, and all of them run although
	// others failed.
	Tests []SmokeTest

	// Cleanup takes back what the others did. Its tests run one after another and
	// always: although Setup failed, and although the context or the time is over.
	// They decide like all tests that are not Optional, because what they leave
	// behind is a fault too, but they are told apart by their [Stage]. One that
	// refers to what was never captured has nothing to take back: it is skipped,
	// and does not decide.
	Cleanup []SmokeTest

	// Timeout is for Setup and Tests together: those that it leaves no time for
	// are skipped. Zero: 60 s.
	Timeout time.Duration

	// CleanupTimeout is for Cleanup. Zero: 30 s.
	CleanupTimeout time.Duration

	// Parallel is how many Tests that do not need one another run at once, at
	// most 1000. A Handler must bear that. Results are in the order of the tests
	// all the same. 0 and 1: one after another.
	Parallel int

	// Cookies says that cookies which answers set are sent with later requests of
	// the run, by the rules of browsers. Against a Handler, those that are for
	// encrypted connections only are sent as well.
	Cookies bool

	// BodyLimit is how many bytes of a body are read, after decompression, at most
	// 1 GiB. Zero: [BodyLimit].
	BodyLimit int

	// Secrets are texts that no report shows, under the names that stand for them
	// in the tests' Endpoint, Header and Body: ${name}, as of a capture, whose name
	// none of them has. Each has 4 to 4096 bytes of UTF-8. They are left out of all
	// that is reported, as "[secret]": as they are, escaped for a URL, JSON or HTML,
	// in hex and in base64, as part of a "user:secret" too, one within another. So is
	// what the headers Authorization, Proxy-Authorization, X-Api-Key, Cookie and
	// Set-Cookie of any test carry, and what is captured for them or of them; but not
	// values of cookies, nor parts of Authorization, that are shorter than 8 bytes. A
	// text that would take too long to look through is "[secret]" as a whole.
	Secrets map[string]Secret

	// OnStart is called before a test is sent its first request, with what is known
	// of it: Stage, Name, Method, Endpoint and Optional. OnResult is called when a
	// test has ended, or is skipped, with a copy of the result that the report will
	// have, but for credentials that no test had sent, got or captured by then. They
	// are called in the order in which that happens, one at a time: nothing else is
	// begun meanwhile. A panic in them, and an end of the goroutine they are called in,
	// as t.FailNow makes, ends only that call. Nil: nobody is told.
	OnStart, OnResult func(Result)

	// Custom has the functions of those [Custom] expectations that have none, by
	// their names: those of a suite that was read from a file.
	Custom map[string]func(Answer) error

	// TLS is how to connect to an https URL: RootCAs for certificates of your own,
	// Certificates for the client's. InsecureSkipVerify is refused. It is not
	// written to. Nil: the defaults of package tls.
	TLS *tls.Config
}

const (
	defaultTestTimeout    = 5 * time.Second
	defaultSuiteTimeout   = 60 * time.Second
	defaultCleanupTimeout = 30 * time.Second

	mostRedirects = 10
	mostParallel  = 1000
	mostBody      = 1 << 30
)

// Probe runs the suite and reports what was seen. It blocks until all tests
// ended or were skipped because ctx or the suite's timeout did, and until Cleanup
// ended. A malformed suite sends nothing: its report has Problems.
func (s *Suite) Probe(ctx context.Context) Report {
	hide := s.hide()
	report := Report{Suite: hide.scrub(s.Name), Target: hide.scrub(s.target()), Start: time.Now()}
	tests, problems := s.compile()
	if len(problems) > 0 {
		for _, p := range problems {
			report.Problems = append(report.Problems, hide.scrub(p.Error()))
		}
		return report
	}
	report.Results = s.run(ctx, tests, hide)
	for i, result := range report.Results { // of what was learned since
		report.Results[i] = hide.result(result)
	}
	report.Took = time.Since(report.Start)
	return report
}

// Check runs the suite and returns nil if its report is healthy. The error is an
// [*Error]: it lists every failed test with all that did not match and holds the
// whole report. A method value s.Check is a gate.
func (s *Suite) Check(ctx context.Context) error {
	report := s.Probe(ctx)
	switch {
	case report.Healthy():
		return nil
	case len(report.Problems) > 0:
		return &Error{Report: report, Err: ErrInvalid}
	case ctx.Err() != nil:
		return &Error{Report: report, Err: context.Cause(ctx)}
	}
	return &Error{Report: report, Err: ErrUnhealthy}
}
