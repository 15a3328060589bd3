package prometheus

import (
	"time"

	client "github.com/prometheus/client_golang/prometheus"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
)

var (
	share    = metric("rollout_share_ratio", "Share of the traffic that the journal allows the new version, 0 to 1; of rollouts that are not over.", "rollout", "service", "environment", "version")
	phase    = metric("rollout_phase", "1 for what a rollout that is not over is doing, in people's words.", "rollout", "phase")
	started  = metric("rollout_started_timestamp_seconds", "When a rollout that is not over was requested.", "rollout")
	stuck    = metric("rollout_stuck", "Whether a rollout cannot go on at the moment, and tries again.", "rollout")
	evidence = metric("rollout_log_evidence", "Natural logarithm of the evidence of the last look in the journal.", "rollout")
	needed   = metric("rollout_log_evidence_threshold", "What rollout_log_evidence has to reach for a call.", "rollout")
	requests = metric("rollout_requests_total", "Requests that a guard has compared, by side (candidate, baseline) and outcome (success, failure).", "rollout", "side", "outcome")
)

func (c *Collector) rollouts(s *scrape) {
	for r := range c.o.Engine.Live() {
		s.gauge(share, float64(r.State.Share)/float64(strategy.All), r.ID, r.Service, r.Environment, r.Release.Version)
		s.gauge(phase, 1, r.ID, r.Phase)
		s.since(started, r.Started, r.ID)
		s.gauge(stuck, bit(r.Problem != nil), r.ID)
		if r.Verdict.Reason != "" {
			s.gauge(evidence, r.Verdict.LogE, r.ID)
			s.gauge(needed, r.Verdict.LogThreshold, r.ID)
		}
	}
}

func (c *Collector) guards(s *scrape) {
	seen := map[string]bool{}
	for _, guard := range c.o.Guards {
		if guard == nil {
			continue
		}
		p := guard.Progress()
		if seen[p.ID] { // the same series twice would fail the scrape
			continue
		}
		seen[p.ID] = true
		s.counter(requests, p.Sample.Candidate.Successes, p.ID, "candidate", "success")
		s.counter(requests, p.Sample.Candidate.Failures, p.ID, "candidate", "failure")
		s.counter(requests, p.Sample.Baseline.Successes, p.ID, "baseline", "success")
		s.counter(requests, p.Sample.Baseline.Failures, p.ID, "baseline", "failure")
	}
}

// delivered describes a delivery metric; each has the service and the environment.
func delivered(name, help string, labels ...string) *client.Desc {
	return metric("delivery_"+name, help+" Over the period that the collector measures.", append([]string{"service", "environment"}, labels...)...)
}

var (
	deployments  = delivered("deployments", "Deployments that are over.")
	failed       = delivered("failed_deployments", "Deployments that failed.")
	rework       = delivered("rework_deployments", "Deployments made because of an incident.")
	perDay       = delivered("deployments_per_day", "Deployment frequency.")
	failureRate  = delivered("change_failure_ratio", "Share of the deployments that failed, 0 to 1; absent without any.")
	reworkRate   = delivered("rework_ratio", "Share of the deployments made because of an incident, 0 to 1; absent without any.")
	leadTime     = delivered("lead_time_seconds", "From commit to promotion, by statistic: mean, median, p90; absent without any.", "statistic")
	recoveryTime = delivered("recovery_time_seconds", "From the first exposure of a failed deployment to its rollback, by statistic: mean, median, p90; absent without any.", "statistic")
)

func (c *Collector) deliveries(s *scrape) {
	measured, err := c.measure(s.now)
	if err != nil {
		s.miss(err)
	}
	for _, d := range measured {
		about := []string{d.Service, d.Environment}
		s.gauge(deployments, float64(d.Deployments), about...)
		s.gauge(failed, float64(d.Failed), about...)
		s.gauge(rework, float64(d.Rework), about...)
		if d.PerDay != nil {
			s.gauge(perDay, *d.PerDay, about...)
		}
		if d.ChangeFailureRate != nil {
			s.gauge(failureRate, d.ChangeFailureRate.Value, about...)
		}
		if d.ReworkRate != nil {
			s.gauge(reworkRate, d.ReworkRate.Value, about...)
		}
		s.durations(leadTime, d.LeadTime, about)
		s.durations(recoveryTime, d.RecoveryTime, about)
	}
}

func (s *scrape) durations(d *client.Desc, t *rollout.Durations, about []string) {
	if t == nil {
		return
	}
	s.gauge(d, t.Mean.Seconds(), about[0], about[1], "mean")
	s.gauge(d, t.Median.Seconds(), about[0], about[1], "median")
	s.gauge(d, t.P90.Seconds(), about[0], about[1], "p90")
}

// measure reads the journal, unless it did so not long ago. Whoever comes meanwhile
// waits, in place of reading it as well.
func (c *Collector) measure(now time.Time) ([]rollout.Delivery, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.measured.IsZero() || now.Sub(c.measured) >= c.o.Reread {
		c.measured = now
		c.delivery, c.unread = c.o.Engine.Delivery(rollout.DeliveryOptions{From: now.Add(-c.o.Period), Each: true})
	}
	return c.delivery, c.unread
}
