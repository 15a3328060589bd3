package health_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/guidon-go/guidon/health"
)

// In a service, a loop that comes by every few seconds tells it what the monitor
// says: availability.Observe(time.Now(), monitor.Report().Whole()).
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
