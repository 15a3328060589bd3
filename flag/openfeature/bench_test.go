package openfeature_test

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag/openfeature"
	of "github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/memprovider"
)

// sameFlags is served by both providers of comparedClients.
const sameFlags = `{"flags": {
	"static": {"serve": "on"},
	"rule":   {"rules": [{"if": {"attr": "country", "in": ["SE", "NO"]}, "serve": "on"}]},
	"text":   {"variants": {"a": "one", "b": "two"}, "serve": "b"},
	"int":    {"variants": {"a": 1, "b": 2}, "serve": "b"},
	"float":  {"variants": {"a": 1.5, "b": 2.5}, "serve": "b"},
	"object": {"variants": {"a": {"n": 1}, "b": {"n": 2}}, "serve": "b"}
}}`

// comparedClients are clients of this provider and of the SDK's in-memory one, with the
// same flags. A rule of the latter is written by hand in Go.
func comparedClients(t testing.TB) map[string]*of.Client {
	byCountry := func(_ memprovider.InMemoryFlag, flat of.FlattenedContext) (any, of.ProviderResolutionDetail) {
		if country := flat["country"]; country == "SE" || country == "NO" {
			return true, of.ProviderResolutionDetail{Reason: of.TargetingMatchReason, Variant: "on"}
		}
		return false, of.ProviderResolutionDetail{Reason: of.DefaultReason, Variant: "off"}
	}
	static := func(served any) memprovider.InMemoryFlag {
		return memprovider.InMemoryFlag{State: memprovider.Enabled, DefaultVariant: "b", Variants: map[string]any{"a": nil, "b": served}}
	}
	memory := memprovider.NewInMemoryProvider(map[string]memprovider.InMemoryFlag{
		"static": static(true), "text": static("two"), "int": static(int64(2)), "float": static(2.5),
		"object": static(map[string]any{"n": 2.0}),
		"rule":   {State: memprovider.Enabled, ContextEvaluator: &byCountry},
	})
	return map[string]*of.Client{
		"guidon": client(t, settled(t, openfeature.New(loaded(t, sameFlags), openfeature.Options{}))),
		"memory": client(t, memory),
	}
}

// settled has had the time to learn what its flags ask for.
func settled(t testing.TB, p *openfeature.Provider) *openfeature.Provider {
	t.Helper()
	if err := p.Init(of.EvaluationContext{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Shutdown)
	for !p.Knows("static") {
		runtime.Gosched()
	}
	return p
}

// asks are one evaluation each, of the flag by that name.
var asks = []struct {
	name string
	ask  func(c *of.Client) any
}{
	{"static", func(c *of.Client) any { return c.Boolean(context.Background(), "static", false, someone) }},
	{"rule", func(c *of.Client) any { return c.Boolean(context.Background(), "rule", false, someone) }},
	{"text", func(c *of.Client) any { return c.String(context.Background(), "text", "", someone) }},
	{"int", func(c *of.Client) any { return c.Int(context.Background(), "int", 0, someone) }},
	{"float", func(c *of.Client) any { return c.Float(context.Background(), "float", 0, someone) }},
	{"object", func(c *of.Client) any { return c.Object(context.Background(), "object", nil, someone) }},
}

// BenchmarkClient compares the two providers by turns, so that whatever else the machine
// does hits both: guidon/memory is the median of the ratios, and ought not to be above 1.
func BenchmarkClient(b *testing.B) {
	clients := comparedClients(b)
	for _, a := range asks {
		b.Run(a.name, func(b *testing.B) {
			var ratios, ours []float64
			turn := func(provider string) float64 {
				c, began := clients[provider], time.Now()
				for range 1000 {
					a.ask(c)
				}
				return float64(time.Since(began)) / 1000
			}
			for b.Loop() {
				ns := turn("guidon")
				ratios, ours = append(ratios, ns/turn("memory")), append(ours, ns)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(ours), "ns/guidon")
			b.ReportMetric(median(ratios), "guidon/memory")
		})
	}
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// TestClientAllocations: an evaluation through the client allocates no more with this
// provider than with the in-memory one.
func TestClientAllocations(t *testing.T) {
	clients := comparedClients(t)
	for _, a := range asks {
		ours := testing.AllocsPerRun(100, func() { a.ask(clients["guidon"]) })
		if memory := testing.AllocsPerRun(100, func() { a.ask(clients["memory"]) }); ours > memory {
			t.Errorf("%s: got %v allocations, want %v at most", a.name, ours, memory)
		}
	}
}
