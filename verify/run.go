package verify

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// BodyLimit is how many bytes of a body are read, 1 MiB. A body that is longer
// fails the test if it was to be compared.
const BodyLimit = 1 << 20

const userAgent = "guidon-verify"

// run sends the test's request and compares the answer.
func (t *test) run(ctx context.Context, handler http.Handler) Result {
	r := Result{Name: t.Name, Method: t.Method, Endpoint: t.Endpoint, Optional: t.Optional}
	if ctx.Err() != nil {
		r.Reason = context.Cause(ctx).Error()
		return r
	}
	ctx, cancel := context.WithTimeoutCause(ctx, t.Timeout, errors.New("the test's "+t.Timeout.String()+" are over"))
	defer cancel()

	transport := &http.Transport{DisableCompression: true, DisableKeepAlives: true, MaxResponseHeaderBytes: BodyLimit}
	var inside *pipe
	if handler != nil {
		inside = serve(ctx, handler)
		defer inside.close()
		transport.DialContext = inside.dial
	}
	start := time.Now()
	e, err := t.exchange(ctx, transport)
	e.at = time.Now()
	e.ResponseTime = e.at.Sub(start)
	r.Status, r.ResponseTime = e.Status, e.ResponseTime

	d := &differences{}
	t.compare(ctx, e, err, d)
	if inside != nil && (err == nil || ctx.Err() == nil) {
		if !inside.wait(ctx) {
			d.add(ended(ctx), "request", "a handler that returns", "none: "+context.Cause(ctx).Error())
		} else if inside.panicked != "" {
			if err != nil {
				*d = differences{} // which came of the panic
			}
			d.add(KindPanic, "request", "an answer", inside.panicked)
		}
	}

	r.Mismatches, r.Omitted = d.list, d.omitted
	r.State = Failed
	if len(d.list) == 0 {
		r.State = Passed
	}
	return r
}

// exchange returns what came, with status 0 if nothing did, and the body up to the
// limit.
func (t *test) exchange(ctx context.Context, transport *http.Transport) (*exchanged, error) {
	e := &exchanged{}
	request, err := http.NewRequestWithContext(ctx, t.Method, t.url, strings.NewReader(t.Body))
	if err != nil {
		return e, err
	}
	for name, values := range t.Header {
		for _, v := range values {
			request.Header.Add(name, v)
		}
	}
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}
	if request.Header.Get("User-Agent") == "" {
		request.Header.Set("User-Agent", userAgent)
	}
	// a Client would follow redirects, or stumble over where they lead
	response, err := transport.RoundTrip(request)
	if err != nil {
		return e, err
	}
	defer response.Body.Close()
	e.Status, e.Header, e.TLS = response.StatusCode, response.Header, response.TLS
	e.Body, err = io.ReadAll(io.LimitReader(response.Body, BodyLimit+1))
	if e.long = len(e.Body) > BodyLimit; e.long {
		e.Body = e.Body[:BodyLimit]
	}
	return e, err
}

// compare adds what is not as expected, and that an exchange did not come to its end.
func (t *test) compare(ctx context.Context, e *exchanged, err error, d *differences) {
	if e.Status == 0 {
		broken(ctx, "request", "an answer", "none", err, d)
		return
	}
	t.look(e, err == nil, d)
	if err != nil {
		broken(ctx, "body", "all of it", "a part", err, d)
	}
}

// broken adds that an exchange ended early, and whether that was its context's
// doing.
func broken(ctx context.Context, path, want, got string, err error, d *differences) {
	if ctx.Err() != nil {
		d.add(ended(ctx), path, want, got+": "+context.Cause(ctx).Error())
		return
	}
	d.add(KindTransport, path, want, got+": "+err.Error())
}

func ended(ctx context.Context) Kind {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return KindTimeout
	}
	return KindCanceled
}
