package verify

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Retry says how often a test that fails is tried again. Whatever it failed for,
// it is tried again; it passes if the last attempt does. The zero value is one
// attempt.
//
// The wait before an attempt is drawn between half of Backoff and Backoff, and
// doubles with each, so that many probes that fail at once do not come back at
// once. A Retry-After of the answer, seconds or a date, makes it longer, even than
// Max. A wait that would last to the end of the test's Timeout, of the suite's or
// of the context is not begun: then the attempts are over.
type Retry struct {
	// Attempts is how many there are at most, the first included: 0 and 1 are the
	// same.
	Attempts int

	// Backoff is the longest wait before the second attempt. Zero: 100 ms.
	Backoff time.Duration

	// Max is where the wait stops doubling. Zero: 5 s, or Backoff if that is
	// longer.
	Max time.Duration

	// Timeout is for each attempt, so that one that hangs leaves time for the
	// next. Zero: what is left of the test's Timeout.
	Timeout time.Duration

	// AnyMethod is for a request that may be sent twice although its method is
	// not idempotent by RFC 9110, section 9.2.2: all but GET, HEAD, OPTIONS,
	// TRACE, PUT and DELETE. Without it, retries of those are refused. An attempt
	// that failed may have created something all the same: what is captured is of
	// the last answer that had it, so a cleanup takes back no more than that.
	AnyMethod bool
}

// Attempt is one of the times that a test was tried.
type Attempt struct {
	Start    time.Time     `json:"start"`             // when
	Took     time.Duration `json:"took"`              // to the last byte that was read, or to the failure
	Status   int           `json:"status,omitempty"`  // of the answer, 0 if there was none
	Mismatch Mismatch      `json:"mismatch,omitzero"` // the first of it; zero if it passed
}

const (
	defaultBackoff = 100 * time.Millisecond
	defaultMaxWait = 5 * time.Second
	mostAttempts   = 1000
)

func (c *compiler) retry(t *test) {
	r := &t.Retry
	if *r == (Retry{}) {
		r.Attempts = 1
		return
	}
	path := jsontree.Join(t.path, "Retry")
	if r.Attempts < 0 || r.Attempts > mostAttempts {
		c.add(jsontree.Join(path, "Attempts"), "want 0 to %d, found %d", mostAttempts, r.Attempts)
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"Backoff", r.Backoff}, {"Max", r.Max}, {"Timeout", r.Timeout}} {
		if d.value < 0 {
			c.add(jsontree.Join(path, d.name), "%v is negative", d.value)
		}
	}
	if r.Max > 0 && r.Max < r.Backoff {
		c.add(jsontree.Join(path, "Max"), "want at least the %s of %v, found %v", c.name("Backoff"), r.Backoff, r.Max)
	}
	if r.Attempts > 1 && !r.AnyMethod && !idempotent(t.Method) {
		c.add(jsontree.Join(path, "Attempts"), "want one, because %s is not idempotent, or %s if it may be sent twice all the same", t.Method, c.name("AnyMethod"))
	}
	r.Attempts = max(r.Attempts, 1)
	if r.Backoff == 0 {
		r.Backoff = defaultBackoff
	}
	if r.Max == 0 {
		r.Max = max(r.Backoff, defaultMaxWait)
	}
}

func idempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// wait returns how long to wait after the failed attempt n, from 1.
func (r *Retry) wait(n int, header http.Header) time.Duration {
	longest := r.Max
	if shift := min(n-1, 62); r.Backoff <= r.Max>>shift {
		longest = r.Backoff << shift
	}
	d := longest - rand.N(longest/2+1)
	return max(d, retryAfter(header, time.Now()))
}

// retryAfter reads what RFC 9110, section 10.2.3 says: seconds or a date. Anything
// else is 0.
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 63); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, math.MaxInt64/uint64(time.Second))) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return at.Sub(now)
	}
	return 0
}

// sleep waits, unless the context would be over before.
func sleep(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ctx.Err() != nil || ok && d >= time.Until(deadline) {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
