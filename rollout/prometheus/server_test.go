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
func started(t *testing.T, registry *client.Registry, flags ...string) *server.Server {
	t.Helper()
	target := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	t.Cleanup(target.Close)
	s, err := server.Start(t.Context(), t.TempDir(), strings.TrimPrefix(target.URL, "http://"), flags...)
	if errors.Is(err, server.ErrNone) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// eventually asks again and again, for a minute at most.
func eventually(t *testing.T, is func() bool) bool {
	t.Helper()
	for over := time.After(time.Minute); !is(); {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-over:
			return false
		}
	}
	return true
}

// ask is the value of a query of one series, once there is one; "" if there is none for
// a minute.
func ask(t *testing.T, s *server.Server, query string) string {
	t.Helper()
	var a struct {
		Error string
		Data  struct{ Result []struct{ Value [2]any } }
	}
	if !eventually(t, func() bool {
		response, err := http.Get(s.URL + "/api/v1/query?query=" + url.QueryEscape(query))
		if err != nil {
			t.Fatal(err)
		}
		err = json.NewDecoder(response.Body).Decode(&a)
		response.Body.Close()
		if err != nil || a.Error != "" || len(a.Data.Result) > 1 {
			t.Fatal(query, err, a.Error, a.Data.Result)
		}
		return len(a.Data.Result) == 1
	}) {
		return ""
	}
	return a.Data.Result[0].Value[1].(string)
}

func TestServerHasAll(t *testing.T) {
	t.Parallel()
	registry := registered(t, everything(t))
	s := started(t, registry, "--enable-feature=native-histograms")
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

// A server that takes no native histograms has the octaves, under another name.
func TestServerHasClassicHistograms(t *testing.T) {
	t.Parallel()
	s := started(t, registered(t, everything(t)))
	for query, want := range map[string]string{
		`guidon_window_latency_seconds_bucket{window="http",le="0.125"}`:                         "124", // of 1 to 200 ms
		`histogram_quantile(0.62, guidon_window_latency_seconds_bucket{window="http"}) == 0.125`: "0.125",
		`absent(guidon_window_latency_seconds{window="http"})`:                                   "1",
	} {
		if got := ask(t, s, query); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}

func TestServerSaysWhyItEnds(t *testing.T) {
	t.Parallel()
	_, err := server.Start(t.Context(), t.TempDir(), "127.0.0.1:1", "--no-such-flag")
	if errors.Is(err, server.ErrNone) {
		t.Skip(err)
	}
	if err == nil || !strings.Contains(err.Error(), "prometheus ended: exit status") {
		t.Errorf("got %v", err)
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

// answered is a registry of what versions answer.
func answered() (*client.Registry, *client.CounterVec) {
	answers := client.NewCounterVec(client.CounterOpts{Name: "http_requests_total", Help: "Requests."}, []string{"version", "code"})
	registry := client.NewPedanticRegistry()
	registry.MustRegister(answers)
	return registry, answers
}

// A harmful version is found, and a harmless one passes, by what the server has of them.
func TestServerFeedsJudges(t *testing.T) {
	t.Parallel()
	registry, answers := answered()
	s := started(t, registry)
	add := func(version string, requests, failures float64) {
		answers.WithLabelValues(version, "200").Add(requests - failures)
		answers.WithLabelValues(version, "500").Add(failures)
	}
	for _, version := range []string{"41", "42", "43"} {
		add(version, 1000, 500) // before anybody reads
		ask(t, s, `http_requests_total{code="500",version="`+version+`"}`)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	read := func(candidate string) *prometheus.Reader {
		return must(prometheus.NewReader(prometheus.ReaderOptions{
			URL: s.URL, Candidate: candidate, Baseline: `http_requests_total{version="41"}`, MaxAge: 4 * time.Second, Every: 100 * time.Millisecond,
		}))
	}
	harmless, harmful := read(`http_requests_total{version="42"}`), read(`http_requests_total{version="43"}`)
	if !eventually(t, func() bool { _, err := harmful.Read(ctx); return err == nil }) { // the server has known the baseline for long enough
		t.Fatal(harmful.Read(ctx))
	}
	traffic, stop := context.WithCancel(ctx)
	served := make(chan float64)
	go func() {
		n := 0.0
		for tick := time.NewTicker(50 * time.Millisecond); ; n++ {
			select {
			case <-tick.C:
				add("41", 1000, 10)
				add("42", 1000, 10)
				add("43", 1000, 50)
			case <-traffic.Done():
				served <- n
				return
			}
		}
	}()
	for range 2 {
		if err := harmless.Gate(health.Comparison{PassRatio: 2})(ctx); err != nil {
			t.Errorf("harmless: %v", err)
		}
		if err := harmful.Gate(health.Comparison{PassRatio: 2})(ctx); err == nil || !strings.HasPrefix(err.Error(), "fail: candidate fails 5") {
			t.Errorf("harmful: %v", err)
		}
	}
	stop()
	n := <-served
	want := health.Side{Successes: uint64(n) * 950, Failures: uint64(n) * 50}
	var got health.Sample
	if !eventually(t, func() bool { got, _ = harmful.Read(t.Context()); return got.Candidate == want }) { // all of it is scraped
		t.Errorf("got %v, want %v", got.Candidate, want)
	}
	if _, err := read(`sum(http_requests_total)`).Read(t.Context()); !errors.Is(err, prometheus.ErrMissing) || !strings.Contains(err.Error(), "ranges only allowed for vector selectors") {
		t.Errorf("of a sum: %v", err)
	}
	s.Stop()
	if _, err := harmless.Read(t.Context()); !errors.Is(err, prometheus.ErrMissing) {
		t.Errorf("of a server that is gone: %v", err)
	}
}

// A counter that is not scraped for a while is not a new one when it comes back.
func TestServerKnowsWhatWasBefore(t *testing.T) {
	t.Parallel()
	registry, answers := answered()
	s := started(t, registry)
	for _, version := range []string{"41", "42"} {
		answers.WithLabelValues(version, "200").Add(1000)
	}
	answers.WithLabelValues("42", "500").Add(70_000)
	ask(t, s, `http_requests_total{code="500"} == 70000`)
	answers.DeleteLabelValues("42", "500")
	ask(t, s, `absent(count_over_time(http_requests_total{code="500"}[6s])) and on() count_over_time(http_requests_total{version="41"}[6s]) > 4`)
	r := must(prometheus.NewReader(prometheus.ReaderOptions{
		URL: s.URL, Candidate: `http_requests_total{version="42"}`, Baseline: `http_requests_total{version="41"}`, MaxAge: 3 * time.Second,
	}))
	must(r.Read(t.Context()))
	answers.WithLabelValues("42", "500").Add(70_003)
	ask(t, s, `http_requests_total{code="500"} == 70003`)
	if got, want := counts(must(r.Read(t.Context()))), "0 3, 0 0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
