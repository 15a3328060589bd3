package prometheus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/rollout/prometheus"
	"github.com/guidon-go/guidon/strategy"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// store serves a document.
func store(t testing.TB, document string) *flag.Store {
	t.Helper()
	s := flag.New(flag.Bytes([]byte(document)), flag.Options{})
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// moved is a target that takes any share.
type moved struct{ share strategy.Share }

func (m *moved) Shift(_ context.Context, to strategy.Share) error { m.share = to; return nil }

func (m *moved) Observe(context.Context) (strategy.Observation, error) {
	return strategy.Observation{Share: m.share}, nil
}

// delivered is an engine with one deployment behind it.
func delivered(t testing.TB, journal rollout.Journal) *rollout.Engine {
	t.Helper()
	engine := must(rollout.New(journal, rollout.Options{Service: "shop", Environment: "production"}))
	outcome, err := engine.Deploy(t.Context(), rollout.Request{
		ID: "shop 41", Release: rollout.Release{Name: "shop", Version: "41", Committed: time.Now().Add(-time.Hour)},
		Plan:   strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: strategy.All}, strategy.Promote{}}},
		Target: &moved{},
	})
	if err != nil || outcome != rollout.Succeeded {
		t.Fatal(outcome, err)
	}
	return engine
}

// held runs a rollout until it holds at 10 %.
func held(t *testing.T, engine *rollout.Engine) {
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		engine.Deploy(ctx, rollout.Request{
			ID: "shop 42", Release: rollout.Release{Name: "shop", Version: "42"}, Target: &moved{},
			Plan: strategy.Plan{Steps: []strategy.Step{
				strategy.Shift{To: 10 * strategy.Percent}, strategy.Hold{Approval: true},
				strategy.Shift{From: 10 * strategy.Percent, To: strategy.All}, strategy.Promote{},
			}},
		})
	}()
	t.Cleanup(func() { stop(); <-over })
	for {
		if s, err := engine.Status("shop 42"); err == nil && s.State.Phase == rollout.Waiting {
			return
		}
		select {
		case <-over:
			t.Fatal("it did not hold")
		default:
			runtime.Gosched()
		}
	}
}

const document = `{"flags": {
	"new-checkout": {"ramp": {"percent": 12.5}},
	"by-the-clock": {"ramp": {"percent": 0, "schedule": [{"at": "2030-01-01T00:00:00Z", "percent": 5}]}},
	"page": {"variants": {"R&D": "a", "new\nline \"quoted\" \\": "b", "ünï": "c"}, "serve": "R&D"},
	"old": {"serve": "on"}
}}`

// everything is a collector of all that there is.
func everything(t *testing.T) prometheus.Options {
	flags := store(t, document)
	if err := flags.Kill("old", flag.Change{Actor: "ann", Reason: "carts are empty"}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		flag.ByKey("page", "").In(flag.NewContext(t.Context(), flags.View(flag.For("anna"))))
	}
	engine := delivered(t, &rollout.Memory{})
	guard := must(engine.Guard(flags, rollout.Guarded{Flag: flag.Bool("new-checkout", false), Manual: true}))
	held(t, engine)
	monitor := must(health.NewMonitor([]health.Check{{Name: "database", Probe: func(context.Context) error { return nil }}}, health.MonitorOptions{}))
	window := health.NewWindow(health.WindowOptions{})
	for i := range 200 {
		class := health.Success
		if i%4 == 0 {
			class = health.Failure
		}
		window.Record(time.Now(), time.Duration(i+1)*time.Millisecond, class)
	}
	return prometheus.Options{
		Flags: flags, Windows: map[string]*health.Window{"http": window, "silent": health.NewWindow(health.WindowOptions{})},
		Checks: monitor, Engine: engine, Guards: []*rollout.Guard{guard, guard, nil},
		OnProblem: func(err error) { t.Error(err) },
	}
}

// registered gathers pedantically.
func registered(t testing.TB, o prometheus.Options) *client.Registry {
	t.Helper()
	registry := client.NewPedanticRegistry()
	if err := registry.Register(prometheus.New(o)); err != nil {
		t.Fatal(err)
	}
	return registry
}

func TestNamesKeepTheConventions(t *testing.T) {
	problems, err := testutil.GatherAndLint(registered(t, everything(t)))
	if err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}

func TestShowsAll(t *testing.T) {
	registry := registered(t, everything(t))
	for _, tt := range []struct{ name, want string }{
		{"guidon_flag_evaluations_total", `{flag="page",variant="R&D"} 3`},
		{"guidon_flag_ramp_ratio", `{flag="new-checkout"} 0.125`},
		{"guidon_flag_state", `{flag="old",state="killed"} 1`},
		{"guidon_flags", `{state="disabled"} 0
			{state="killed"} 1
			{state="missing"} 0
			{state="overridden"} 0
			{state="quarantined"} 0
			{state="serving"} 3`},
		{"guidon_window_error_ratio", `{window="http"} 0.25`},
		{"guidon_window_dropped_outcomes_total", `{window="http"} 0
			{window="silent"} 0`},
		{"guidon_check_status", `{check="database",status="degraded"} 0
			{check="database",status="healthy"} 0
			{check="database",status="maintenance"} 0
			{check="database",status="skipped"} 0
			{check="database",status="unhealthy"} 0
			{check="database",status="unknown"} 1`},
		{"guidon_health_status", `{status="degraded"} 0
			{status="healthy"} 0
			{status="unhealthy"} 0
			{status="unknown"} 1`},
		{"guidon_rollout_share_ratio", `{environment="production",rollout="shop 42",service="shop",version="42"} 0.1`},
		{"guidon_rollout_phase", `{phase="awaiting approval",rollout="shop 42"} 1`},
		{"guidon_rollout_stuck", `{rollout="shop 42"} 0`},
		{"guidon_rollout_requests_total", `{outcome="failure",rollout="new-checkout",side="baseline"} 0
			{outcome="failure",rollout="new-checkout",side="candidate"} 0
			{outcome="success",rollout="new-checkout",side="baseline"} 0
			{outcome="success",rollout="new-checkout",side="candidate"} 0`},
		{"guidon_delivery_deployments", `{environment="production",service="shop"} 1`},
		{"guidon_delivery_failed_deployments", `{environment="production",service="shop"} 0`},
		{"guidon_delivery_change_failure_ratio", `{environment="production",service="shop"} 0`},
		{"guidon_delivery_recovery_time_seconds", ``},
		{"guidon_collector_left_out", `{source="checks"} 0
			{source="delivery"} 0
			{source="flags"} 0
			{source="guards"} 0
			{source="rollouts"} 0
			{source="windows"} 0`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, want := text(t, registry, tt.name), strings.ReplaceAll(tt.want, "\t", ""); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// text is what a registry has under a name, as the format for people writes it.
func text(t testing.TB, g client.Gatherer, name string) string {
	t.Helper()
	var lines []string
	for _, family := range must(g.Gather()) {
		if family.GetName() != name {
			continue
		}
		var b strings.Builder
		must(expfmt.MetricFamilyToText(&b, family))
		for line := range strings.Lines(b.String()) {
			if !strings.HasPrefix(line, "#") {
				lines = append(lines, strings.TrimSuffix(strings.TrimPrefix(line, name), "\n"))
			}
		}
	}
	return strings.Join(lines, "\n")
}

func TestLeavesOutWhatIsTooMuch(t *testing.T) {
	var many strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&many, `,"flag-%04d": {"ramp": {"percent": 1}}`, i)
	}
	var told error
	o := prometheus.Options{
		Flags: store(t, `{"flags": {`+many.String()[1:]+`}}`), Windows: map[string]*health.Window{"not \xff UTF-8": health.NewWindow(health.WindowOptions{})},
		MaxSeries: 100, OnProblem: func(err error) { told = err },
	}
	registry := registered(t, o)
	if got, want := text(t, registry, "guidon_collector_left_out"), "{source=\"flags\"} 1906\n{source=\"windows\"} 2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := text(t, registry, "guidon_flags"), `{state="serving"} 2000`; !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	if n, err := testutil.GatherAndCount(registry); n != 102 || err != nil {
		t.Errorf("got %d series and %v, want 102", n, err)
	}
	if told == nil || !strings.Contains(told.Error(), "flags: 1906 series left out: there are more than Options.MaxSeries") || !strings.Contains(told.Error(), "windows: 2") {
		t.Errorf("was told %v", told)
	}
}

func TestContainsPanicsOfOnProblem(t *testing.T) {
	log := logged(t)
	registry := registered(t, prometheus.Options{
		Windows:   map[string]*health.Window{"not \xff UTF-8": health.NewWindow(health.WindowOptions{})},
		OnProblem: func(error) { panic("oh") },
	})
	if got, want := text(t, registry, "guidon_collector_left_out"), `{source="windows"} 2`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !strings.Contains(log.String(), "OnProblem panicked") {
		t.Errorf("logged %q", log)
	}
}

// logged is what the default logger says until the test is over.
func logged(t *testing.T) *bytes.Buffer {
	log, before := new(bytes.Buffer), slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)))
	return log
}

// unreadable is a journal whose records cannot be read any more.
type unreadable struct {
	*rollout.Memory
	reads int
	err   error
}

func (u *unreadable) Records() iter.Seq2[rollout.Record, error] {
	u.reads++
	if u.err == nil {
		return u.Memory.Records()
	}
	return func(yield func(rollout.Record, error) bool) { yield(rollout.Record{}, u.err) }
}

func TestJournalThatCannotBeRead(t *testing.T) {
	journal := &unreadable{Memory: &rollout.Memory{}}
	engine := delivered(t, journal)
	journal.err = errors.New("disk on fire")
	var told error
	registry := registered(t, prometheus.Options{Engine: engine, OnProblem: func(err error) { told = err }})
	if got, want := text(t, registry, "guidon_collector_left_out"), "{source=\"delivery\"} 1\n{source=\"rollouts\"} 0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !errors.Is(told, journal.err) {
		t.Errorf("was told %v", told)
	}
}

func TestJournalIsNotReadByEachScrape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &unreadable{Memory: &rollout.Memory{}}
		registry := registered(t, prometheus.Options{Engine: delivered(t, journal)})
		journal.reads = 0
		for range 3 {
			must(registry.Gather())
			time.Sleep(29 * time.Second)
		}
		must(registry.Gather())
		if journal.reads != 2 {
			t.Errorf("read the journal %d times in 87 s, want 2", journal.reads)
		}
	})
}

func TestZeroOptionsShowNothing(t *testing.T) {
	if n, err := testutil.GatherAndCount(registered(t, prometheus.Options{})); n != 0 || err != nil {
		t.Errorf("got %d series, %v", n, err)
	}
}
