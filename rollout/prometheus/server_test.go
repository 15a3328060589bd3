package prometheus_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout/prometheus"
	"github.com/guidon-go/guidon/rollout/prometheus/internal/server"
)

// started is a real server that scrapes the registry, or the end of the test where there
// is none to run.
func started(t *testing.T, registry *client.Registry) *server.Server {
	t.Helper()
	target := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	t.Cleanup(target.Close)
	s, err := server.Start(t.Context(), t.TempDir(), strings.TrimPrefix(target.URL, "http://"))
	if errors.Is(err, server.ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// ask is the value of a query of one series, once there is one; "" if there is none for
// a minute.
func ask(t *testing.T, s *server.Server, query string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		response, err := http.Get(s.URL + "/api/v1/query?query=" + url.QueryEscape(query))
		if err != nil {
			t.Fatal(err)
		}
		var a struct {
			Error string
			Data  struct{ Result []struct{ Value [2]any } }
		}
		err = json.NewDecoder(response.Body).Decode(&a)
		response.Body.Close()
		if err != nil || a.Error != "" {
			t.Fatal(query, err, a.Error)
		}
		if len(a.Data.Result) == 1 {
			return a.Data.Result[0].Value[1].(string)
		}
		if len(a.Data.Result) > 1 {
			t.Fatalf("%s: %d series", query, len(a.Data.Result))
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return ""
}

func TestServerHasAll(t *testing.T) {
	t.Parallel()
	registry := registered(t, everything(t))
	s := started(t, registry)
	for query, want := range map[string]string{
		`guidon_flag_evaluations_total{flag="page",variant="R&D"}`:                   "3",
		`guidon_flag_ramp_ratio{flag="new-checkout"}`:                                "0.125",
		`guidon_check_status{check="database"} == 1`:                                 "1",
		`guidon_rollout_share_ratio{rollout="shop 42"}`:                              "0.1",
		`guidon_delivery_deployments`:                                                "1",
		`guidon_window_error_ratio{window="http"}`:                                   "0.25",
		`histogram_count(guidon_window_latency_seconds{window="http"})`:              "200",
		`histogram_fraction(0, 0.125, guidon_window_latency_seconds{window="http"})`: "0.62", // of 1 to 200 ms; 125 is off by 0.3 %, as the window has it
		`histogram_count(guidon_window_latency_seconds{window="silent"})`:            "0",
		`sum(guidon_collector_left_out)`:                                             "0",
	} {
		if got := ask(t, s, query); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

func TestServerHasForeignLabels(t *testing.T) {
	t.Parallel()
	const window = "new\nline \"quoted\" \\ ünï\u2028"
	s := started(t, registered(t, prometheus.Options{Windows: map[string]*health.Window{window: health.NewWindow(health.WindowOptions{}), "": health.NewWindow(health.WindowOptions{})}}))
	quoted, _ := json.Marshal(window)
	for _, label := range []string{string(quoted), `""`} {
		if got := ask(t, s, `guidon_window_dropped_outcomes_total{window=`+label+`}`); got != "0" {
			t.Errorf("%s: got %q", label, got)
		}
	}
}

// A harmful version is found, and a harmless one passes, by what the server has of them.
func TestServerFeedsJudges(t *testing.T) {
	t.Parallel()
	answers := client.NewCounterVec(client.CounterOpts{Name: "http_requests_total", Help: "Requests."}, []string{"version", "code"})
	registry := client.NewPedanticRegistry()
	registry.MustRegister(answers)
	s := started(t, registry)
	add := func(version string, requests, failures float64) {
		answers.WithLabelValues(version, "200").Add(requests - failures)
		answers.WithLabelValues(version, "500").Add(failures)
	}
	for _, version := range []string{"41", "42", "43"} {
		add(version, 1000, 500) // before anybody reads
		ask(t, s, `http_requests_total{code="500",version="`+version+`"}`)
	}
	read := func(version string) *prometheus.Reader {
		r := must(prometheus.NewReader(prometheus.ReaderOptions{
			URL: s.URL, Candidate: `http_requests_total{version="` + version + `"}`, Baseline: `http_requests_total{version="41"}`, Every: 100 * time.Millisecond,
		}))
		must(r.Read(t.Context()))
		return r
	}
	harmless, harmful := read("42"), read("43")
	add("41", 40_000, 400)
	add("42", 40_000, 400)
	add("43", 40_000, 2_000)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := harmless.Gate(health.Comparison{PassRatio: 2})(ctx); err != nil {
		t.Errorf("harmless: %v", err)
	}
	if err := harmful.Gate(health.Comparison{PassRatio: 2})(ctx); err == nil || !strings.HasPrefix(err.Error(), "fail: candidate fails 5 % of") {
		t.Errorf("harmful: %v", err)
	}
	got, err := harmful.Read(t.Context())
	if want := (health.Side{Successes: 38_000, Failures: 2_000}); err != nil || got.Candidate != want {
		t.Errorf("got %v and %v, want %v", got.Candidate, err, want)
	}
	sums := must(prometheus.NewReader(prometheus.ReaderOptions{URL: s.URL, Candidate: `sum(http_requests_total)`, Baseline: `http_requests_total{version="41"}`}))
	if _, err := sums.Read(t.Context()); !errors.Is(err, prometheus.ErrMissing) || !strings.Contains(err.Error(), "ranges only allowed for vector selectors") {
		t.Errorf("of a sum: %v", err)
	}
	s.Stop()
	if _, err := harmless.Read(t.Context()); !errors.Is(err, prometheus.ErrMissing) {
		t.Errorf("of a server that is gone: %v", err)
	}
}
