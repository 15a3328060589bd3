package prometheus_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/rollout/prometheus"
)

func Example() {
	flags := flag.New(flag.Bytes([]byte(`{"flags": {"new-checkout": {"ramp": {"percent": 5}}}}`)), flag.Options{})
	if err := flags.Load(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	registry := client.NewRegistry() // or client.DefaultRegisterer
	registry.MustRegister(prometheus.New(prometheus.Options{
		Flags:   flags,
		Windows: map[string]*health.Window{"http": health.NewWindow(health.WindowOptions{})},
	}))
	fmt.Println(testutil.GatherAndCount(registry, "guidon_flag_ramp_ratio", "guidon_window_latency_seconds"))
	// Output: 2 <nil>
}

// What a release is to pass before it goes on: a step strategy.Verify{Gates:
// []string{"compare"}} of its plan asks it. Here nobody answers, so it cannot tell.
func ExampleReader_Gate() {
	reader, err := prometheus.NewReader(prometheus.ReaderOptions{
		URL:       "http://prometheus:9090",
		Candidate: `http_requests_total{job="shop",version="42"}`,
		Baseline:  `http_requests_total{job="shop",version="41"}`,
		Client:    &http.Client{Transport: fake(func(*http.Request) (int, string, error) { return 503, "", nil })},
	})
	if err != nil {
		fmt.Println(err) // everything that is wrong with the options
		return
	}
	gate := reader.Gate(health.Comparison{PassRatio: 2})
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	fmt.Println("cannot tell:", errors.Is(gate(ctx), rollout.ErrInconclusive))
	// Output: cannot tell: true
}
