package otel_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/rollout/otel"
)

// collect reads all series, a line each.
func collect(t *testing.T, reader sdkmetric.Reader) (lines []string) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	line := func(name string, attrs attribute.Set, value any) {
		text := name
		for _, kv := range attrs.ToSlice() {
			text += fmt.Sprintf(" %s=%s", kv.Key, kv.Value.String())
		}
		lines = append(lines, fmt.Sprintf("%s: %v", text, value))
	}
	for _, s := range all.ScopeMetrics {
		for _, m := range s.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					line(m.Name, p.Attributes, p.Value)
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					line(m.Name, p.Attributes, p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					line(m.Name, p.Attributes, fmt.Sprintf("%d, %v s", p.Count, p.Sum))
				}
			default:
				t.Errorf("%s is %T", m.Name, data)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func meter() (*sdkmetric.MeterProvider, sdkmetric.Reader) {
	reader := sdkmetric.NewManualReader()
	return sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)), reader
}

func TestMetricsOfFlags(t *testing.T) {
	flags := store(t, nil)
	provider, reader := meter()
	registration, err := otel.Metrics(otel.MetricOptions{Meters: provider, Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	anna, nobody := flag.For("anna"), flag.Subject{}
	for range 3 {
		checkout.Value(flags, &anna)
	}
	checkout.Value(flags, &nobody)
	page.Value(flags, &anna)
	want := []string{
		"guidon.flag.evaluations feature_flag.key=new-checkout feature_flag.result.variant=off: 1",
		"guidon.flag.evaluations feature_flag.key=new-checkout feature_flag.result.variant=on: 3",
		"guidon.flag.evaluations feature_flag.key=page feature_flag.result.variant=R&D: 1",
	}
	got := slices.DeleteFunc(collect(t, reader), zero)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("want -, got +\n" + diff)
	}
	if err := registration.Unregister(); err != nil {
		t.Error(err)
	}
	if got := collect(t, reader); len(got) != 0 {
		t.Errorf("unregistered, got %q", got)
	}
}

// zero is a series of a variant that nobody got.
func zero(line string) bool { return line[len(line)-3:] == ": 0" }

// TestMetricsAreBounded has more flags than series: what was kept stays, and the sum of
// all is right.
func TestMetricsAreBounded(t *testing.T) {
	flags := flag.New(nil, flag.Options{OnChange: func(flag.ChangeInfo) {}})
	anna := flag.For("anna")
	put := func(name string) {
		t.Helper()
		if err := flags.Create(name, flag.FeatureFlag{Serve: "on"}, flag.Change{Actor: "test", Reason: "many"}); err != nil {
			t.Fatal(err)
		}
		flag.ByKey(name, false).Value(flags, &anna)
	}
	for i := range 100 {
		put(fmt.Sprintf("flag-%03d\n", i))
	}
	provider, reader := meter()
	if _, err := otel.Metrics(otel.MetricOptions{Meters: provider, Flags: flags, Limit: 10}); err != nil {
		t.Fatal(err)
	}
	before := collect(t, reader)
	put("a-new-one")
	after := collect(t, reader)
	const overflow = "guidon.flag.evaluations guidon.overflow=true: "
	if len(before) != 11 || len(after) != 11 {
		t.Errorf("%d and %d series, want 11", len(before), len(after))
	}
	in := func(lines []string) (n int) {
		for _, line := range lines {
			var value int
			if _, err := fmt.Sscanf(line[slices.Index([]byte(line), ':')+2:], "%d", &value); err != nil {
				t.Fatal(line, err)
			}
			n += value
		}
		return n
	}
	if in(before) != 100 || in(after) != 101 {
		t.Errorf("%d and %d evaluations, want 100 and 101", in(before), in(after))
	}
	kept := func(line string) bool { return len(line) > len(overflow) && line[:len(overflow)] == overflow }
	if diff := cmp.Diff(slices.DeleteFunc(before, kept), slices.DeleteFunc(after, kept)); diff != "" {
		t.Error("what was kept has changed: before -, after +\n" + diff)
	}
}

// TestCountersDoNotFall drops flags and has them back, one of which has a series of its own.
func TestCountersDoNotFall(t *testing.T) {
	path, anna := filepath.Join(t.TempDir(), "flags.json"), flag.For("anna")
	flags := flag.New(flag.File(path), flag.Options{})
	load := func(keys ...string) {
		t.Helper()
		for i, key := range keys {
			keys[i] = fmt.Sprintf(`%q: {"serve": "on"}`, key)
		}
		if err := os.WriteFile(path, []byte(`{"flags": {`+strings.Join(keys, ", ")+`}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := flags.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(key string, n int) {
		for range n {
			flag.ByKey(key, false).Value(flags, &anna)
		}
	}
	provider, reader := meter()
	if _, err := otel.Metrics(otel.MetricOptions{Meters: provider, Flags: flags, Limit: 1}); err != nil {
		t.Fatal(err)
	}
	wants := func(when string, own, overflow int) {
		t.Helper()
		var want []string
		if own > 0 {
			want = append(want, fmt.Sprintf("guidon.flag.evaluations feature_flag.key=a feature_flag.result.variant=on: %d", own))
		}
		want = append(want, fmt.Sprintf("guidon.flag.evaluations guidon.overflow=true: %d", overflow))
		if diff := cmp.Diff(want, slices.DeleteFunc(collect(t, reader), zero)); diff != "" {
			t.Errorf("%s: want -, got +\n%s", when, diff)
		}
	}
	load("a", "b", "c")
	ask("a", 1)
	ask("b", 10)
	ask("c", 100)
	wants("all are there", 1, 110)
	load("b")
	ask("b", 10)
	wants("two are gone", 0, 120)
	load("a", "b", "c")
	ask("a", 1)
	ask("c", 100)
	wants("they are back", 2, 220)
	wants("nothing was asked", 2, 220)
}

func TestMetricsOfRollouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop", Environment: "production"})
		if err != nil {
			t.Fatal(err)
		}
		provider, reader := meter()
		if _, err := otel.Metrics(otel.MetricOptions{Meters: provider, Engine: engine}); err != nil {
			t.Fatal(err)
		}
		over := make(chan struct{})
		go func() {
			defer close(over)
			if _, err := engine.Deploy(t.Context(), rollout.Request{ID: "shop 2", Plan: plan, Target: &target{}}); err != nil {
				t.Error(err)
			}
		}()
		time.Sleep(30 * time.Minute)
		want := []string{
			"guidon.rollout.live guidon.phase=holding: 1",
			"guidon.rollout.share deployment.environment.name=production feature_flag.key= guidon.service=shop: 0.1",
		}
		if diff := cmp.Diff(want, collect(t, reader)); diff != "" {
			t.Error("want -, got +\n" + diff)
		}
		<-over
		if got := collect(t, reader); len(got) != 0 {
			t.Errorf("nothing is under way, got %q", got)
		}
	})
}

func TestDurations(t *testing.T) {
	provider, reader := meter()
	if err := run(t, journal(t), tracetest.NewInMemoryExporter(), otel.Options{Meters: provider}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"guidon.rollout.duration deployment.environment.name=production guidon.outcome=rolled back guidon.service=shop: 1, 1800 s",
		"guidon.rollout.duration deployment.environment.name=production guidon.outcome=succeeded guidon.service=shop: 3, 10920 s",
	}
	if diff := cmp.Diff(want, collect(t, reader)); diff != "" {
		t.Error("want -, got +\n" + diff)
	}
}
