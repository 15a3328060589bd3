package logs_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/rollout/logs"
	"github.com/guidon-go/guidon/rollout/webhook"
	"github.com/guidon-go/guidon/strategy/process"
	"github.com/guidon-go/guidon/verify"
)

// every hook of the core has its method; house rules look for those that are not here.
func everyHook(hooks logs.Hooks) []any {
	return []any{
		flag.Options{OnLoad: hooks.Load, OnChange: hooks.Change, OnExposure: hooks.Exposure},
		flaghttp.TesterOptions{OnIgnored: hooks.Ignored},
		health.MonitorOptions{OnChange: hooks.Check},
		health.DeploymentOptions{OnChange: hooks.Transition},
		rollout.Options{OnRecord: hooks.Record, OnNotice: hooks.Notice, OnProblem: hooks.Problem},
		webhook.Options{OnProblem: hooks.Err},
		process.Options{OnExit: hooks.Exit},
		verify.Suite{OnStart: hooks.Started, OnResult: hooks.Result},
	}
}

// TestHooks: what each hook writes, and how loud it is.
func TestHooks(t *testing.T) {
	var out bytes.Buffer
	text := slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	hooks := logs.Hooks{Logger: slog.New(text)}
	require.NotEmpty(t, everyHook(hooks))
	wrong, cause := errors.New("it is wrong"), health.Cause{Rule: "rule", Reason: "why"}
	change := flag.Change{Actor: "ann", Reason: "carts are empty"}
	check := func(status health.Status) health.Change {
		return health.Change{From: health.CheckReport{Name: "db"}, To: health.CheckReport{Name: "db", Status: status}, Whole: status}
	}
	for _, test := range []struct {
		tell func()
		want string
	}{
		{func() { hooks.Load(flag.LoadInfo{Source: "flags.json", Revision: 7}) },
			`level=INFO msg="flags: the document serves" source=flags.json revision=7`},
		{func() {
			hooks.Load(flag.LoadInfo{Source: "flags.json", Revision: 7, Err: wrong, Refused: true, Restored: time.Unix(0, 0).UTC()})
		},
			`level=ERROR msg="flags: the document is refused, and the last good one goes on serving" source=flags.json revision=7 error="it is wrong" restored=1970-01-01T00:00:00.000Z`},
		{func() { hooks.Load(flag.LoadInfo{Source: "flags.json", Err: wrong, Refused: true}) },
			`level=ERROR msg="flags: there is no document, and callers' defaults serve" source=flags.json revision=0 error="it is wrong"`},
		{func() { hooks.Load(flag.LoadInfo{Revision: 7, Err: wrong}) },
			`level=ERROR msg="flags: the document serves, but not all is well" source="" revision=7 error="it is wrong"`},
		{func() { hooks.Load(flag.LoadInfo{Revision: 7, Err: wrong, Quarantined: []string{"a", "b"}}) },
			`level=ERROR msg="flags: some are quarantined and stay as they were" source="" revision=7 error="it is wrong" quarantined="[a b]"`},
		{func() { hooks.Change(flag.ChangeInfo{Op: "kill", Key: "new", Change: change, Revision: 8}) },
			`level=WARN msg="flags: changed at run time" op=kill flag=new actor=ann reason="carts are empty" revision=8`},
		{func() { hooks.Change(flag.ChangeInfo{Op: "revive", Key: "new", Change: change, Revision: 8}) },
			`level=WARN msg="flags: changed at run time" op=revive flag=new actor=ann reason="carts are empty" revision=8`},
		{func() {
			hooks.Change(flag.ChangeInfo{Op: "advance", Key: "new", To: "5 %", Change: change, Revision: 8})
		},
			`level=INFO msg="flags: changed at run time" op=advance flag=new to="5 %" actor=ann reason="carts are empty" revision=8`},
		{func() {
			hooks.Exposure(flag.ExposureInfo{Key: "new", Variant: "on", Reason: flag.ReasonRamp, Rule: 1, Revision: 8, Subject: "anna@example.com", Unit: 5, Context: t.Context()})
		}, `level=DEBUG msg="flags: exposed" flag=new variant=on reason=ramp rule=1 revision=8 overridden=false`},
		{func() { hooks.Check(check(health.Unhealthy)) }, `level=ERROR msg="health: a check changed" check=db from=unknown to=unhealthy whole=unhealthy`},
		{func() { hooks.Check(check(health.Degraded)) }, `level=WARN msg="health: a check changed" check=db from=unknown to=degraded whole=degraded`},
		{func() { hooks.Check(check(health.Healthy)) }, `level=INFO msg="health: a check changed" check=db from=unknown to=healthy whole=healthy`},
		{func() {
			hooks.Transition(health.Transition{Version: "2", Cause: cause, From: health.RollingBack, To: health.DeploymentFailed})
		},
			`level=ERROR msg="health: a deployment changed" version=2 generation=0 from=rolling_back to=failed cause="rule: why"`},
		{func() { hooks.Transition(health.Transition{Version: "2", Cause: cause, To: health.RollingBack}) },
			`level=WARN msg="health: a deployment changed" version=2 generation=0 from=none to=rolling_back cause="rule: why"`},
		{func() {
			hooks.Transition(health.Transition{Version: "2", Cause: cause, To: health.DeploymentUnhealthy})
		},
			`level=WARN msg="health: a deployment changed" version=2 generation=0 from=none to=unhealthy cause="rule: why"`},
		{func() { hooks.Transition(health.Transition{Version: "2", Cause: cause, To: health.DeploymentReady}) },
			`level=INFO msg="health: a deployment changed" version=2 generation=0 from=none to=ready cause="rule: why"`},
		{func() { hooks.Record(rollout.Record{Kind: rollout.KindActed, Rollout: "r", Actor: "ann", Seq: 3}) },
			`level=DEBUG msg="rollout: record" kind=acted rollout=r from="" to="" reason="" actor=ann seq=3`},
		{func() { hooks.Notice(rollout.Notice{Kind: rollout.NoticeRollingBack, Rollout: "r"}) },
			`level=WARN msg="rollout: goes back" kind=rolling_back rollout=r share="0 %"`},
		{func() { hooks.Problem("r", wrong) }, `level=ERROR msg="rollout: it cannot go on, and tries again" rollout=r error="it is wrong"`},
		{func() { hooks.Problem("r", nil) }, `level=INFO msg="rollout: it goes on" rollout=r`},
		{func() { hooks.Ignored(httptest.NewRequest("GET", "/secret", nil), wrong) },
			`level=INFO msg="flaghttp: overrides of a request are ignored" error="it is wrong"`},
		{func() { hooks.Started(verify.Result{Name: "cart", Method: "GET", Endpoint: "/cart"}) },
			`level=DEBUG msg="verify: a test begins" stage=Tests test=cart method=GET endpoint=/cart`},
		{func() {
			hooks.Result(verify.Result{Name: "cart", State: verify.Passed, Status: 200, ResponseTime: time.Second})
		}, `level=INFO msg="verify: a test has ended" stage=Tests test=cart method="" endpoint="" state=passed status=200 took=1s`},
		{func() { hooks.Result(verify.Result{Name: "cart", State: verify.Passed, Status: 200, Flaky: true}) },
			`level=WARN msg="verify: a test has ended" stage=Tests test=cart method="" endpoint="" state=passed status=200 took=0s`},
		{func() { hooks.Result(verify.Result{Name: "cart", State: verify.Failed, Status: 500}) },
			`level=ERROR msg="verify: a test has ended" stage=Tests test=cart method="" endpoint="" state=failed result="failed  cart (0s)" status=500 took=0s`},
		{func() { hooks.Result(verify.Result{Name: "cart", State: verify.Failed, Status: 500, Optional: true}) },
			`level=WARN msg="verify: a test has ended" stage=Tests test=cart method="" endpoint="" state=failed result="failed  cart (0s)" status=500 took=0s`},
		{func() { hooks.Result(verify.Result{Name: "cart", Reason: "setup failed"}) },
			`level=WARN msg="verify: a test has ended" stage=Tests test=cart method="" endpoint="" state=skipped reason="setup failed"`},
		{func() {
			hooks.Exit(process.Exit{Child: process.Child{Version: "v2", PID: 7}, Status: "exit status 1", Output: "port in use"})
		},
			`level=ERROR msg="process: a child died" version=v2 pid=7 status="exit status 1" output="port in use"`},
		{func() { hooks.Err(wrong) }, `level=ERROR msg="there is a problem" error="it is wrong"`},
		{func() { hooks.Err(nil) }, `level=INFO msg="all is well again"`},
	} {
		out.Reset()
		test.tell()
		assert.Equal(t, test.want+"\n", out.String())
	}
}

// TestUnwanted: debugging costs a process that does not want it no allocation.
func TestUnwanted(t *testing.T) {
	hooks := logs.Hooks{Logger: slog.New(slog.DiscardHandler)}
	info := flag.ExposureInfo{Key: "new", Context: context.Background()}
	require.Zero(t, testing.AllocsPerRun(100, func() { hooks.Exposure(info) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { hooks.Record(rollout.Record{}) }))
}

// TestDefault: the zero Hooks follow slog.Default.
func TestDefault(t *testing.T) {
	var out bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	var hooks logs.Hooks
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	hooks.Err(errors.New("away"))
	require.Contains(t, out.String(), "away")
}
