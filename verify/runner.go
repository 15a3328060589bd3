package verify

import (
	"cmp"
	"context"
	"fmt"
	"sync"
)

// runner is one run of a suite.
type runner struct {
	target  target
	inside  bool // whether the target is a handler
	limit   int  // of bodies
	cookies *cookies
	tests   []test
	results []Result
	secrets map[string]capture // the suite's
	hide    *hider             // of the run
	carried map[string]bool    // captures that are sent as credentials
	suite   *Suite

	mu       sync.Mutex
	captured map[string]capture // guarded by mu
}

// run runs all stages. Cleanup is run whatever happened before.
func (s *Suite) run(ctx context.Context, tests []test, hide *hider) []Result {
	r := &runner{
		inside:   s.Handler != nil,
		limit:    cmp.Or(s.BodyLimit, BodyLimit),
		tests:    tests,
		results:  make([]Result, len(tests)),
		captured: map[string]capture{},
		secrets:  s.values(),
		hide:     hide,
		carried:  carried(tests),
		suite:    s,
	}
	if s.Cookies {
		r.cookies = newCookies(r.inside)
	}
	if r.inside {
		r.target = serve(ctx, s.Handler)
	} else {
		r.target = &outside{tls: s.TLS}
	}
	defer r.target.close()

	timeout := cmp.Or(s.Timeout, defaultSuiteTimeout)
	main, cancel := context.WithTimeoutCause(ctx, timeout, over{"suite", timeout})
	defer cancel()
	setup, end := len(s.Setup), len(s.Setup)+len(s.Tests)
	r.stage(main, 0, setup, 1)
	r.stage(main, setup, end, max(s.Parallel, 1))

	timeout = cmp.Or(s.CleanupTimeout, defaultCleanupTimeout)
	last, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), timeout, over{"cleanup", timeout})
	defer cancel()
	r.stage(last, end, len(tests), 1)
	return r.results
}

// stage runs the tests from one index to another, at most so many at once. A test
// begins when all it needs have ended: of those that may, the first in the order
// of the suite.
func (r *runner) stage(ctx context.Context, from, to, parallel int) {
	begun, done := make([]bool, to-from), make([]bool, to-from)
	ended := make(chan int)
	running, left := 0, to-from
	for left > 0 {
		next := -1
		if running < parallel {
			next = r.next(from, begun, done)
		}
		switch {
		case next < 0: // it waits for one that runs, and there is one: nothing needs itself
			i := <-ended
			done[i-from] = true
			running--
			left--
			r.tell(r.suite.OnResult, i)
		default:
			begun[next-from] = true
			values, ok := r.begin(ctx, next)
			if ok {
				r.tell(r.suite.OnStart, next)
			}
			if ok && parallel > 1 {
				running++
				go func() {
					r.test(ctx, next, values)
					ended <- next
				}()
				continue
			}
			if ok {
				r.test(ctx, next, values)
			}
			done[next-from] = true
			left--
			r.tell(r.suite.OnResult, next)
		}
	}
}

// next returns the first test that has not begun and needs none that has not
// ended, or -1.
func (r *runner) next(from int, begun, done []bool) int {
	waits := func(needs []int) bool {
		for _, n := range needs {
			if n >= from && !done[n-from] {
				return true
			}
		}
		return false
	}
	for i := range begun {
		if t := &r.tests[from+i]; !begun[i] && !waits(t.needs) && !waits(t.after) {
			return from + i
		}
	}
	return -1
}

// tell calls back, with a copy. How that ends is the host's, and no reason to stop.
func (r *runner) tell(call func(Result), i int) {
	if call == nil {
		return
	}
	result := r.hide.result(r.results[i])
	apart(func() { call(result) })
}

// begin prepares a test and says whether it is to be run. All it needs have ended.
func (r *runner) begin(ctx context.Context, i int) (values map[string]capture, ok bool) {
	t, result := &r.tests[i], &r.results[i]
	*result = Result{
		Stage: t.stage, Name: r.hide.scrub(t.Name), Method: r.hide.scrub(t.Method), Endpoint: r.hide.scrub(t.Endpoint), Optional: t.Optional,
	}
	values, missing := r.values(t)
	if missing != "" { // only a cleanup comes so far without
		result.Optional = true
		result.Reason = "${" + missing + "} was not captured"
		return nil, false
	}
	result.Reason = r.hide.scrub(r.reason(ctx, t))
	return values, result.Reason == ""
}

// test runs one test.
func (r *runner) test(ctx context.Context, i int, values map[string]capture) {
	captured := r.run(ctx, &r.tests[i], values, &r.results[i])
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range captured {
		r.captured[v.name] = v
	}
}

// values are those that a test refers to. A name that is missing although it is
// captured by a test that was needed, is left to [runner.reason].
func (r *runner) values(t *test) (values map[string]capture, missing string) {
	names := t.fill.names
	if len(names) == 0 {
		return nil, ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	values = make(map[string]capture, len(names))
	for _, name := range names {
		v, ok := r.captured[name]
		if !ok {
			v, ok = r.secrets[name]
		}
		if ok {
			values[name] = v
		} else if t.stage == StageCleanup {
			missing = name
		}
	}
	return values, missing
}

// reason says why a test is not to be run: what failed before what was skipped,
// because the one is why the other was. It is empty if the test is to be run.
func (r *runner) reason(ctx context.Context, t *test) string {
	for _, state := range []State{Failed, Skipped} {
		for i := range r.tests {
			s := &r.results[i]
			if r.tests[i].stage != StageSetup || t.stage == StageCleanup {
				break
			}
			if s.State == state && !s.Optional && (state == Failed || s.Reason != "") {
				return fmt.Sprintf("setup %q %s", s.Name, fate(state))
			}
		}
		for _, n := range t.needs {
			if s := &r.results[n]; s.State == state {
				return fmt.Sprintf("needs %q, which %s", s.Name, fate(state))
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx).Error()
		}
	}
	return ""
}

func fate(s State) string {
	if s == Failed {
		return "failed"
	}
	return "was skipped"
}
