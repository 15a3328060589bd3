package verify

import (
	"context"
	"errors"
	"time"
)

// run tries a test until it passes or its attempts are over, and returns what was
// captured, even of an answer that was not as expected: a cleanup may need it.
func (r *runner) run(ctx context.Context, t *test, values map[string]capture, result *Result) []capture {
	ctx, cancel := context.WithTimeoutCause(ctx, t.Timeout, over{"test", t.Timeout})
	defer cancel()
	spec := &t.fill.request
	if t.fill.endpoint != nil {
		d := &differences{hide: r.hide}
		if spec = t.fill.fill(values, d); len(d.list) > 0 {
			result.State, result.Mismatches, result.Omitted = Failed, d.list, d.omitted
			return nil
		}
	}
	r.hide.saw(spec.header)
	var captured []capture
	for n := 1; ; n++ {
		e, d := r.attempt(ctx, t, spec)
		captured = append(captured, e.captured...)
		for _, v := range e.captured {
			if v.secret || r.carried[v.name] {
				r.hide.add(v.text, leastSecret)
			}
		}
		result.Status, result.ResponseTime, result.Phases = e.Status, e.ResponseTime, e.phases
		result.Mismatches, result.Omitted = d.list, d.omitted
		a := Attempt{Start: e.start, Took: e.ResponseTime, Status: e.Status}
		if len(d.list) == 0 {
			result.Attempts = append(result.Attempts, a)
			result.State, result.Flaky = Passed, n > 1
			return captured
		}
		result.State, a.Mismatch = Failed, d.list[0]
		result.Attempts = append(result.Attempts, a)
		if n == t.Retry.Attempts || !sleep(ctx, t.Retry.wait(n, e.Header)) {
			result.Curl = r.curl(t, spec, e, d)
			return captured
		}
	}
}

// attempt sends the test's request and compares the answer.
func (r *runner) attempt(ctx context.Context, t *test, spec *request) (*exchanged, *differences) {
	if t.Retry.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, t.Retry.Timeout, over{"attempt", t.Retry.Timeout})
		defer cancel()
	}
	seen := &struct {
		exchanged
		differences
	}{exchanged{start: time.Now(), limit: r.limit}, differences{hide: r.hide}}
	e, d := &seen.exchanged, &seen.differences
	err := r.exchange(ctx, t, spec, e, d)
	if e.at.IsZero() {
		e.at = time.Now() // nothing was sent
	}
	e.ResponseTime = e.at.Sub(e.start)
	if len(d.list) == 0 { // otherwise it is not the answer that was asked for
		t.compare(ctx, e, err, d)
	}
	switch {
	case e.stuck:
		d.add(ended(ctx), "request", "a handler that returns", "none: "+context.Cause(ctx).Error())
	case e.panicked != "":
		if err != nil {
			*d = differences{hide: r.hide} // which came of the panic
		}
		d.add(KindPanic, "request", "an answer", e.panicked)
	}
	return e, d
}

// over is why a context ends.
type over struct {
	what  string
	after time.Duration
}

func (o over) Error() string { return "the " + o.what + "'s " + o.after.String() + " are over" }

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
