package health_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/guidon-go/guidon/health"
)

func ExampleWindow() {
	window := health.NewWindow(health.WindowOptions{Span: time.Minute})
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) // in a service: time.Now()
	for i := range 600 {
		now = now.Add(50 * time.Millisecond)
		latency, class := 20*time.Millisecond, health.Success
		if i%100 == 99 {
			latency, class = time.Second, health.Failure
		}
		window.Record(now, latency, class)
	}
	fmt.Println(window.Snapshot(now))

	rate, ok := window.Snapshot(now.Add(2 * time.Minute)).ErrorRate()
	fmt.Println("two silent minutes later:", rate, ok)
	// Output:
	// 600 requests (20/s), 1 % fail, p50 20.1ms, p90 20.1ms, p99 20.1ms, max 1s
	// two silent minutes later: 0 false
}

func ExampleWindow_Middleware() {
	window := health.NewWindow(health.WindowOptions{})
	handler := window.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	for _, path := range []string{"/", "/", "/", "/broken"} {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	rate, _ := window.Snapshot(time.Now()).SuccessRate()
	fmt.Println(rate)
	// Output: 0.75
}

// A service for which too many requests are its own fault, and the probes of the
// platform are no traffic.
func ExampleWindowOptions_classify() {
	window := health.NewWindow(health.WindowOptions{
		Classify: func(res health.Response) health.Class {
			switch {
			case res.Status == http.StatusTooManyRequests:
				return health.Failure
			case errors.Is(res.Err, context.Canceled): // in a client: we gave up ourselves
				return health.Excluded
			}
			return res.Class()
		},
	})
	handler := window.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/busy" {
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	for _, path := range []string{"/", "/", "/", "/busy"} {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	rate, _ := window.Snapshot(time.Now()).SuccessRate()
	fmt.Println(rate)
	// Output: 0.75
}

func ExampleWindow_Transport() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "half of it")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()

	window := health.NewWindow(health.WindowOptions{})
	client := &http.Client{Transport: window.Transport(nil)}
	res, err := client.Get(server.URL)
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	_, err = io.ReadAll(res.Body)
	fmt.Println("status:", res.StatusCode, "error:", err)

	rate, _ := window.Snapshot(time.Now()).ErrorRate()
	fmt.Println("error rate:", rate)
	// Output:
	// status: 200 error: unexpected EOF
	// error rate: 1
}

// The metrics of two instances become those of the service.
func ExampleMetrics_Merge() {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var instances [2]*health.Window
	for i := range instances {
		instances[i] = health.NewWindow(health.WindowOptions{})
		for range 100 * (i + 1) {
			instances[i].Record(now, time.Duration(i+1)*10*time.Millisecond, health.Success)
		}
	}
	var service, one health.Metrics
	for _, window := range instances {
		window.SnapshotTo(now.Add(10*time.Second), &one)
		service.Merge(&one)
	}
	fmt.Println(&service)
	// Output: 300 requests (30/s), 0 % fail, p50 20ms, p90 20ms, p99 20ms, max 20ms
}

func ExampleObserve() {
	broken := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("out of cheese") })
	defer func() { fmt.Println("still panics:", recover()) }()
	health.Observe(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), broken,
		func(res health.Response) {
			fmt.Println(res.Status, res.Panicked, health.ByStatus(res.Status))
		})
	// Output:
	// 500 true failure
	// still panics: out of cheese
}

// A change that breaks one request in four, at a ramp of 10 %. The judge looks
// after every request.
func ExampleFirstFailure() {
	cohorts := health.NewCohorts(health.CohortsOptions{})
	judge := health.FirstFailure{Alpha: 0.05}
	var state health.State
	for i := range 10_000 {
		outcome := health.Outcome{
			Unit:  uint64(i),                // in a service: the user's hash,
			Slot:  int32(i * 7919 % 100000), // its slot in the rollout's own lane,
			Ramp:  10_000,                   // and the ramp that decided this request
			Class: health.Success,
		}
		exposed := outcome.Slot < outcome.Ramp
		if i%200 == 0 || exposed && i%4 == 0 {
			outcome.Class = health.Failure
		}
		cohorts.Record(outcome)

		var verdict health.Verdict
		verdict, state = judge.Look(state, cohorts.Snapshot())
		if verdict.Call == health.Fail {
			fmt.Printf("after %d requests: %v\n", i+1, verdict)
			break
		}
	}
	// Output:
	// after 77 requests: fail: candidate fails 33.3 % of 9 requests, baseline 0 % of 68: evidence 36.3, threshold 20 (a harmless change is rolled back with probability at most 5 %)
}

// What a journal has to keep of cohorts, and how they come back after a crash.
func ExampleCohorts_Restore() {
	cohorts := health.NewCohorts(health.CohortsOptions{})
	cohorts.Record(health.Outcome{Unit: 1, Slot: 700, Ramp: 1_000, Class: health.Failure, Latency: time.Second})
	cohorts.Record(health.Outcome{Unit: 2, Slot: 4_000, Ramp: 1_000, Class: health.Success, Latency: time.Second})
	line, err := json.Marshal(cohorts.Checkpoint())
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))

	var checkpoint health.Checkpoint
	if err := json.Unmarshal(line, &checkpoint); err != nil {
		panic(err)
	}
	restored := health.NewCohorts(health.CohortsOptions{})
	if err := restored.Restore(checkpoint); err != nil {
		panic(err)
	}
	restored.Record(health.Outcome{Unit: 1, Slot: 700, Ramp: 1_000, Class: health.Failure, Latency: time.Second}) // known: no new evidence
	fmt.Println(restored.Snapshot())
	fmt.Println(restored.Snapshot().Firsts)
	// Output:
	// {"sample":{"candidate":{"successes":0,"failures":1,"p50":1002438656,"p99":1002438656},"baseline":{"successes":1,"failures":0,"p50":1002438656,"p99":1002438656},"firsts":[{"lo":0,"ramp":1000,"candidate":1,"baseline":0}],"units":1},"marks":"AAAAAAAAAAGAA+g=","tables":[{"ramp":1000,"counts":"uBcAFgEAYQEAvxY="}]}
	// candidate: 2 requests, 100 % fail, p50 1s, p99 1s; baseline: 1 request, 0 % fail
	// [{0 1000 1 0}]
}

// A judge of one's own: no more than so many failures. It sees a sample, keeps
// nothing, and says nothing without data.
func ExampleJudgeFunc() {
	budget := health.JudgeFunc(func(state health.State, s health.Sample) (health.Verdict, health.State) {
		v := health.Verdict{Reason: fmt.Sprintf("%d failures, the budget is 10", s.Candidate.Failures)}
		if s.Candidate.Failures > 10 {
			v.Call = health.Fail
		}
		return v, state
	})
	verdict, _ := budget.Look(nil, health.Sample{Candidate: health.Side{Successes: 500, Failures: 12}})
	fmt.Println(verdict)
	// Output: fail: 12 failures, the budget is 10
}
