package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/guidon-go/guidon/health"
)

// maxAnswer is of one side, in bytes: 10,000 counters with some samples each.
const maxAnswer = 32 << 20

// counter is what one reading has of one counter.
type counter struct {
	class   health.Class
	samples []sample // oldest first, at least one
}

// sample is a counter at one moment.
type sample struct{ at, value float64 }

// UnmarshalJSON reads a pair of Unix time and number as text.
func (s *sample) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &[]any{&s.at, &text}); err != nil {
		return err
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || !(value >= 0 && value < 1<<53 && value == math.Trunc(value)) { // NaN is refused, too
		return fmt.Errorf("found a counter of %.40q, want a number of requests below 2^53", text)
	}
	if s.value = value; !(s.at > 0) {
		return fmt.Errorf("found a sample without a time: %.40q", data)
	}
	return nil
}

// result is what the API says, as far as we ask.
type result struct {
	Status, Error string
	Warnings      []string
	IsPartial     bool // as VictoriaMetrics says it
	Data          struct {
		ResultType string
		Result     []struct {
			Metric map[string]string
			Values []sample // of a matrix
			Value  *sample  // of a vector
		}
	}
}

// ask reads the counters that a query has, by their series: a matrix or a vector of them.
func (r *Reader) ask(ctx context.Context, query, resultType string, at time.Time) (map[string]counter, error) {
	u := r.base.JoinPath("api/v1/query")
	u.RawQuery = url.Values{"query": {query}, "time": {strconv.FormatFloat(unix(at), 'f', 3, 64)}}.Encode()
	a, err := r.fetch(ctx, u.String())
	switch {
	case err != nil:
		return nil, err
	case len(a.Warnings) > 0 || a.IsPartial:
		return nil, fmt.Errorf("only a part: %.300q", a.Warnings)
	case a.Data.ResultType != resultType:
		return nil, fmt.Errorf("found a %.40q, want the samples of a selector", a.Data.ResultType)
	}
	counters, coded := make(map[string]counter, len(a.Data.Result)), false
	for _, series := range a.Data.Result {
		name, _ := json.Marshal(series.Metric) // sorted by label
		if series.Value != nil {
			series.Values = append(series.Values, *series.Value)
		}
		if len(series.Values) == 0 {
			return nil, fmt.Errorf("no numbers of %.200q", name)
		}
		class := health.Failure
		if code, err := strconv.Atoi(series.Metric["code"]); r.o.Classify != nil {
			class = r.o.Classify(series.Metric)
		} else if err == nil {
			class, coded = health.ByStatus(code), true
		}
		counters[string(name)] = counter{class, series.Values}
	}
	if len(counters) > 0 && !coded && r.o.Classify == nil { // all would be failures, on both sides
		return nil, errors.New("no counter has a status code in the label code, want ReaderOptions.Classify")
	}
	return counters, nil
}

func unix(at time.Time) float64 { return float64(at.UnixMilli()) / 1000 }

func (r *Reader) fetch(ctx context.Context, address string) (result, error) {
	var a result
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return a, err
	}
	response, err := r.o.Client.Do(request)
	if err != nil {
		if inner := (*url.Error)(nil); errors.As(err, &inner) {
			err = inner.Err // without the address
		}
		return a, err
	}
	defer response.Body.Close()
	body := &io.LimitedReader{R: response.Body, N: maxAnswer}
	err = json.NewDecoder(body).Decode(&a)
	switch {
	case body.N == 0:
		return a, fmt.Errorf("the answer is longer than %d MiB", maxAnswer>>20)
	case response.StatusCode != http.StatusOK || err == nil && a.Status != "success":
		return a, fmt.Errorf("answered %s, error %.300q", response.Status, a.Error)
	}
	return a, err
}
