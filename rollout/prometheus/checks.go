package prometheus

import "github.com/guidon-go/guidon/health"

var (
	wholeStatus = metric("health_status", "How the checks that are not optional stand together: 1 for the present status.", "status")
	checkStatus = metric("check_status", "How a check stands: 1 for its present status.", "check", "status")
	checkTook   = metric("check_duration_seconds", "How long the newest probe of a check took.", "check")
	checkAsked  = metric("check_last_probe_timestamp_seconds", "When the newest probe of a check began.", "check")
)

// The statuses of the whole, and those that only a check can have.
var (
	wholeStatuses = []health.Status{health.Unknown, health.Healthy, health.Degraded, health.Unhealthy}
	checkStatuses = append(wholeStatuses[:4:4], health.Skipped, health.Maintenance)
)

func (c *Collector) checks(s *scrape) {
	report := c.o.Checks.Report()
	states(s, wholeStatus, report.Status, wholeStatuses)
	for _, check := range report.Checks {
		states(s, checkStatus, check.Status, checkStatuses, check.Name)
		if !check.Last.At.IsZero() {
			s.gauge(checkTook, check.Last.Took.Seconds(), check.Name)
			s.since(checkAsked, check.Last.At, check.Name)
		}
	}
}
