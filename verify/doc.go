// Package verify answers one question about a service: does it work? It sends a
// few requests, the smoke tests, and compares what comes back with what was
// expected.
//
// The one idea: a [Suite] is data, and the same suite runs against a URL or
// straight against an [http.Handler], without a socket. So a build can verify
// itself before it listens, and its deployment can be verified with the same
// lines afterwards. [Suite.Probe] returns everything that was seen;
// [Suite.Check] is the same as a gate, a func(context.Context) error: nil is
// yes, an error says all that is wrong.
//
//	package main
//
//	import (
//		"context"
//		"encoding/json"
//		"fmt"
//		"os"
//
//		"github.com/guidon-go/guidon/verify"
//	)
//
//	func main() {
//		suite := &verify.Suite{
//			Name: "shop",
//			URL:  "http://localhost:8080",
//			Tests: []verify.SmokeTest{
//				{Endpoint: "/healthz"},
//				{Endpoint: "/cart/42", ExpectedResponse: json.RawMessage(`{"items": [{"price": 10.5}]}`)},
//				{Endpoint: "/cart/none", ExpectedStatus: 404},
//			},
//		}
//		if err := suite.Check(context.Background()); err != nil {
//			fmt.Fprintln(os.Stderr, err)
//			// suite "shop" against http://localhost:8080 is not healthy: 2 of 3 tests passed
//			// GET /cart/42 -> $.items[0].price: want 10.5, got "10.5"
//			os.Exit(1)
//		}
//	}
//
// # Guarantees
//
// It fails closed. Only tests that ran and passed make a suite healthy: an
// empty suite, one whose tests are all optional, a malformed one, one that ran
// out of time, a missing field, a value of another type, a body that is not
// JSON are all no. [Report.Healthy] of a zero Report is false.
//
// Nothing hides anything. All mistakes of a suite are reported together and
// before anything is sent; all tests run although one failed; a test reports
// its status and up to [MaxMismatches] differences of its body.
//
// What is compared is the text of the answer and nothing nearby: numbers are
// exact decimals, redirects are not followed unless a test says how many, and then
// on the same host alone, compression is not asked for unless a test does, no
// proxy is taken from the environment, every exchange with a URL opens its own
// connection, and a body is read up to [BodyLimit] or the suite's.
//
// It ends on time. A test ends, with all its attempts, at its own timeout, the
// suite's or the context's, whichever comes first, even if a Handler ignores its
// context: such a handler keeps the goroutine it blocks, and nothing else stays
// behind. A panic in a Handler fails its test and no more. Whatever a server sends
// is a failed test with a reason, and no hang.
//
// Secrets stay secret. What [Suite].Secrets has, and what headers like
// Authorization and Cookie carry, is in no report, error or curl line, and in no
// callback once it is known, whether it stands there as it is, escaped or encoded.
//
// # In order
//
// Setup comes first, then Tests, then Cleanup, which always runs, in a time of its
// own. A test may need others, by name, and then it is skipped, with the reason,
// unless they passed. What one captures from its answer, others use as ${name} in
// endpoint, header and body, escaped for its place; using what was not captured is
// an error. With Parallel, tests that do not need one another run at once. A [Retry]
// keeps every attempt, and a test that passed only then is flaky.
//
// # In a file
//
// [Parse] reads a suite from JSON, strictly; schema.json beside this file is for
// editors, and examples/smoke runs one before its service listens and again after.
// Reports are written as text, JSON, JUnit XML ([Report.WriteJUnit]) and TAP 14
// ([Report.WriteTAP]).
//
// # Matching a body
//
// A body matches ExpectedResponse if it is JSON that contains what was expected:
//
//   - an object has every expected key, at every depth; other keys do not
//     matter, so {} matches every object;
//   - null matches null only, and not a missing key;
//   - an array has the expected length, and its elements match one by one in
//     the expected order, so [] matches only the empty array;
//   - kinds are strict, "7" is not 7; numbers are equal as exact decimals, so
//     that 1, 1.0 and 1e0 are one number and 9007199254740993 is not
//     9007199254740992; strings are equal byte by byte once decoded.
//
// [JSONContains] says more: by path, that an array may have more elements or be in any
// order, each element with a partner of its own, and what must be absent. [JSONEquals]
// leaves nothing over, and [JSONPath] looks at single values (RFC 9535 without
// filters, which are refused). The other expectations are of headers, other bodies,
// certificates, response times, and functions of one's own. Comparing is bounded: what
// would take more than 67,108,864 steps fails, and says so.
//
// A body with duplicate keys, with anything after its value, with invalid UTF-8
// or with more than 100 levels fails, and the report says where.
package verify
