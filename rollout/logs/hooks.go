package logs

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy/process"
	"github.com/guidon-go/guidon/verify"
)

// Hooks are hooks that write to a log, named after what they are told of. The zero value
// writes to slog.Default, as it is when there is something to write. It is safe for
// concurrent use.
type Hooks struct {
	Logger *slog.Logger // nil is slog.Default
}

// Load is for flag.Options.OnLoad.
func (h Hooks) Load(info flag.LoadInfo) {
	level := slog.LevelInfo
	if info.Err != nil {
		level = slog.LevelError
	}
	h.write(level, "flags: "+info.String(), info)
}

// Change is for flag.Options.OnChange.
func (h Hooks) Change(info flag.ChangeInfo) {
	level := slog.LevelInfo
	if info.Op == "kill" || info.Op == "revive" {
		level = slog.LevelWarn
	}
	h.write(level, "flags: changed at run time", info)
}

// Exposure is for flag.Options.OnExposure. It logs in the context of the request.
func (h Hooks) Exposure(info flag.ExposureInfo) {
	if log := h.logger(); log.Enabled(info.Context, slog.LevelDebug) {
		log.LogAttrs(info.Context, slog.LevelDebug, "flags: exposed", info.LogValue().Group()...)
	}
}

// Ignored is for flaghttp.TesterOptions.OnIgnored.
func (h Hooks) Ignored(_ *http.Request, err error) {
	h.logger().Info("flaghttp: overrides of a request are ignored", "error", err)
}

// Check is for health.MonitorOptions.OnChange.
func (h Hooks) Check(c health.Change) {
	level := slog.LevelInfo
	switch c.To.Status {
	case health.Unhealthy:
		level = slog.LevelError
	case health.Degraded:
		level = slog.LevelWarn
	}
	h.write(level, "health: a check changed", c)
}

// Transition is for health.DeploymentOptions.OnChange.
func (h Hooks) Transition(t health.Transition) {
	level := slog.LevelInfo
	switch t.To {
	case health.DeploymentFailed:
		level = slog.LevelError
	case health.DeploymentUnhealthy, health.RollingBack:
		level = slog.LevelWarn
	}
	h.write(level, "health: a deployment changed", t)
}

// Started is for verify.Suite.OnStart.
func (h Hooks) Started(r verify.Result) {
	if log := h.logger(); log.Enabled(context.Background(), slog.LevelDebug) {
		log.LogAttrs(context.Background(), slog.LevelDebug, "verify: a test begins", about(r)...)
	}
}

// Result is for verify.Suite.OnResult.
func (h Hooks) Result(r verify.Result) {
	level := slog.LevelInfo
	switch {
	case r.State == verify.Failed && !r.Optional:
		level = slog.LevelError
	case r.State == verify.Failed || r.Flaky || r.State == verify.Skipped && !r.Optional:
		level = slog.LevelWarn
	}
	attrs := append(about(r), slog.String("state", r.State.String()))
	switch r.State {
	case verify.Skipped:
		attrs = append(attrs, slog.String("reason", r.Reason))
	case verify.Failed:
		attrs = append(attrs, slog.String("result", r.String()))
		fallthrough
	default:
		attrs = append(attrs, slog.Int("status", r.Status), slog.Duration("took", r.ResponseTime))
	}
	h.logger().LogAttrs(context.Background(), level, "verify: a test has ended", attrs...)
}

func about(r verify.Result) []slog.Attr {
	return []slog.Attr{slog.String("stage", r.Stage.String()), slog.String("test", r.Name), slog.String("method", r.Method), slog.String("endpoint", r.Endpoint)}
}

// Record is for rollout.Options.OnRecord.
func (h Hooks) Record(r rollout.Record) {
	if log := h.logger(); log.Enabled(context.Background(), slog.LevelDebug) {
		log.LogAttrs(context.Background(), slog.LevelDebug, "rollout: record", r.LogValue().Group()...)
	}
}

// Notice is for rollout.Options.OnNotice.
func (h Hooks) Notice(n rollout.Notice) { rollout.LogNotices(h.Logger)(n) }

// Problem is for rollout.Options.OnProblem.
func (h Hooks) Problem(id string, err error) {
	if err == nil {
		h.logger().Info("rollout: it goes on", "rollout", id)
		return
	}
	h.logger().Error("rollout: it cannot go on, and tries again", "rollout", id, "error", err)
}

// Exit is for process.Options.OnExit.
func (h Hooks) Exit(e process.Exit) {
	h.logger().Error("process: a child died", "version", e.Child.Version, "pid", e.Child.PID, "status", e.Status, "output", e.Output)
}

// Err is for what tells of errors alone: webhook.Options.OnProblem, and adapters. Nil is the
// end of a problem.
func (h Hooks) Err(err error) {
	if err == nil {
		h.logger().Info("all is well again")
		return
	}
	h.logger().Error("there is a problem", "error", err)
}

func (h Hooks) logger() *slog.Logger {
	if h.Logger == nil {
		return slog.Default()
	}
	return h.Logger
}

func (h Hooks) write(level slog.Level, message string, about slog.LogValuer) {
	h.logger().LogAttrs(context.Background(), level, message, about.LogValue().Group()...)
}
