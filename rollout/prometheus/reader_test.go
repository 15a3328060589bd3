package prometheus_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout/prometheus"
)

func TestReaderClassifies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const good, gone, bad = `"version":"42","grpc_code":"OK"`, `"version":"42","grpc_code":"Canceled"`, `"version":"42","grpc_code":"Internal"`
		d := new(database)
		o := prometheus.ReaderOptions{URL: "http://p", Candidate: candidate, Baseline: baseline, Client: &http.Client{Transport: fake(d.answer)}}
		unclassified := must(prometheus.NewReader(o))
		o.Classify = func(labels map[string]string) health.Class {
			return map[string]health.Class{"OK": health.Success, "Canceled": health.Excluded}[labels["grpc_code"]]
		}
		r := must(prometheus.NewReader(o))
		for i, want := range []string{"", "0 0, 0 0", "10 3, 0 0"} {
			d.scrape(time.Now(), good, 1+10*i, gone, 1+100*i, bad, 1+3*i, noCode, 1)
			if want != "" {
				if got := counts(must(r.Read(t.Context()))); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
			time.Sleep(time.Minute)
		}
		if _, err := unclassified.Read(t.Context()); !errors.Is(err, prometheus.ErrMissing) || !strings.Contains(err.Error(), "Classify") {
			t.Errorf("unclassified: got %v", err)
		}
	})
}

// Whatever is wrong with an answer: nothing of it counts, and no judge sees it.
func TestReaderMissesData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := matrix(points(ok42, "NOW", 20))
		many := make([]string, 101)
		for i := range many {
			many[i] = points(fmt.Sprintf(`"version":"42","code":"200","instance":"%d"`, i), "NOW", 1)
		}
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
			{name: "a part, as VictoriaMetrics says it", body: strings.Replace(good, `"data"`, `"isPartial":true,"data"`, 1), want: "only a part"},
			{name: "no counters", body: matrix(), want: "no counters"},
			{name: "too many counters", body: matrix(many...), want: "101 counters"},
			{name: "a vector", body: `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"1"]}]}}`, want: "vector"},
			{name: "a native histogram", body: matrix(`{"metric":{"version":"42"},"histograms":[[1,{"count":"1"}]]}`), want: "no numbers"},
			{name: "the other side's", body: matrix(points(ok41, "NOW", 10)), want: "both have"},
			{name: "NaN", body: matrix(points(ok42, "NOW", "NaN")), want: "NaN"},
			{name: "NaN beside a number", body: matrix(points(ok42, "NOW", 11), points(bad42, "NOW", "NaN")), want: "NaN"},
			{name: "infinity", body: matrix(points(ok42, "NOW", "+Inf")), want: "Inf"},
			{name: "below zero", body: matrix(points(ok42, "NOW", -1)), want: "-1"},
			{name: "a fraction", body: matrix(points(ok42, "NOW", 10.5)), want: "10.5"},
			{name: "2^53+1", body: matrix(points(ok42, "NOW", "9007199254740993")), want: "9007199254740993"},
			{name: "no pair", body: matrix(`{"metric":{},"values":[null]}`), want: "a counter of"},
			{name: "no time", body: matrix(`{"metric":{"version":"42","code":"200"},"values":[[null,"5"]]}`), want: "without a time"},
			{name: "old samples only", body: matrix(points(ok42, "OLD", 20)), want: "no counters with a sample of the last 1m0s"},
			{name: "no status", body: matrix(points(`"version":"42","status":"200"`, "NOW", 20), points(`"version":"42","code":"OK"`, "NOW", 20)), want: "Classify"},
			{name: "too long", body: strings.Repeat(" ", 32<<20) + good, want: "32 MiB"},
		} {
			for _, side := range []string{"candidate", "baseline"} {
				if side == "baseline" && (tt.name == "the other side's" || tt.name == "too long") {
					continue
				}
				d, broken := new(database), false
				r := reader(t, func(r *http.Request) (int, string, error) {
					if r.URL.Path != "/prefix/api/v1/query" {
						t.Errorf("asks %s", r.URL.Path)
					}
					if !broken || !strings.HasPrefix(r.URL.Query().Get("query"), map[string]string{"candidate": candidate, "baseline": baseline}[side]) {
						return d.answer(r)
					}
					select {
					case <-time.After(tt.slow):
					case <-r.Context().Done():
						return 0, "", r.Context().Err()
					}
					now := time.Now().Unix()
					body := strings.ReplaceAll(strings.ReplaceAll(tt.body, "NOW", fmt.Sprint(now)), "OLD", fmt.Sprint(now-61))
					return max(tt.status, 200), body, tt.err
				})
				d.scrape(time.Now().Add(-time.Minute), ok42, 10, ok41, 10)
				d.scrape(time.Now(), ok42, 10, ok41, 10)
				must(r.Read(t.Context()))
				time.Sleep(time.Second)
				d.scrape(time.Now(), ok42, 20, ok41, 13)
				broken = true
				s, err := r.Read(t.Context())
				if !errors.Is(err, prometheus.ErrMissing) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), side) || len(err.Error()) > 600 || s.String() != (health.Sample{}).String() {
					t.Errorf("%s of the %s: got %v and %v, want %s", tt.name, side, s, err, tt.want)
				}
				broken = false
				if s, err := r.Read(t.Context()); err != nil || counts(s) != "10 0, 3 0" {
					t.Errorf("after %s of the %s: got %v and %v", tt.name, side, s, err)
				}
			}
		}
	})
}

// Readings at once take turns, and whoever cannot wait does not.
func TestReaderTakesTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := new(database)
		d.scrape(time.Now(), ok42, 10, ok41, 10)
		time.Sleep(time.Minute)
		d.scrape(time.Now(), ok42, 10, ok41, 10)
		r := reader(t, func(r *http.Request) (int, string, error) {
			time.Sleep(time.Second)
			return d.answer(r)
		})
		elapsed := make(chan time.Duration)
		for range 3 {
			go func() { elapsed <- must(r.Read(t.Context())).Elapsed }()
			time.Sleep(time.Millisecond)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.Read(ctx); !errors.Is(err, prometheus.ErrMissing) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("one that cannot wait: got %v", err)
		}
		for _, want := range []time.Duration{0, 4 * time.Second, 6 * time.Second} { // four questions at first, then two
			if got := <-elapsed; got != want {
				t.Errorf("elapsed: got %v, want %v", got, want)
			}
		}
	})
}

func TestReaderOptions(t *testing.T) {
	_, err := prometheus.NewReader(prometheus.ReaderOptions{URL: "prometheus:9090", Candidate: "a", Baseline: "a", MaxAge: -1, Every: time.Hour})
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("got %v, want four problems", err)
	}
	if _, err := prometheus.NewReader(prometheus.ReaderOptions{URL: "http://ann:secret@%/", Candidate: "a", Baseline: "b"}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

// Foreign answers end in an error or in counts, and never in fewer counts than before.
func FuzzReader(f *testing.F) {
	now := time.Now().Unix()
	f.Add(matrix(points(ok42, now, 10)), matrix(points(ok42, now+1, 12)))
	f.Add(matrix(points(ok42, now, "NaN")), `{"status":"success","data":{"resultType":"matrix","result":[{"values":[[1]]}]}}`)
	f.Fuzz(func(t *testing.T, one, two string) {
		d, foreign := new(database), ""
		d.scrape(time.Now().Add(-90*time.Second), ok42, 1, ok41, 10)
		d.scrape(time.Now().Add(-45*time.Second), ok42, 1, ok41, 10)
		d.scrape(time.Now(), ok42, 1, ok41, 10)
		r := reader(t, func(r *http.Request) (int, string, error) {
			if foreign != "" && strings.HasPrefix(r.URL.Query().Get("query"), candidate) {
				return 200, foreign, nil
			}
			return d.answer(r)
		})
		must(r.Read(t.Context()))
		var before health.Sample
		for _, foreign = range []string{one, two, one, two} {
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
