package health_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/guidon-go/guidon/health"
)

// An hour at ten requests a second, and then one in four fails for a minute.
func ExampleSLO() {
	slo, err := health.NewSLO(0.99, health.SLOOptions{Rules: []health.BurnRule{
		{Long: 30 * time.Second, Short: 5 * time.Second, Factor: 14.4, MinRequests: 50},
		{Long: time.Hour, Short: 5 * time.Minute, Factor: 14.4},
	}})
	if err != nil {
		fmt.Println(err) // everything that is wrong with the settings
		return
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) // in a service: time.Now()
	for i := range 36_600 {
		now = now.Add(100 * time.Millisecond)
		class := health.Success
		if i >= 36_000 && i%4 == 0 {
			class = health.Failure
		}
		slo.Record(now, class)
	}
	fmt.Println(slo.Snapshot(now))
	fmt.Println("ten seconds after it has ended:", slo.Snapshot(now.Add(10*time.Second)).Firing())
	// Output:
	// objective 99 %: 1h 0m of 720h seen: 59 % of its budget left, 150 of 366 allowed failures
	// 	30s/5s above 14.4×: firing (30s: 24.9× of 301 requests, 24.9 % fail; 5s: 23.5× of 51 requests, 23.5 % fail)
	// 	1h/5m above 14.4×: quiet (1h: 0.416× of 36,100 requests, 0.42 % fail; 5m: 4.84× of 3,100 requests, 4.8 % fail)
	// ten seconds after it has ended: false
}

// A budget of 30 days, in a process that does not live that long.
func ExampleSLO_MarshalJSON() {
	before, err := health.NewSLO(0.999, health.SLOOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2000 {
		before.Record(time.Now(), health.Success)
	}
	before.Record(time.Now(), health.Failure)
	saved, err := json.Marshal(before) // when the process ends, and now and then
	if err != nil {
		fmt.Println(err)
		return
	}

	after, err := health.NewSLO(0.999, health.SLOOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := json.Unmarshal(saved, after); err != nil {
		fmt.Println(err) // the rules are others now: it begins anew
	}
	fmt.Println(after.Snapshot(time.Now()).Spent)
	// Output: 0.5× of 2,001 requests, 0.05 % fail
}

// Rules that could never fire, or that a single failure would, are not taken.
func ExampleNewSLO() {
	_, err := health.NewSLO(0.9, health.SLOOptions{Rules: []health.BurnRule{
		{Long: time.Hour, Short: 5 * time.Minute, Factor: 14.4},
		{Long: 6 * time.Hour, Short: 30 * time.Minute, Factor: 2, MinRequests: 4, MinFailures: 1},
	}})
	fmt.Println(err)
	// Output:
	// invalid: slo: Rules[0].Factor: 14.4 × (1 - 0.9) = 1.44: were every request to fail, it would not fire; want a Factor below 10
	// invalid: slo: Rules[1].MinFailures: 1 of 4 requests is 25 %, and 2 × (1 - 0.9) = 20 %: one failure would fire it; want at least 2 failures, or at least 5 requests
}
