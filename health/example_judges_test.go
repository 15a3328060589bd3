package health_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/guidon-go/guidon/health"
)

// Jobs of a queue, one in ten of them done the new way, each by its own draw. The judge
// looks every 50 jobs; a change as good as the old way passes, in time.
func ExampleComparison() {
	judge := health.Comparison{PassRatio: 3}
	jobs := func(candidateFails int) {
		var state health.State
		var sample health.Sample
		for i := range 10_000 {
			side, failsOneIn := &sample.Baseline, 50
			if i*7919%10_000 < 1_000 { // in a service: rand.Float64() < 0.1
				side, failsOneIn = &sample.Candidate, candidateFails
			}
			if side.Requests()%uint64(failsOneIn) == 0 {
				side.Failures++
			} else {
				side.Successes++
			}
			if i%50 != 49 {
				continue
			}
			var verdict health.Verdict
			if verdict, state = judge.Look(state, sample); verdict.Call != health.Inconclusive {
				fmt.Printf("after %d jobs: %v\n", i+1, verdict)
				return
			}
		}
	}
	jobs(5)
	jobs(50)
	// Output:
	// after 150 jobs: fail: candidate fails 25.0 % of 16 requests, baseline 2.2 % of 134: evidence 30.9, threshold 20; of no harm 0.0368, threshold 20 (a harmless change is rolled back with probability at most 5 %, if requests are independent)
	// after 2300 jobs: pass: candidate fails 2.2 % of 231 requests, baseline 2 % of 2,069: evidence 0.343, threshold 20; of no harm 21.5, threshold 20 (a change that makes the odds of failing 3 times as high or higher passes with probability at most 5 %, if requests are independent)
}

// The candidate may fail one request in 100, as far as chance allows.
func ExampleErrorLimit() {
	judge := health.ErrorLimit{Rate: 0.01}
	var state health.State
	for _, side := range []health.Side{
		{Successes: 98, Failures: 2},
		{Successes: 485, Failures: 15},
	} {
		var verdict health.Verdict
		verdict, state = judge.Look(state, health.Sample{Candidate: side})
		fmt.Println(verdict)
	}
	// Output:
	// inconclusive: candidate fails 2 % of 100 requests, limit 1 %: evidence 0.956, threshold 20
	// fail: candidate fails 3 % of 500 requests, limit 1 %: evidence 178, threshold 20 (a candidate that keeps to the limit is rolled back with probability at most 5 %, if requests are independent)
}

// A threshold as in most tools, but one that says nothing of a handful of requests.
func ExampleThreshold() {
	judge := health.Threshold{ErrorRate: 0.01, P99: 250 * time.Millisecond, Pass: true}
	for _, side := range []health.Side{
		{Successes: 20, Failures: 1, P99: 80 * time.Millisecond},
		{Successes: 990, Failures: 10, P99: 80 * time.Millisecond},
		{Successes: 990, Failures: 30, P99: 80 * time.Millisecond},
		{Successes: 998, Failures: 2, P99: 80 * time.Millisecond},
	} {
		verdict, _ := judge.Look(nil, health.Sample{Candidate: side})
		fmt.Println(verdict)
	}
	// Output:
	// inconclusive: candidate has 21 requests, a verdict takes 100
	// inconclusive: candidate fails 1 % of 1,000 requests (95 % interval 0.544 to 1.83 %), limit 1 %, and has a p99 of 80ms, limit 250ms
	// fail: candidate fails 2.9 % of 1,020 requests (95 % interval 2.07 to 4.17 %), limit 1 %, and has a p99 of 80ms, limit 250ms
	// pass: candidate fails 0.2 % of 1,000 requests (95 % interval 0.0549 to 0.726 %), limit 1 %, and has a p99 of 80ms, limit 250ms
}

// A conversion rate that the host measures every ten seconds. What is missing is
// counted apart, and never passes.
func ExampleGauge() {
	gauge := health.Gauge{Name: "conversion", Limit: 0.03, Floor: true, MinN: 200}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var state health.State
	for _, r := range []health.Reading{
		{Value: 0.041, N: 1200},
		{Value: 0.5, N: 2},
		{Value: 0.04, N: 1100},
		{Value: 0.039, N: 1150},
		{Err: errors.New("no answer")},
	} {
		now = now.Add(10 * time.Second)
		r.At = now
		var verdict health.Verdict
		verdict, state = gauge.Look(state, r, now)
		fmt.Println(verdict)
	}
	fmt.Println(string(state))
	// Output:
	// inconclusive: conversion is 0.041, want at least 0.03: 1 in a row within
	// inconclusive: conversion rests on 2 observations, want 200; missing so far: 1 too few
	// inconclusive: conversion is 0.04, want at least 0.03: 1 in a row within; missing so far: 1 too few
	// pass: conversion is 0.039, want at least 0.03: 2 in a row within; missing so far: 1 too few
	// inconclusive: conversion: no answer; missing so far: 1 too few, 1 errored
	// {"within":0,"outside":0,"at":"2026-03-01T12:00:40Z","missing":{"errored":1,"too few":1}}
}

// A gauge as a gate: a rollout's gates are functions like this one, and so are the
// probes of a monitor's checks.
func ExampleGauge_Probe() {
	queue := health.Reading{Value: 20, At: time.Now()}
	gate := health.Gauge{Name: "queue", Limit: 100}.Probe(func(context.Context) health.Reading { return queue })
	fmt.Println(gate(context.Background()))
	queue.Value = 250
	fmt.Println(gate(context.Background()))
	queue = health.Reading{}
	fmt.Println(gate(context.Background()))
	// Output:
	// <nil>
	// queue is 250, want at most 100
	// queue: no data
}
