package prometheus_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

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

// database is a Prometheus server that has what a test scrapes. The times are those of a
// bubble.
type database struct {
	series  []string // by their labels, as they came
	samples map[string][]any
	behind  time.Duration // what it does not have yet
}

// scrape adds samples: labels and value, alternating.
func (d *database) scrape(at time.Time, samples ...any) {
	for i := 0; i < len(samples); i += 2 {
		labels := samples[i].(string)
		if d.samples[labels] == nil {
			d.series = append(d.series, labels)
		}
		if d.samples == nil {
			d.samples = map[string][]any{}
		}
		d.samples[labels] = append(d.samples[labels], float64(at.UnixMilli())/1000, samples[i+1])
	}
}

var asked = regexp.MustCompile(`^(last_over_time\()?http_requests_total\{version="(..)"}\[([0-9]+)s]\)?$`)

func (d *database) answer(r *http.Request) (int, string, error) {
	query := asked.FindStringSubmatch(r.URL.Query().Get("query"))
	if query == nil {
		return 400, `{"status":"error","error":"what?"}`, nil
	}
	at := must(strconv.ParseFloat(r.URL.Query().Get("time"), 64))
	from := at - must(strconv.ParseFloat(query[3], 64))
	var found []string
	for _, labels := range d.series {
		var has []any
		for pair := range slices.Chunk(d.samples[labels], 2) {
			if t := pair[0].(float64); from <= t && t <= at-d.behind.Seconds() {
				has = append(has, pair...)
			}
		}
		switch {
		case !strings.Contains(labels, `"version":"`+query[2]+`"`) || has == nil:
		case query[1] != "":
			found = append(found, fmt.Sprintf(`{"metric":{%s},"value":[%v,"%v"]}`, labels, at, has[len(has)-1]))
		default:
			found = append(found, points(labels, has...))
		}
	}
	if query[1] != "" {
		return 200, strings.Replace(matrix(found...), "matrix", "vector", 1), nil
	}
	return 200, matrix(found...), nil
}

const (
	ok42   = `"version":"42","code":"200"`
	bad42  = `"version":"42","code":"503"`
	other  = `"version":"42","code":"200","instance":"b"`
	ok41   = `"version":"41","code":"204"`
	noCode = `"version":"41"`
)
