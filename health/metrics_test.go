package health_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// someMetrics are those of 100 requests of 1 to 100 ms, the slowest of which fail.
func someMetrics(failures int) *health.Metrics {
	w := health.NewWindow(health.WindowOptions{Span: time.Second, Slots: 1})
	for i := range 100 {
		class := health.Success
		if i >= 100-failures {
			class = health.Failure
		}
		w.Record(noon, time.Duration(i+1)*time.Millisecond, class)
	}
	return w.Snapshot(noon.Add(time.Second))
}

func TestMetricsJSON(t *testing.T) {
	var got map[string]float64
	text, err := json.Marshal(someMetrics(25))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &got))
	want := map[string]float64{
		"requests": 100, "success_rate": 0.75, "error_rate": 0.25, "throughput": 100, "p50": 50e6, "p90": 90e6, "p99": 99e6, "max": 100e6,
	}
	require.Len(t, got, len(want), string(text))
	for name, x := range want {
		require.InEpsilon(t, x, got[name], 0.01, name)
	}

	text, err = json.Marshal(&health.Metrics{})
	require.NoError(t, err)
	require.JSONEq(t, `{"requests":0}`, string(text), "no value, and no field")
	w := health.NewWindow(health.WindowOptions{})
	w.Record(noon, -time.Second, health.Success)
	w.Record(noon.Add(-time.Hour), time.Second, health.Success)
	text, err = json.Marshal(w.Snapshot(noon))
	require.NoError(t, err)
	require.JSONEq(t, `{"requests":1,"success_rate":1,"error_rate":0,"p50":0,"p90":0,"p99":0,"max":0,"clamped":1,"dropped":1}`, string(text), "a zero is a value")
}

func TestMetricsLogs(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, nil))
	logger.Info("x", "m", someMetrics(25))
	require.Regexp(t, `m\.requests=100 m\.success_rate=0\.75 m\.error_rate=0\.25 m\.throughput=100 m\.p50=[45].*ms m\.p90=[89].*ms m\.p99=.*ms m\.max=100ms\n`, out.String())
	out.Reset()
	logger.Info("x", "m", &health.Metrics{})
	require.Regexp(t, `msg=x m\.requests=0\n$`, out.String())
}

func TestMetricsSlow(t *testing.T) {
	require.Nil(t, new(health.Metrics).Slow())
	m := someMetrics(0)
	slow := m.Slow()
	require.Len(t, slow, 4)
	for i, q := range []float64{0.5, 0.9, 0.95, 0.99} {
		want, _ := m.Quantile(q)
		require.Equal(t, want, slow[i])
	}
	w := health.NewWindow(health.WindowOptions{})
	for i := range 100 {
		latency := 10 * time.Millisecond
		if i >= 96 {
			latency = 80 * time.Millisecond
		}
		w.Record(noon, latency, health.Success)
	}
	slow = w.Snapshot(noon).Slow()
	require.Len(t, slow, 2, "equal ones once")
	require.InEpsilon(t, 10*time.Millisecond, slow[0], 0.01)
	require.Equal(t, 80*time.Millisecond, slow[1])
}
