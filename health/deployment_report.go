package health

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// DeploymentStatus is where a deployment stands. The zero value is [NoDeployment].
type DeploymentStatus uint8

const (
	// NoDeployment: nothing has been deployed.
	NoDeployment DeploymentStatus = iota
	// Deploying: it has not been well for long enough.
	Deploying
	// DeploymentReady: it has been well for [DeploymentOptions.Steady] without a break,
	// and has broken no rule since.
	DeploymentReady
	// DeploymentUnhealthy: it has broken a rule, and nothing has been rolled back: it is
	// held, or there is nothing to go back to, or nobody to do it.
	DeploymentUnhealthy
	// RollingBack: the previous version takes its place, or has done so and is not ready.
	RollingBack
	// DeploymentFailed: the rollback has failed, or was not done by its deadline. Only
	// another deployment ends it.
	DeploymentFailed
)

var deploymentStatusNames = [...]string{"none", "deploying", "ready", "unhealthy", "rolling_back", "failed"}

// String is "none", "deploying", "ready", "unhealthy", "rolling_back" or "failed".
func (s DeploymentStatus) String() string {
	if int(s) < len(deploymentStatusNames) {
		return deploymentStatusNames[s]
	}
	return fmt.Sprintf("deployment_status(%d)", uint8(s))
}

// MarshalText is String.
func (s DeploymentStatus) MarshalText() ([]byte, error) {
	if int(s) >= len(deploymentStatusNames) {
		return nil, fmt.Errorf("%w: %v", ErrInvalid, s)
	}
	return []byte(deploymentStatusNames[s]), nil
}

// UnmarshalText reads what MarshalText wrote.
func (s *DeploymentStatus) UnmarshalText(text []byte) error {
	i := slices.Index(deploymentStatusNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("%w: deployment status %q, want one of %q", ErrInvalid, text, deploymentStatusNames)
	}
	*s = DeploymentStatus(i)
	return nil
}

// Cause is why something happened to a deployment: a rule, and what it saw.
type Cause struct {
	Rule     string        `json:"rule"`               // deploy, steady, check, success rate, p99, burn rate, signal, deadline, rollback; of what holds a rollback: baseline, unrelated
	Measured float64       `json:"measured,omitempty"` // a share from 0 to 1, seconds, a burn rate, or of a check the failures in a row
	Bound    float64       `json:"bound,omitempty"`    // of a success rate: the upper end of its 95 % interval
	Limit    float64       `json:"limit,omitempty"`    // what Measured, or Bound, was held against
	Window   time.Duration `json:"window,omitempty"`   // in how long a time it was seen, in nanoseconds
	Samples  uint64        `json:"samples,omitempty"`  // of how many requests, results or checks
	Reason   string        `json:"reason"`             // one sentence for people, with the numbers
}

// String is the rule and the reason.
func (c Cause) String() string { return c.Rule + ": " + c.Reason }

// Transition is a deployment that became something else.
type Transition struct {
	Generation uint64           `json:"generation"`     // of the deployment
	Version    string           `json:"version"`        // the current one, at that moment
	From       DeploymentStatus `json:"from"`           // before
	To         DeploymentStatus `json:"to"`             // after
	At         time.Time        `json:"at"`             // when
	Cause      Cause            `json:"cause"`          // why
	Held       *Cause           `json:"held,omitempty"` // of one that became unhealthy: why it was not rolled back then
}

// String is one line for people.
func (t Transition) String() string {
	text := fmt.Sprintf("%s: %v -> %v: %v", t.Version, t.From, t.To, t.Cause)
	if t.Held != nil {
		text += fmt.Sprintf("; not rolled back: %v", *t.Held)
	}
	return text
}

// LogValue lays the transition out for package slog.
func (t Transition) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("version", t.Version), slog.Uint64("generation", t.Generation),
		slog.String("from", t.From.String()), slog.String("to", t.To.String()), slog.String("cause", t.Cause.String()),
	}
	if t.Held != nil {
		attrs = append(attrs, slog.String("held", t.Held.String()))
	}
	return slog.GroupValue(attrs...)
}

// Trigger asks to roll a deployment back.
type Trigger struct {
	Generation uint64    `json:"generation"`   // of the deployment; [DeploymentMonitor.RolledBack] wants it back
	From       string    `json:"from"`         // the version that is not well
	To         string    `json:"to,omitempty"` // the previous one, to go back to; empty: there is none, and the status stays unhealthy
	At         time.Time `json:"at"`           // when
	Cause      Cause     `json:"cause"`        // why
}

// String is one line for people.
func (t Trigger) String() string {
	if t.To == "" {
		return fmt.Sprintf("%s should be rolled back, and there is no previous version to go back to: %v", t.From, t.Cause)
	}
	return fmt.Sprintf("roll back from %s to %s: %v", t.From, t.To, t.Cause)
}

// DeploymentReport is how a deployment stood at one moment. It does not change any more
// and may be shared. After a rollback there are two versions in it: Deployed is the one
// that was deployed, with its DeploymentTime; Version is the one that is back, with its
// Began and its Metrics. Uptime covers the generation, and so both.
type DeploymentReport struct {
	At             time.Time        `json:"at"`                        // when that was
	Generation     uint64           `json:"generation"`                // of the deployment: one more with each
	Deployed       string           `json:"deployed,omitempty"`        // the version that it deployed
	Version        string           `json:"version,omitempty"`         // the current one: Deployed, or what was rolled back to
	Previous       string           `json:"previous,omitempty"`        // what a rollback goes to; empty: nothing
	Status         DeploymentStatus `json:"status"`                    // how it stands
	Since          time.Time        `json:"since,omitzero"`            // when it became that
	Began          time.Time        `json:"began,omitzero"`            // when the current version took its place
	DeploymentTime time.Duration    `json:"deployment_time,omitempty"` // of Deployed: from Deploy to ready, in nanoseconds; zero: it has not been ready
	RolledBack     bool             `json:"rolled_back,omitempty"`     // whether Version is what was rolled back to
	Checks         Status           `json:"checks"`                    // of the checks together
	Metrics        *Metrics         `json:"-"`                         // of the current version's window, empty without one; in JSON its fields stand beside the others
	Uptime         Uptime           `json:"uptime"`                    // of the checks together, since Deploy or the monitor's beginning: of the generation, also across a rollback
	Held           *Cause           `json:"held,omitempty"`            // of one that is unhealthy: why it is not rolled back
	Trigger        *Trigger         `json:"trigger,omitempty"`         // once a rollback was asked for
	History        []Transition     `json:"history,omitempty"`         // the newest 100, oldest first, of earlier deployments, too
	Dropped        uint64           `json:"dropped,omitempty"`         // how many signals and ends of rollbacks came too late, or twice
}

// MarshalJSON adds what can be told of the metrics, as [Metrics.MarshalJSON] does.
func (r DeploymentReport) MarshalJSON() ([]byte, error) {
	type plain DeploymentReport
	out := struct {
		plain
		metricsJSON
	}{plain: plain(r)}
	if r.Metrics != nil {
		out.metricsJSON = r.Metrics.told()
	}
	return json.Marshal(out)
}

// String is a line for the deployment, and one each for what is known of it.
func (r DeploymentReport) String() string {
	if r.Status == NoDeployment {
		return "nothing is deployed"
	}
	text := fmt.Sprintf("%s is %v", r.Version, r.Status)
	switch took := lasting(r.DeploymentTime); {
	case r.RolledBack && r.DeploymentTime > 0:
		text += ", back in place of " + r.Deployed + " (deployed in " + took + ")"
	case r.RolledBack:
		text += ", back in place of " + r.Deployed + " (never ready)"
	case r.DeploymentTime > 0:
		text += ", deployed in " + took
	}
	if r.Previous != "" {
		text += ", previous " + r.Previous
	}
	if n := len(r.History); n > 0 {
		text += "\n\t" + r.History[n-1].Cause.String()
	}
	if r.Held != nil {
		text += "\n\tnot rolled back: " + r.Held.String()
	}
	switch {
	case r.Trigger == nil:
	case r.RolledBack:
		text += fmt.Sprintf("\n\trolled back from %s to %s: %v", r.Trigger.From, r.Trigger.To, r.Trigger.Cause)
	default:
		text += "\n\t" + r.Trigger.String()
	}
	text += "\n\tchecks: " + r.Checks.String()
	if r.Metrics != nil {
		text += "\n\t" + r.Version + ": " + r.Metrics.String()
	}
	return text + "\n\tsince " + r.Deployed + " was deployed: " + r.Uptime.String()
}

// LogValue lays the report out for package slog.
func (r DeploymentReport) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("version", r.Version), slog.String("deployed", r.Deployed), slog.Uint64("generation", r.Generation),
		slog.String("status", r.Status.String()), slog.String("checks", r.Checks.String()), slog.String("uptime", r.Uptime.String()),
	}
	if r.Metrics != nil {
		attrs = append(attrs, slog.String("metrics", r.Metrics.String()))
	}
	if n := len(r.History); n > 0 {
		attrs = append(attrs, slog.String("cause", r.History[n-1].Cause.String()))
	}
	if r.Held != nil {
		attrs = append(attrs, slog.String("held", r.Held.String()))
	}
	return slog.GroupValue(attrs...)
}
