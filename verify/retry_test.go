package verify_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

// shaky answers 503 until it was asked often enough.
type shaky struct {
	failures   int
	retryAfter string
	hang       bool // instead of an answer
	asked      []time.Time
}

func (s *shaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, time.Now())
	if len(s.asked) > s.failures {
		return
	}
	if s.hang {
		<-r.Context().Done()
		return
	}
	if s.retryAfter != "" {
		w.Header().Set("Retry-After", s.retryAfter)
	}
	w.WriteHeader(http.StatusServiceUnavailable)
}

func TestRetries(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	tests := []struct {
		name     string
		shaky    shaky
		test     verify.SmokeTest
		attempts int
		passed   bool
		waits    []time.Duration // the longest of each; it may be half of that
		exact    bool
	}{
		{"none", shaky{failures: 1}, verify.SmokeTest{}, 1, false, nil, false},
		{"first passes", shaky{}, verify.SmokeTest{Retry: verify.Retry{Attempts: 3}}, 1, true, nil, false},
		{"second passes", shaky{failures: 1}, verify.SmokeTest{Retry: verify.Retry{Attempts: 3}}, 2, true, []time.Duration{ms(100)}, false},
		{"none passes", shaky{failures: 9}, verify.SmokeTest{Retry: verify.Retry{Attempts: 3}}, 3, false, []time.Duration{ms(100), ms(200)}, false},
		{"up to Max", shaky{failures: 9}, verify.SmokeTest{Timeout: time.Minute, Retry: verify.Retry{Attempts: 6, Backoff: time.Second, Max: 3 * time.Second}}, 6, false,
			[]time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 3 * time.Second, 3 * time.Second}, false},
		{"Backoff longer than the usual Max", shaky{failures: 1}, verify.SmokeTest{Timeout: time.Minute, Retry: verify.Retry{Attempts: 2, Backoff: 8 * time.Second}}, 2, true, []time.Duration{8 * time.Second}, false},
		{"no time for another", shaky{failures: 9}, verify.SmokeTest{Timeout: ms(149), Retry: verify.Retry{Attempts: 3}}, 2, false, []time.Duration{ms(100)}, false},
		{"Retry-After", shaky{failures: 1, retryAfter: "3"}, verify.SmokeTest{Retry: verify.Retry{Attempts: 2}}, 2, true, []time.Duration{3 * time.Second}, true},
		{"Retry-After that is no longer than the wait", shaky{failures: 1, retryAfter: "0"}, verify.SmokeTest{Retry: verify.Retry{Attempts: 2}}, 2, true, []time.Duration{ms(100)}, false},
		{"Retry-After as a date", shaky{failures: 1, retryAfter: "Sat, 01 Jan 2000 00:00:04 GMT"}, verify.SmokeTest{Retry: verify.Retry{Attempts: 2}}, 2, true, []time.Duration{4 * time.Second}, true},
		{"Retry-After that is too late", shaky{failures: 1, retryAfter: "5"}, verify.SmokeTest{Retry: verify.Retry{Attempts: 2}}, 1, false, nil, false},
		{"Retry-After of ages", shaky{failures: 1, retryAfter: "99999999999999999999999"}, verify.SmokeTest{Retry: verify.Retry{Attempts: 2}}, 1, false, nil, false},
		{"Retry-After of nonsense", shaky{failures: 1, retryAfter: "-5"}, verify.SmokeTest{Retry: verify.Retry{Attempts: 2}}, 2, true, []time.Duration{ms(100)}, false},
		{"an attempt that hangs", shaky{failures: 1, hang: true}, verify.SmokeTest{Retry: verify.Retry{Attempts: 2, Timeout: ms(300)}}, 2, true, []time.Duration{ms(400)}, false},
		{"the last attempt hangs too", shaky{failures: 9, hang: true}, verify.SmokeTest{Retry: verify.Retry{Attempts: 2, Timeout: ms(300)}}, 2, false, []time.Duration{ms(400)}, false},
		{"an attempt that hangs for good", shaky{failures: 1, hang: true}, verify.SmokeTest{Retry: verify.Retry{Attempts: 2}}, 1, false, nil, false},
		{"a POST that may be sent twice", shaky{failures: 1}, verify.SmokeTest{Method: "POST", Body: "x", Retry: verify.Retry{Attempts: 2, AnyMethod: true}}, 2, true, []time.Duration{ms(100)}, false},
		{"a PUT", shaky{failures: 1}, verify.SmokeTest{Method: "PUT", Body: "x", Retry: verify.Retry{Attempts: 2}}, 2, true, []time.Duration{ms(100)}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.test.Endpoint = "/"
				report := (&verify.Suite{Handler: &tt.shaky, Tests: []verify.SmokeTest{tt.test}}).Probe(t.Context())
				synctest.Wait() // for a handler that is told to give up, which is not waited for
				require.Empty(t, report.Problems)
				r := report.Results[0]
				if passed := r.State == verify.Passed; passed != tt.passed || r.Flaky != (passed && tt.attempts > 1) {
					t.Errorf("%v, flaky %v, want passed %v", r.State, r.Flaky, tt.passed)
				}
				if len(r.Attempts) != tt.attempts || len(tt.shaky.asked) != tt.attempts {
					t.Fatalf("got attempts %v for %d requests, want %d", r.Attempts, len(tt.shaky.asked), tt.attempts)
				}
				for i, a := range r.Attempts {
					if failed := a.Mismatch != (verify.Mismatch{}); failed == (tt.passed && i == tt.attempts-1) || !a.Start.Equal(tt.shaky.asked[i]) {
						t.Errorf("attempt %d: %+v", i, a)
					}
				}
				for i, longest := range tt.waits {
					wait := tt.shaky.asked[i+1].Sub(tt.shaky.asked[i])
					least := longest / 2
					if tt.exact {
						least = longest
					}
					if wait > longest || wait < least {
						t.Errorf("waited %v before attempt %d, want %v to %v", wait, i+2, least, longest)
					}
				}
			})
		})
	}
}

func TestWaitsDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waits := map[time.Duration]bool{}
		for range 20 {
			s := &shaky{failures: 1}
			suite := verify.Suite{Handler: s, Tests: []verify.SmokeTest{{Endpoint: "/", Retry: verify.Retry{Attempts: 2}}}}
			require.NoError(t, suite.Check(t.Context()))
			waits[s.asked[1].Sub(s.asked[0])] = true
		}
		if len(waits) < 10 {
			t.Errorf("waited %v", waits)
		}
	})
}

func TestAttemptsTellWhatHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &shaky{failures: 1, hang: true}
		suite := verify.Suite{Handler: s, Tests: []verify.SmokeTest{{Endpoint: "/", Retry: verify.Retry{Attempts: 2, Timeout: time.Second, Backoff: 1, Max: 1}}}}
		got := suite.Probe(t.Context()).Results[0]
		want := []verify.Attempt{
			{Start: start, Took: time.Second, Mismatch: verify.Mismatch{Kind: verify.KindTimeout, Path: "request", Want: "an answer", Got: "none: the attempt's 1s are over"}},
			{Start: s.asked[1], Status: 200},
		}
		if diff := cmp.Diff(want, got.Attempts); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got.Mismatches != nil || got.Status != 200 {
			t.Errorf("got %v of the attempt that passed", got)
		}
	})
}

func TestProblemsOfRetries(t *testing.T) {
	suite := verify.Suite{Handler: &shaky{}}
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "POST", "PATCH", "get"} {
		suite.Tests = append(suite.Tests, verify.SmokeTest{Method: method, Endpoint: "/", Retry: verify.Retry{Attempts: 2}})
	}
	suite.Tests = append(suite.Tests, verify.SmokeTest{Endpoint: "/", Retry: verify.Retry{Attempts: 1001, Backoff: 2, Max: 1, Timeout: -1}},
		verify.SmokeTest{Endpoint: "/", Retry: verify.Retry{Attempts: -1, Backoff: -2, Max: -1}})
	var want []string
	for i, method := range []string{"POST", "PATCH", "get"} {
		want = append(want, fmt.Sprintf("Tests[%d].Retry.Attempts: want one, because %s is not idempotent, or AnyMethod if it may be sent twice all the same", i+6, method))
	}
	want = append(want, "Tests[9].Retry.Attempts: want 0 to 1000, found 1001", "Tests[9].Retry.Timeout: -1ns is negative", "Tests[9].Retry.Max: want at least the Backoff of 2ns, found 1ns",
		"Tests[10].Retry.Attempts: want 0 to 1000, found -1", "Tests[10].Retry.Backoff: -2ns is negative", "Tests[10].Retry.Max: -1ns is negative")
	if diff := cmp.Diff(want, suite.Probe(t.Context()).Problems); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
