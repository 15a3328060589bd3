package verify

import (
	"cmp"
	"context"
	"fmt"
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

	// Timeout is for the whole exchange, from dialing to the last byte of the
	// body. Zero: 5 s.
	Timeout time.Duration

	// Optional says that the test is reported and counted, but does not decide
	// whether the suite is healthy.
	Optional bool
}

// Suite is a list of smoke tests and what they are sent to: exactly one of URL
// and Handler. Its tests run one after another, in order.
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

	// Tests are the requests; at least one of them must not be Optional.
	Tests []SmokeTest

	// Timeout is for all tests together: those that it leaves no time for are
	// skipped. Zero: 60 s.
	Timeout time.Duration
}

const (
	defaultTestTimeout  = 5 * time.Second
	defaultSuiteTimeout = 60 * time.Second
)

// Probe runs the suite and reports what was seen. It blocks until all tests
// ended or were skipped because ctx or the suite's timeout did. A malformed
// suite sends nothing: its report has Problems.
func (s *Suite) Probe(ctx context.Context) Report {
	report := Report{Suite: s.Name, Target: s.target(), Start: time.Now()}
	tests, problems := s.compile()
	if len(problems) > 0 {
		for _, p := range problems {
			report.Problems = append(report.Problems, p.Error())
		}
		return report
	}
	timeout := cmp.Or(s.Timeout, defaultSuiteTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("the suite's %v are over", timeout))
	defer cancel()
	for i := range tests {
		report.Results = append(report.Results, tests[i].run(ctx, s.Handler))
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
