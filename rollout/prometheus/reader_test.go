package prometheus_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout/prometheus"
)

// fake answers in a Prometheus server's place, without a socket.
type fake func(r *http.Request) (status int, body string, err error)

func (s fake) RoundTrip(r *http.Request) (*http.Response, error) {
	status, body, err := s(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

const candidate, baseline = `http_requests_total{version="42"}`, `http_requests_total{version="41"}`

func reader(t testing.TB, s fake) *prometheus.Reader {
	t.Helper()
	return must(prometheus.NewReader(prometheus.ReaderOptions{
		URL: "http://prometheus.example/prefix/", Candidate: candidate, Baseline: baseline, MaxSeries: 100, Client: &http.Client{Transport: s},
	}))
}

// points is one series of an answer: Unix time and value, alternating.
func points(labels string, at ...any) string {
	var pairs []string
	for i := 0; i < len(at); i += 2 {
		pairs = append(pairs, fmt.Sprintf(`[%v,"%v"]`, at[i], at[i+1]))
	}
	return fmt.Sprintf(`{"metric":{%s},"values":[%s]}`, labels, strings.Join(pairs, ","))
}

func matrix(series ...string) string {
	return `{"status":"success","data":{"resultType":"matrix","result":[` + strings.Join(series, ",") + `]}}`
}

// both answers each side with its own.
func both(candidates, baselines *string) fake {
	return func(r *http.Request) (int, string, error) {
		switch r.URL.Query().Get("query") {
		case candidate + "[60s]":
			return 200, *candidates, nil
		case baseline + "[60s]":
			return 200, *baselines, nil
		}
		return 400, `{"status":"error","error":"what?"}`, nil
	}
}

const (
	ok42   = `"version":"42","code":"200"`
	bad42  = `"version":"42","code":"503"`
	other  = `"version":"42","code":"200","instance":"b"`
	ok41   = `"version":"41","code":"204"`
	noCode = `"version":"41"`
)

func TestReaderCounts(t *testing.T) {
	old := matrix(points(ok41, 1, 50))
	var now string
	r := reader(t, both(&now, &old))
	for _, step := range []struct {
		what, candidate, baseline string
		want                      string // successes, failures
	}{
		{"the first reading notes", matrix(points(ok42, 100, 1000), points(bad42, 100, 7)), "", "0 0, 0 0"},
		{"the same again is nothing", matrix(points(ok42, 100, 1000), points(bad42, 100, 7)), "", "0 0, 0 0"},
		{"what is new counts once", matrix(points(ok42, 100, 1000, 115, 1010, 130, 1040), points(bad42, 100, 7, 130, 9)), "", "40 2, 0 0"},
		{"a counter that begins counts from 0", matrix(points(ok42, 130, 1040), points(bad42, 130, 9), points(other, 130, 5)), "", "45 2, 0 0"},
		{"one that is gone stays counted", matrix(points(ok42, 145, 1050)), "", "55 2, 0 0"},
		{"and goes on where it was", matrix(points(ok42, 145, 1050), points(other, 160, 6), points(bad42, 160, 10)), "", "56 3, 0 0"},
		{"a restart begins at 0", matrix(points(ok42, 145, 1050, 160, 20, 175, 30)), "", "86 3, 0 0"},
		{"a replica that is behind is no restart", matrix(points(ok42, 170, 25)), "", "86 3, 0 0"},
		{"no code is a failure", matrix(points(ok42, 175, 30)), matrix(points(ok41, 60, 55), points(noCode, 60, 2)), "86 3, 5 2"},
		{"as much as floats count", matrix(points(ok42, 190, 1<<53-1)), "", "9007199254741047 3, 5 2"},
	} {
		if now = step.candidate; step.baseline != "" {
			old = step.baseline
		}
		s, err := r.Read(t.Context())
		if got := fmt.Sprintf("%d %d, %d %d", s.Candidate.Successes, s.Candidate.Failures, s.Baseline.Successes, s.Baseline.Failures); got != step.want || err != nil {
			t.Errorf("%s: got %s and %v, want %s", step.what, got, err, step.want)
		}
	}
}

func TestReaderClassifies(t *testing.T) {
	now, old := matrix(points(`"grpc_code":"OK"`, 1, 1), points(`"grpc_code":"Canceled"`, 1, 1), points(`"grpc_code":"Internal"`, 1, 1)), matrix(points(ok41, 1, 1))
	r := must(prometheus.NewReader(prometheus.ReaderOptions{
		URL: "http://p", Candidate: candidate, Baseline: baseline, Client: &http.Client{Transport: both(&now, &old)},
		Classify: func(labels map[string]string) health.Class {
			return map[string]health.Class{"OK": health.Success, "Canceled": health.Excluded}[labels["grpc_code"]]
		},
	}))
	must(r.Read(t.Context()))
	now = matrix(points(`"grpc_code":"OK"`, 2, 11), points(`"grpc_code":"Canceled"`, 2, 101), points(`"grpc_code":"Internal"`, 2, 4))
	if s := must(r.Read(t.Context())); s.Candidate.Successes != 10 || s.Candidate.Failures != 3 {
		t.Errorf("got %v", s)
	}
}

// Whatever is wrong with an answer: nothing of it counts, and no judge sees it.
func TestReaderMissesData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		many := make([]string, 101)
		for i := range many {
			many[i] = points(fmt.Sprintf(`"version":"42","instance":"%d"`, i), 2, 1)
		}
		good, was := matrix(points(ok42, 2, 20)), matrix(points(ok42, 1, 10))
		baselines := matrix(points(ok41, 1, 10))
		for _, tt := range []struct {
			name, body, want string
			status           int
			err              error
			slow             time.Duration
		}{
			{name: "not at all", err: errors.New("connection refused"), want: "connection refused"},
			{name: "not in time", slow: time.Hour, want: "deadline exceeded"},
			{name: "an error", status: 422, body: `{"status":"error","errorType":"execution","error":"query timed out ` + "\xff" + `"}`, want: "query timed out"},
			{name: "an error that says OK", body: `{"status":"error","error":"no"}`, want: "no"},
			{name: "another page", status: 503, body: `<html>`, want: "503"},
			{name: "another page that says OK", body: `<html>`, want: "invalid character"},
			{name: "nothing", body: ``, want: "EOF"},
			{name: "null", body: `null`, want: "200"},
			{name: "cut short", body: good[:len(good)-9], want: "EOF"},
			{name: "a part, as it says", body: strings.Replace(good, `"data"`, `"warnings":["store b is down"],"data"`, 1), want: "store b is down"},
			{name: "no counters", body: matrix(), want: "no counters"},
			{name: "too many counters", body: matrix(many...), want: "101 counters"},
			{name: "a vector", body: `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"1"]}]}}`, want: "vector"},
			{name: "a native histogram", body: matrix(`{"metric":{"version":"42"},"histograms":[[2,{"count":"1"}]]}`), want: "no numbers"},
			{name: "the other side's", body: matrix(points(ok41, 1, 10)), want: "both have"},
			{name: "NaN", body: matrix(points(ok42, 2, "NaN")), want: "NaN"},
			{name: "NaN beside a number", body: matrix(points(ok42, 2, 11), points(bad42, 2, "NaN")), want: "NaN"},
			{name: "infinity", body: matrix(points(ok42, 2, "+Inf")), want: "Inf"},
			{name: "below zero", body: matrix(points(ok42, 2, -1)), want: "-1"},
			{name: "a fraction", body: matrix(points(ok42, 2, 10.5)), want: "10.5"},
			{name: "2^53+1", body: matrix(points(ok42, 2, "9007199254740993")), want: "9007199254740993"},
			{name: "no pair", body: matrix(`{"metric":{},"values":[null]}`), want: "a counter of"},
			{name: "too long", body: strings.Repeat(" ", 32<<20) + good, want: "32 MiB"},
		} {
			for _, side := range []string{"candidate", "baseline"} {
				if side == "baseline" && (tt.name == "the other side's" || tt.name == "too long") {
					continue
				}
				broken := false
				healthy := both(&was, &baselines)
				r := reader(t, func(r *http.Request) (int, string, error) {
					query := r.URL.Query().Get("query")
					if broken && strings.HasPrefix(query, map[string]string{"candidate": candidate, "baseline": baseline}[side]) {
						select {
						case <-time.After(tt.slow):
						case <-r.Context().Done():
							return 0, "", r.Context().Err()
						}
						return max(tt.status, 200), tt.body, tt.err
					}
					if r.URL.Path != "/prefix/api/v1/query" {
						t.Errorf("asks %s", r.URL.Path)
					}
					return healthy(r)
				})
				was, baselines = matrix(points(ok42, 1, 10)), matrix(points(ok41, 1, 10))
				must(r.Read(t.Context()))
				was, baselines = good, matrix(points(ok41, 2, 13))
				broken = true
				s, err := r.Read(t.Context())
				if !errors.Is(err, prometheus.ErrMissing) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), side) || len(err.Error()) > 600 || s.String() != (health.Sample{}).String() {
					t.Errorf("%s of the %s: got %v and %v, want %s", tt.name, side, s, err, tt.want)
				}
				broken = false
				if s, err := r.Read(t.Context()); err != nil || s.Candidate.Successes != 10 || s.Baseline.Successes != 3 {
					t.Errorf("after %s of the %s: got %v and %v", tt.name, side, s, err)
				}
			}
		}
	})
}

// Of two readings at once, the one that began first may end last: it is old by then.
func TestReaderDropsWhatIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		old := matrix(points(ok41, 1, 10))
		r := reader(t, func(r *http.Request) (int, string, error) {
			switch age := time.Since(began); {
			case strings.HasPrefix(r.URL.Query().Get("query"), baseline):
				return 200, old, nil
			case age == 0:
				time.Sleep(5 * time.Second)
				return 200, matrix(points(ok42, 1, 10), points(other, 1, 500)), nil
			}
			return 200, matrix(points(ok42, 2, 20)), nil
		})
		slow := make(chan health.Sample)
		go func() { slow <- must(r.Read(t.Context())) }()
		time.Sleep(time.Second)
		must(r.Read(t.Context()))
		if s := <-slow; s.Candidate.Requests() != 0 {
			t.Errorf("got %v", s)
		}
		time.Sleep(time.Second)
		if s := must(r.Read(t.Context())); s.Elapsed != 5*time.Second { // since the first that counted, a second after the slow one began
			t.Errorf("elapsed: got %v, want 5s", s.Elapsed)
		}
	})
}

func TestReaderForgetsNoCounterAndIsBounded(t *testing.T) {
	old, now, readings := matrix(points(ok41, 1, 10)), "", 0
	r := reader(t, both(&now, &old))
	for ; readings < 100; readings++ {
		fresh := make([]string, 100)
		for i := range fresh {
			fresh[i] = points(fmt.Sprintf(`"version":"42","instance":"%d-%d"`, readings, i), 1, 1)
		}
		now = matrix(fresh...)
		if _, err := r.Read(t.Context()); err != nil {
			if !errors.Is(err, prometheus.ErrMissing) || !strings.Contains(err.Error(), "come and gone") {
				t.Errorf("got %v", err)
			}
			break
		}
	}
	if readings != 10 {
		t.Errorf("took %d readings of 100 new counters, want 10", readings)
	}
}

func TestReaderOptions(t *testing.T) {
	_, err := prometheus.NewReader(prometheus.ReaderOptions{URL: "prometheus:9090", Candidate: "a", Baseline: "a", MaxAge: -1})
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v, want three problems", err)
	}
	if _, err := prometheus.NewReader(prometheus.ReaderOptions{URL: "http://ann:secret@%/", Candidate: "a", Baseline: "b"}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

// Foreign answers end in an error or in counts, and never in fewer counts than before.
func FuzzReader(f *testing.F) {
	f.Add(matrix(points(ok42, 1, 10)), matrix(points(ok42, 2, 12)))
	f.Add(matrix(points(ok42, 1, "NaN")), `{"status":"success","data":{"resultType":"matrix","result":[{"values":[[1]]}]}}`)
	f.Fuzz(func(t *testing.T, one, two string) {
		now, old := one, matrix(points(ok41, 1, 10))
		r := reader(t, both(&now, &old))
		var before health.Sample
		for _, now = range []string{one, two, one, two} {
			s, err := r.Read(t.Context())
			if err != nil {
				if s.String() != (health.Sample{}).String() {
					t.Fatalf("got %v beside %v", s, err)
				}
				continue
			}
			if s.Candidate.Requests() < before.Candidate.Requests() || s.Candidate.Failures < before.Candidate.Failures {
				t.Fatalf("got %v after %v", s, before)
			}
			before = s
		}
	})
}
