package health_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

func newSLO(t testing.TB, objective float64, rules ...health.BurnRule) *health.SLO {
	t.Helper()
	s, err := health.NewSLO(objective, health.SLOOptions{Rules: rules})
	require.NoError(t, err)
	return s
}

// record counts so many outcomes, evenly over a time that begins at a moment.
func record(s *health.SLO, from time.Time, over time.Duration, n int, class health.Class) {
	for i := range n {
		s.Record(from.Add(over*time.Duration(i)/time.Duration(n)), class)
	}
}

func TestSLORefusesSettings(t *testing.T) {
	hour := health.BurnRule{Long: time.Hour, Short: 5 * time.Minute, Factor: 14.4}
	with := func(change func(*health.BurnRule)) []health.BurnRule {
		r := hour
		change(&r)
		return []health.BurnRule{r}
	}
	for _, tt := range []struct {
		name      string
		objective float64
		options   health.SLOOptions
		want      []string // nil: it is fine
	}{
		{"the default", 0.999, health.SLOOptions{}, nil},
		{"no rules", 0.999, health.SLOOptions{Rules: []health.BurnRule{}}, nil},
		{"an objective of 1", 1, health.SLOOptions{}, []string{"objective: found 1"}},
		{"of 0", 0, health.SLOOptions{}, []string{"objective: found 0"}},
		{"of nothing", math.NaN(), health.SLOOptions{}, []string{"objective: found NaN"}},
		{"of less", -1, health.SLOOptions{}, []string{"objective: found -1"}},
		{"in percent", 99.9, health.SLOOptions{}, []string{"objective: found 99.9, want a share between 0 and 1, such as 0.999"}},
		{"never fires", 0.93, health.SLOOptions{Rules: []health.BurnRule{hour}}, []string{"Rules[0].Factor: 14.4 × (1 - 0.93) = 1.008: were every request to fail, it would not fire; want a Factor below 14.29"}},
		{"just fires", 0.9306, health.SLOOptions{Rules: []health.BurnRule{hour}}, nil},
		{"exactly never", 0.9, health.SLOOptions{Rules: with(func(r *health.BurnRule) { r.Factor = 10 })}, []string{"10 × (1 - 0.9) = 1:"}},
		{"one failure", 0.999, health.SLOOptions{Rules: with(func(r *health.BurnRule) { r.MinRequests, r.MinFailures = 69, 1 })}, []string{"Rules[0].MinFailures: 1 of 69 requests is 1.45 %, and 14.4 × (1 - 0.999) = 1.44 %: one failure would fire it; want at least 2 failures, or at least 70 requests"}},
		{"one failure of enough", 0.999, health.SLOOptions{Rules: with(func(r *health.BurnRule) { r.MinRequests, r.MinFailures = 70, 1 })}, nil},
		{"two failures", 0.999, health.SLOOptions{Rules: with(func(r *health.BurnRule) { r.MinRequests, r.MinFailures = 1, 2 })}, nil},
		{"all at once", 2, health.SLOOptions{Period: time.Minute, Rules: []health.BurnRule{
			{Long: time.Hour, Short: time.Hour, Factor: math.Inf(1)}, {Long: time.Second, Factor: math.NaN()}, {Long: 20 * time.Second, Short: time.Second, Factor: -1},
		}}, []string{"objective", "Rules[0].Long: found 1h0m0s, want 10s to the period of 1m0s", "Rules[0].Short: found 1h0m0s, want 40s to 30m0s", "Rules[0].Factor: found +Inf", "Rules[1].Long", "Rules[1].Short", "Rules[1].Factor: found NaN", "Rules[2].Factor: found -1"}},
		{"a period of less", 0.9, health.SLOOptions{Period: -1, Rules: []health.BurnRule{}}, []string{"Period: found -1ns"}},
		{"the default rules, for too little", 0.9, health.SLOOptions{}, []string{"Rules[0].Factor: 14.4 × (1 - 0.9) = 1.44", "Rules[1].Factor"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := health.NewSLO(tt.objective, tt.options)
			if tt.want == nil {
				require.NoError(t, err)
				return
			}
			require.Nil(t, s)
			require.ErrorIs(t, err, health.ErrInvalid)
			require.Len(t, strings.Split(err.Error(), "\n"), len(tt.want), err)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

// TestSLOOutage: a total outage after a quiet hour fires when its share of the long
// window is Factor times what is allowed, and is over soon after it has ended.
func TestSLOOutage(t *testing.T) {
	for _, tt := range []struct {
		objective    float64
		slow, steady time.Duration // until the hour's rule fires, and the fast one
	}{
		{0.999, 52 * time.Second, 500 * time.Millisecond},
		{0.99, 518 * time.Second, 4400 * time.Millisecond},
	} {
		s := newSLO(t, tt.objective)
		now := noon
		for range 3600 * 10 {
			s.Record(now, health.Success)
			now = now.Add(100 * time.Millisecond)
		}
		require.False(t, s.Snapshot(now).Firing())
		fired := [4]time.Duration{}
		began := now
		for now.Sub(began) < 20*time.Minute {
			s.Record(now, health.Failure)
			now = now.Add(100 * time.Millisecond)
			if past := now.Sub(began); past > 10*time.Second && past%time.Second != 0 {
				continue
			}
			for i, b := range s.Snapshot(now).Burns {
				if b.Firing && fired[i] == 0 {
					fired[i] = now.Sub(began)
				}
			}
		}
		require.InDelta(t, tt.slow.Seconds(), fired[1].Seconds(), 10, "the hour, %v", tt.objective)
		require.InDelta(t, tt.steady.Seconds(), fired[0].Seconds(), 0.5, "the half minute, %v", tt.objective)
		ended := now
		quiet := [4]time.Duration{}
		for now.Sub(ended) < 20*time.Minute {
			s.Record(now, health.Success)
			now = now.Add(100 * time.Millisecond)
			if now.Sub(ended)%time.Second != 0 {
				continue
			}
			for i, b := range s.Snapshot(now).Burns {
				if !b.Firing && quiet[i] == 0 {
					quiet[i] = now.Sub(ended)
				}
			}
		}
		require.Less(t, quiet[0], 6*time.Second)
		require.Less(t, quiet[1], 5*time.Minute+10*time.Second, "the short window clears it")
		hour := s.Snapshot(now).Burns[1]
		rate, _ := hour.Long.Rate()
		require.Greater(t, rate, 14.4, "the long one would go on")
		require.Contains(t, hour.String(), "quiet: it has ended")
	}
}

func TestSLOBothWindows(t *testing.T) {
	rule := health.BurnRule{Long: time.Hour, Short: 5 * time.Minute, Factor: 5, MinRequests: 200, MinFailures: 20}
	for _, tt := range []struct {
		name                   string
		good, bad, then, thens int // in the first 50 minutes; then good and bad in the last 4
		want                   bool
		says                   string
	}{
		{"both", 1000, 200, 100, 100, true, "firing"},
		{"only the long one", 1000, 400, 400, 0, false, "it has ended"},
		{"only the short one", 9000, 0, 10, 90, false, "not for long enough"},
		{"neither", 1000, 5, 100, 0, false, ": quiet ("},
		{"too few requests", 0, 50, 0, 149, false, "fewer than 200 requests or 20 failures"},
		{"just enough requests", 0, 50, 0, 150, true, "firing"},
		{"too few failures", 90, 4, 95, 15, false, "fewer than 200 requests or 20 failures"},
		{"just enough failures", 90, 4, 95, 16, true, "firing"},
		{"just as fast as allowed", 1800, 50, 100, 50, false, "not for long enough"}, // 100 of 2,000 is 5 times: not more
		{"silence since", 1000, 400, 0, 0, false, "it has ended"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSLO(t, 0.99, rule)
			record(s, noon, 50*time.Minute, tt.good, health.Success)
			record(s, noon, 50*time.Minute, tt.bad, health.Failure)
			record(s, noon.Add(55*time.Minute), 4*time.Minute, tt.then, health.Success)
			record(s, noon.Add(55*time.Minute), 4*time.Minute, tt.thens, health.Failure)
			record(s, noon, time.Minute, 1000, health.Excluded)
			b := s.Snapshot(noon.Add(59 * time.Minute)).Burns[0]
			require.EqualValues(t, tt.good+tt.bad+tt.then+tt.thens, b.Long.Requests)
			require.EqualValues(t, tt.bad+tt.thens, b.Long.Failures)
			require.EqualValues(t, tt.then+tt.thens, b.Short.Requests)
			require.EqualValues(t, tt.thens, b.Short.Failures)
			require.Equal(t, tt.want, b.Firing, b)
			require.Contains(t, b.String(), tt.says)
		})
	}
}

// TestSLOExpires: a reader finds nothing that is older than a window and a step, and
// everything that is not as old as the window, whatever the order of the writers.
func TestSLOExpires(t *testing.T) {
	s := newSLO(t, 0.999)
	random := rand.New(rand.NewPCG(1, 2))
	type outcome struct {
		at     time.Time
		failed bool
	}
	var all []outcome
	now := noon
	for range 5_000 {
		gap := time.Second
		if random.IntN(20) == 0 {
			gap = time.Hour
		}
		now = now.Add(time.Duration(random.ExpFloat64() * float64(gap)))
		one := outcome{now.Add(-time.Duration(random.Int64N(int64(5 * time.Second)))), random.IntN(10) == 0} // in no order
		all = append(all, one)
		class := health.Success
		if one.failed {
			class = health.Failure
		}
		s.Record(one.at, class)
		if random.IntN(50) > 0 {
			continue
		}
		read := now.Add(time.Duration(random.Int64N(int64(time.Minute))))
		in := func(window time.Duration) (n, failures uint64) {
			for _, o := range all {
				if o.at.After(read.Add(-window)) {
					if n++; o.failed {
						failures++
					}
				}
			}
			return n, failures
		}
		check := func(window, step time.Duration, got health.Spent) {
			n, failures := in(window)
			more, moreFailures := in(window + step + time.Microsecond)
			require.True(t, got.Requests >= n && got.Requests <= more, "%v: %d, want %d to %d", window, got.Requests, n, more)
			require.True(t, got.Failures >= failures && got.Failures <= moreFailures, window)
			require.InDelta(t, 0.001*float64(got.Requests), got.Allowed, 1e-9)
		}
		report := s.Snapshot(read)
		for _, b := range report.Burns {
			check(b.Rule.Long, b.Rule.Long/360, b.Long)
			check(b.Rule.Short, b.Rule.Long/360, b.Short)
		}
		check(report.Period, report.Period/360, report.Spent)
	}
	require.Greater(t, now.Sub(noon), 8*24*time.Hour)
	empty := s.Snapshot(now.Add(60 * 24 * time.Hour))
	require.Zero(t, empty.Spent.Requests)
	_, ok := empty.Spent.Rate()
	require.False(t, ok)
	_, ok = empty.Burns[0].Short.Left()
	require.False(t, ok)
}

func TestSLOConcurrent(t *testing.T) {
	s := newSLO(t, 0.999)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 5_000 {
				class := health.Success
				if i%10 == 0 {
					class = health.Failure
				}
				s.Record(noon.Add(time.Duration(i)*10*time.Millisecond+time.Duration(g)*time.Millisecond), class)
				if i%500 == 0 {
					for _, b := range s.Snapshot(noon.Add(time.Duration(i) * 10 * time.Millisecond)).Burns {
						if b.Long.Failures > b.Long.Requests {
							panic("more failures than requests")
						}
					}
				}
			}
		})
	}
	all.Wait()
	report := s.Snapshot(noon.Add(time.Minute))
	require.EqualValues(t, 40_000, report.Spent.Requests)
	require.EqualValues(t, 4_000, report.Spent.Failures)
	require.EqualValues(t, 40_000, report.Burns[1].Long.Requests)
}

func TestSLOLateAndEarly(t *testing.T) {
	s := newSLO(t, 0.999)
	s.Record(noon, health.Success)
	s.Record(noon.Add(-time.Second), health.Failure)
	s.Record(noon.Add(-100*24*time.Hour), health.Failure)
	require.EqualValues(t, 2, s.Snapshot(noon).Spent.Requests, "before the first, but in the window")
	require.Zero(t, s.Snapshot(noon.Add(-100*24*time.Hour)).Spent.Requests)
	for i := range 360 { // none of the steps was taken away by what came too early
		s.Record(noon.Add(time.Duration(i)*time.Second/12), health.Success)
	}
	require.EqualValues(t, 362, s.Snapshot(noon.Add(30*time.Second)).Spent.Requests)
	require.EqualValues(t, 361, s.Snapshot(noon.Add(30 * time.Second)).Burns[0].Long.Requests)

	end := noon.Add(20 * 24 * time.Hour)
	s.Record(end, health.Success)
	s.Record(end.Add(-363*10*time.Second), health.Failure) // the same place in the hour's ring, a lap ago
	report := s.Snapshot(end)
	require.EqualValues(t, 364, report.Spent.Requests)
	require.EqualValues(t, 1, report.Burns[1].Long.Requests, "too late for the hour, and not in the way of what is in it")
}

// TestSLOExceeds: as fast as Factor is not faster.
func TestSLOExceeds(t *testing.T) {
	s := newSLO(t, 0.5, health.BurnRule{Long: time.Hour, Short: 5 * time.Minute, Factor: 1.5})
	record(s, noon, time.Minute, 100, health.Success)
	record(s, noon, time.Minute, 300, health.Failure)
	require.False(t, s.Snapshot(noon.Add(time.Minute)).Firing())
	s.Record(noon, health.Failure)
	require.True(t, s.Snapshot(noon.Add(time.Minute)).Firing())
}

func TestSLORecordAllocatesNothing(t *testing.T) {
	s := newSLO(t, 0.999)
	now := noon
	s.Record(now, health.Success)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		now = now.Add(time.Second)
		s.Record(now, health.Failure)
	}))
}

func TestSLOReportPrints(t *testing.T) {
	s := newSLO(t, 0.99, health.BurnRule{Long: time.Hour, Short: 5 * time.Minute, Factor: 5})
	require.Equal(t, "objective 99 %: no requests\n\t1h/5m above 5×: quiet (1h: no requests; 5m: no requests)", s.Snapshot(noon).String())
	text, err := json.Marshal(s.Snapshot(noon))
	require.NoError(t, err)
	require.NotContains(t, string(text), "rate")
	record(s, noon, time.Minute, 900, health.Success)
	record(s, noon, time.Minute, 100, health.Failure)
	report := s.Snapshot(noon.Add(2 * time.Minute))
	require.Equal(t, "objective 99 %: 2m 0s of 720h seen: -900 % of its budget left, 100 of 10 allowed failures\n\t1h/5m above 5×: firing (2m 0s of 1h: 10× of 1,000 requests, 10.0 % fail; 2m 0s of 5m: 10× of 1,000 requests, 10.0 % fail)", report.String())
	text, err = json.Marshal(report.Burns[0])
	require.NoError(t, err)
	require.JSONEq(t, `{"rule":{"long":3600000000000,"short":300000000000,"factor":5,"min_requests":100,"min_failures":3},"long":{"covered":120000000000,"requests":1000,"failures":100,"allowed":10,"rate":10,"left":-9},"short":{"covered":120000000000,"requests":1000,"failures":100,"allowed":10,"rate":10,"left":-9},"firing":true}`,
		strings.NewReplacer("10.000000000000009", "10", "9.999999999999991", "10", "-8.999999999999991", "-9").Replace(string(text)))
	require.Contains(t, report.LogValue().String(), "firing=true covered=2m0s")

	s.Record(noon.Add(30*24*time.Hour), health.Success)
	report = s.Snapshot(noon.Add(30*24*time.Hour + time.Hour))
	require.Equal(t, report.Period, report.Spent.Covered)
	require.Equal(t, "objective 99 %: -899 % of the budget of 720h left, 100 of 10 allowed failures\n\t1h/5m above 5×: quiet (1h: 0× of 1 request, 0 % fail; 5m: no requests)", report.String())
}

// TestSLOYoung: an outage right after the start fires, and the report says how little it
// is about.
func TestSLOYoung(t *testing.T) {
	s := newSLO(t, 0.999)
	require.Zero(t, s.Snapshot(noon).Spent.Covered)
	record(s, noon, 8*time.Second, 800, health.Failure)
	require.Zero(t, s.Snapshot(noon.Add(-time.Second)).Spent.Covered)
	report := s.Snapshot(noon.Add(8 * time.Second))
	require.True(t, report.Burns[1].Firing)
	require.Equal(t, 8*time.Second, report.Spent.Covered)
	require.Equal(t, 8*time.Second, report.Burns[0].Long.Covered)
	require.Equal(t, 5*time.Second, report.Burns[0].Short.Covered)
	require.Contains(t, report.String(), ": 8s of 720h seen: ")
	require.Contains(t, report.String(), "(8s of 1h: 1,000× of 800 requests")
}

func TestSLOMiddleware(t *testing.T) {
	for _, tt := range []struct {
		name     string
		classify func(health.Response) health.Class
		want     uint64
	}{
		{"by status", nil, 1},
		{"as the host says", func(r health.Response) health.Class {
			if r.Status == http.StatusOK {
				return health.Success
			}
			return health.Failure
		}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := health.NewSLO(0.999, health.SLOOptions{Classify: tt.classify})
			require.NoError(t, err)
			for _, code := range []int{200, 302, 418, 503} {
				answer := httptest.NewRecorder()
				s.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(code)
				})).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
				require.Equal(t, code, answer.Code)
			}
			spent := s.Snapshot(time.Now()).Spent
			require.EqualValues(t, 4, spent.Requests)
			require.Equal(t, tt.want, spent.Failures)
		})
	}
}

func BenchmarkSLORecord(b *testing.B) {
	s := newSLO(b, 0.999)
	b.ReportAllocs()
	now := noon
	for b.Loop() {
		now = now.Add(time.Millisecond)
		s.Record(now, health.Success)
	}
}
