package verify

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/guidon-go/guidon/internal/jsontree"
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
	status, body, err := t.exchange(ctx, transport)
	r.ResponseTime = time.Since(start)
	r.Status = status

	d := &differences{}
	t.compare(ctx, status, body, err, d)
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

// exchange returns the status, 0 if none came, and the body up to one byte more
// than the limit.
func (t *test) exchange(ctx context.Context, transport *http.Transport) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, t.Method, t.url, strings.NewReader(t.Body))
	if err != nil {
		return 0, nil, err
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
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, BodyLimit+1))
	return response.StatusCode, body, err
}

func (t *test) compare(ctx context.Context, status int, body []byte, err error, d *differences) {
	if status != 0 && status != t.ExpectedStatus {
		d.add(KindStatus, "status", strconv.Itoa(t.ExpectedStatus), strconv.Itoa(status))
	}
	switch {
	case err != nil && status == 0:
		broken(ctx, "request", "an answer", "none", err, d)
	case err != nil:
		broken(ctx, "body", "all of it", "a part", err, d)
	case t.want == nil:
	case len(body) > BodyLimit:
		d.add(KindBody, "body", "at most "+strconv.Itoa(BodyLimit)+" bytes", "more")
	default:
		got, err := jsontree.Parse(body)
		var problems jsontree.Problems
		if errors.As(err, &problems) {
			for _, p := range problems {
				d.add(KindBody, "body", "JSON", p.Error())
			}
			return
		}
		d.match("$", t.want, got)
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
