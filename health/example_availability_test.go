package health_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/guidon-go/guidon/health"
)

// In a service a monitor tells it: see the other example. Here the times are made up.
func ExampleAvailability() {
	availability := health.NewAvailability(health.AvailabilityOptions{})
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tell := func(after time.Duration, status health.Status, since time.Duration) {
		availability.Observe(start.Add(after), health.CheckReport{
			Status: status, Since: start.Add(since), ValidUntil: start.Add(after + time.Hour),
		})
	}
	tell(0, health.Healthy, 0)
	tell(59*time.Minute, health.Healthy, 0)
	tell(60*time.Minute, health.Unhealthy, 59*time.Minute+30*time.Second) // three failures, the first 30 s ago
	tell(62*time.Minute, health.Healthy, 61*time.Minute)
	fmt.Println(availability.Snapshot(start.Add(2 * time.Hour)))

	// Kept over a restart. What nobody saw is neither up nor down.
	saved, err := json.Marshal(availability)
	if err != nil {
		panic(err)
	}
	restored := health.NewAvailability(health.AvailabilityOptions{})
	if err := json.Unmarshal(saved, restored); err != nil {
		panic(err)
	}
	fmt.Println(restored.Snapshot(start.Add(2 * time.Hour)))
	fmt.Println(restored.Snapshot(start.Add(24 * time.Hour)))
	// Output:
	// 98.7 % available (up 1h 58m, down 1m 30s, coverage 100 %)
	// 97.5 % available (up 1h 0m, down 1m 30s, unknown 58m 0s, coverage 51 %)
	// availability not known (up 1h 0m, down 1m 30s, unknown 22h 58m, coverage 4 %)
}

// How long all checks of a monitor were up together.
func ExampleAvailability_monitor() {
	monitor, err := health.NewMonitor([]health.Check{
		{Name: "database", Probe: func(context.Context) error { return nil }, Interval: 20 * time.Millisecond},
	}, health.MonitorOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error)
	go func() { ended <- monitor.Run(ctx) }()

	a := health.NewAvailability(health.AvailabilityOptions{})
	for r := range monitor.Watch(ctx) { // on a goroutine of its own
		a.Observe(time.Now(), r.Whole())
		if a.Snapshot(time.Now()).Up > 100*time.Millisecond {
			stop() // as a service does when it ends
		}
	}
	up := a.Snapshot(time.Now())
	fmt.Println("down:", up.Down, "up for long enough:", up.Up > 100*time.Millisecond)
	fmt.Println("ended:", <-ended)
	// Output:
	// down: 0s up for long enough: true
	// ended: <nil>
}
