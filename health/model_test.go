package health_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// TestMonitorIsTheModel lets monitors live for hours, with checks that fail, hang,
// panic, answer too late and are removed while they run, and compares what they report
// with what a slow and obvious model makes of everything that the probes saw.
func TestMonitorIsTheModel(t *testing.T) {
	seeds := uint64(4)
	if raceEnabled {
		seeds = 2
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { live(t, seed) })
		})
	}
}

func live(t *testing.T, seed uint64) {
	hours := 3 * time.Hour
	if raceEnabled || testing.Short() {
		hours = time.Hour
	}
	h := &history{t: t, rng: rand.New(rand.NewPCG(seed, 4)), concurrent: []int{1000, 3}[seed%2]}
	var err error
	h.m, err = health.NewMonitor(nil, health.MonitorOptions{Concurrent: h.concurrent, OnChange: h.changed, Grace: time.Minute})
	require.NoError(t, err)
	for range 8 {
		h.add()
	}
	h.start()
	for began := time.Now(); time.Since(began) < hours && !t.Failed(); {
		time.Sleep(h.upTo(time.Minute))
		switch h.rng.IntN(12) {
		case 0:
			h.add()
		case 1:
			h.remove()
		case 2:
			h.maintain()
		case 3:
			if h.rng.IntN(4) == 0 {
				h.stop()
				time.Sleep(h.upTo(3 * time.Minute))
				h.start()
				time.Sleep(h.upTo(time.Minute))
			}
		}
		synctest.Wait()
		h.compare()
	}
	h.stop()
	time.Sleep(10 * time.Minute) // the deaf ones return
	require.Greater(t, h.compared, 20)
	t.Logf("%d asks of %d checks, %d reports compared, %d changes told; statuses seen: %v", h.asks, h.made, h.compared, h.told, h.seen)
	for s := health.Unknown; s <= health.Maintenance; s++ {
		if h.seen[s] == 0 && hours > time.Hour {
			t.Errorf("no check was ever %v: the test has lost its teeth", s)
		}
	}
}

// history is a monitor, and all that happened to it.
type history struct {
	t          *testing.T
	rng        *rand.Rand
	m          *health.Monitor
	concurrent int
	cancel     context.CancelFunc
	ended      chan error
	made       int
	compared   int
	seen       map[health.Status]int

	mu     sync.Mutex // guards what follows
	checks []*life
	runs   int // how many there were
	asks   int
	told   int
	last   map[string]health.Status // told of
}

// life is one check from when it was added until it was removed.
type life struct {
	health.Check
	maintained  time.Time
	maintenance time.Time
	asks        []*ask
}

// ask is one call of a probe.
type ask struct {
	run         int
	began       time.Time
	ended       time.Time // zero: not yet
	kind        health.Kind
	dropped     bool // Run had ended, or the check was removed, before there was an answer
	atRunsStart bool
}

func (h *history) upTo(d time.Duration) time.Duration {
	return time.Duration(1 + h.rng.Int64N(int64(d)))
}

func (h *history) add() {
	h.made++
	l := &life{Check: health.Check{
		Name: fmt.Sprint("check-", h.made), Optional: h.rng.IntN(3) == 0, Interval: time.Second + h.upTo(20*time.Second),
		FailAfter: 1 + h.rng.IntN(4), PassAfter: 1 + h.rng.IntN(3), Startup: h.upTo(2 * time.Minute),
	}}
	l.Timeout = h.upTo(l.Interval/2) + time.Millisecond
	for _, other := range h.checks {
		if h.rng.IntN(8) == 0 && (l.Optional || !other.Optional) {
			l.Needs = append(l.Needs, other.Name)
		}
	}
	l.Probe = h.probe(l, rand.New(rand.NewPCG(h.rng.Uint64(), 4)))
	if err := h.m.Add(l.Check); err != nil {
		h.t.Fatal(err)
	}
	h.mu.Lock()
	h.checks = append(h.checks, l)
	h.mu.Unlock()
}

// probe does what probes do, in moods that last for a while.
func (h *history) probe(l *life, rng *rand.Rand) health.Probe {
	mood, left := 0, 0
	return func(ctx context.Context) (err error) {
		a := h.begin(l)
		defer func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			a.ended = time.Now()
		}()
		if left--; left < 0 {
			mood, left = rng.IntN(8), rng.IntN(30)
		}
		soon := time.Duration(rng.Int64N(int64(l.Timeout * 9 / 10)))
		switch do := rng.IntN(100); {
		case mood == 0 || mood == 1 && do < 50 || do < 2:
			time.Sleep(soon)
			a.kind = health.Failed
			return errDown
		case mood == 2 && do < 20 || do < 3:
			time.Sleep(l.Timeout + time.Duration(rng.Int64N(int64(l.Interval*6)))) // deaf
			a.kind = health.Passed
			return nil
		case mood == 3 && do < 80 || do < 4:
			time.Sleep(soon)
			a.kind = health.WasUnsure
			return health.Unsure(errDown)
		case mood == 4 && do < 50:
			a.kind = health.Warned
			return health.Warn(errDown)
		case mood == 4 && do < 60:
			<-ctx.Done()
			return ctx.Err()
		case do < 5:
			time.Sleep(soon)
			a.kind = health.Failed
			panic("a probe may")
		case do < 6:
			a.kind = health.Failed
			runtime.Goexit()
		case do < 8:
			a.kind = health.WasFatal
			return health.Fatal(errDown)
		}
		time.Sleep(soon)
		a.kind = health.Passed
		return nil
	}
}

// begin notes a call, and whether it may be.
func (h *history) begin(l *life) *ask {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := &ask{run: h.runs, began: time.Now(), atRunsStart: true}
	if n := len(l.asks); n > 0 {
		before := l.asks[n-1]
		a.atRunsStart = before.run != a.run
		if before.ended.IsZero() {
			h.t.Errorf("%s is asked twice at the same time", l.Name)
		}
		gap := a.began.Sub(before.began)
		inTime := before.ended.Sub(before.began) < l.Interval/2
		if h.concurrent > 100 && before.run == a.run && !before.atRunsStart && (gap < l.Interval*9/10 || inTime && gap > l.Interval*11/10) {
			h.t.Errorf("%s, every %v, is asked after %v", l.Name, l.Interval, gap)
		}
	}
	l.asks = append(l.asks, a)
	h.asks++
	running := 0
	for _, l := range h.checks {
		if n := len(l.asks); n > 0 && l.asks[n-1].ended.IsZero() && !l.asks[n-1].dropped && time.Since(l.asks[n-1].began) < l.Timeout {
			running++
		}
	}
	if running > h.concurrent {
		h.t.Errorf("%d probes run, want at most %d", running, h.concurrent)
	}
	return a
}

// drop forgets the answer that a check has not given yet.
func (l *life) drop() {
	if n := len(l.asks); n > 0 {
		a := l.asks[n-1]
		a.dropped = a.dropped || a.ended.IsZero() && time.Since(a.began) < l.Timeout
	}
}

func (h *history) start() {
	h.mu.Lock()
	h.runs++
	h.mu.Unlock()
	ctx, cancel := context.WithCancel(h.t.Context())
	h.cancel, h.ended = cancel, make(chan error, 1)
	go func() { h.ended <- h.m.Run(ctx) }()
}

func (h *history) stop() {
	synctest.Wait()
	h.mu.Lock()
	for _, l := range h.checks {
		l.drop()
	}
	h.mu.Unlock()
	h.cancel()
	// The deaf ones are left behind by this Run, or return in time.
	if err := <-h.ended; err != nil {
		require.ErrorContains(h.t, err, "do not return: check-")
	}
}

func (h *history) remove() {
	synctest.Wait()
	if len(h.checks) < 5 {
		return
	}
	i := h.rng.IntN(len(h.checks))
	name := h.checks[i].Name
	err := h.m.Remove(name)
	needed := slices.ContainsFunc(h.checks, func(l *life) bool { return slices.Contains(l.Needs, name) })
	if needed != errors.Is(err, health.ErrInvalid) {
		h.t.Errorf("needed: %v, but removing it gives %v", needed, err)
	}
	if err == nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.checks[i].drop()
		h.checks = slices.Delete(h.checks, i, i+1)
	}
}

func (h *history) maintain() {
	l := h.checks[h.rng.IntN(len(h.checks))]
	if !l.maintenance.After(time.Now()) {
		l.maintained = time.Now()
	}
	l.maintenance = time.Now().Add(h.upTo(3*time.Minute) - 30*time.Second)
	require.NoError(h.t, h.m.Maintain(l.Name, l.maintenance))
}

// changed sees to it that changes follow one another.
func (h *history) changed(c health.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil {
		h.last = map[string]health.Status{}
	}
	h.told++
	last, known := h.last[c.To.Name]
	if known && c.From.Status != last && c.From.Status != health.Maintenance || c.From.Status == c.To.Status {
		h.t.Errorf("%s is told to go from %v to %v, after %v", c.To.Name, c.From.Status, c.To.Status, last)
	}
	h.last[c.To.Name] = c.To.Status
}

// compare looks at the monitor and at the model.
func (h *history) compare() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.seen == nil {
		h.seen = map[health.Status]int{}
	}
	now, want := time.Now(), map[string]*health.CheckReport{}
	for _, l := range h.checks { // what is needed comes before what needs it
		c := l.model(now)
		for _, need := range slices.Backward(l.Needs) {
			switch n := want[need]; n.Status {
			case health.Unhealthy:
				c.Status, c.Since, c.CausedBy, c.Stale = health.Skipped, n.Since, need, false
			case health.Skipped:
				c.Status, c.Since, c.CausedBy, c.Stale = health.Skipped, n.Since, n.CausedBy, false
			}
		}
		if l.maintenance.After(now) {
			c.Status, c.Since, c.CausedBy, c.Stale = health.Maintenance, l.maintained, "", false
			c.Maintenance = l.maintenance
		}
		want[l.Name] = c
		h.seen[c.Status]++
	}
	report := h.m.Report()
	for _, got := range report.Checks {
		c := *got
		c.Overruns, c.Last.Err = 0, "" // hangs on the jitter; is not modelled
		c.Results, c.Wrong = speechless(c.Results), speechless(c.Wrong)
		if !reflect.DeepEqual(*want[c.Name], c) {
			h.t.Errorf("%v: want -, got +:\n%s", now, cmp.Diff(*want[c.Name], c))
		}
	}
	if len(report.Checks) != len(want) || report.Status != worst(want) {
		h.t.Errorf("got %v of %d checks, want %v of %d", report.Status, len(report.Checks), worst(want), len(want))
	}
	h.compared++
}

func speechless(results []health.Result) []health.Result {
	results = slices.Clone(results)
	for i := range results {
		results[i].Err = ""
	}
	return results
}

// worst is the status of the whole.
func worst(checks map[string]*health.CheckReport) health.Status {
	any := func(status health.Status, optional bool) bool {
		for _, c := range checks {
			if c.Status == status && c.Optional == optional {
				return true
			}
		}
		return false
	}
	switch {
	case any(health.Unhealthy, false):
		return health.Unhealthy
	case any(health.Unknown, false):
		return health.Unknown
	case any(health.Degraded, false), any(health.Degraded, true), any(health.Unhealthy, true):
		return health.Degraded
	case any(health.Healthy, false), any(health.Healthy, true):
		return health.Healthy
	}
	return health.Unknown
}

// model is what the check has come to, counted anew from all that its probe said.
func (l *life) model(now time.Time) *health.CheckReport {
	c := &health.CheckReport{Name: l.Name, Optional: l.Optional}
	var all, known []health.Result // known: since nothing was known
	status, shown, flapping, ever := health.Unknown, health.Unknown, false, false
	for _, r := range l.results(now) {
		if n := len(all); n > 0 && r.At.Add(r.Took).After(l.validUntil(all[n-1])) { // a gap
			known, status, flapping = nil, health.Unknown, false
			if shown != health.Unknown {
				shown, c.Since = health.Unknown, l.validUntil(all[n-1])
			}
		}
		all, known = append(all, r), append(known, r)
		ok, inARow, first := rows(known)
		switch {
		case r.Kind == health.WasUnsure:
			if len(all) >= l.FailAfter && !slices.ContainsFunc(all[len(all)-l.FailAfter:], func(r health.Result) bool { return r.Kind != health.WasUnsure }) {
				known, status, flapping = nil, health.Unknown, false
			}
		case ok && (status == health.Healthy || status == health.Degraded || inARow >= l.PassAfter):
			status, ever = health.Healthy, true
			if r.Kind == health.Warned {
				status = health.Degraded
			}
		case !ok && r.Kind == health.WasFatal,
			!ok && inARow >= l.FailAfter && (ever || r.At.Sub(l.asks[0].began) >= l.Startup):
			status = health.Unhealthy
		}
		if r.Kind != health.WasUnsure {
			changes := changes(known)
			flapping = changes > 0.5 || flapping && changes >= 0.25
		}
		before := shown
		if shown = status; flapping && status != health.Unknown {
			shown = health.Unhealthy
		}
		if shown != before {
			c.Since = r.At
			if up := ok && r.Kind != health.WasUnsure && before != health.Healthy && before != health.Degraded; status == health.Unhealthy || up {
				c.Since = first.At
			}
		}
	}
	c.Status, c.Flapping = shown, flapping
	if n := len(all); n > 0 {
		c.Last, c.ValidUntil = all[n-1], l.validUntil(all[n-1])
		if now.After(c.ValidUntil) && shown != health.Unknown {
			c.Status, c.Stale, c.Since = health.Unknown, true, c.ValidUntil
		}
	}
	if ok, n, _ := rows(known); ok {
		c.Passed = n
	} else {
		c.Failed = n
	}
	c.Results = all[max(0, len(all)-100):]
	for _, r := range all {
		if r.Kind != health.Passed && r.Kind != health.Warned {
			c.Wrong = append(c.Wrong, r)
		}
	}
	c.Wrong = c.Wrong[max(0, len(c.Wrong)-20):]
	if n := len(l.asks); n > 0 && l.asks[n-1].ended.IsZero() && (l.asks[n-1].dropped || now.Sub(l.asks[n-1].began) >= l.Timeout) {
		c.StuckSince = l.asks[n-1].began
	}
	return c
}

// results is what the probe's calls came to.
func (l *life) results(now time.Time) (all []health.Result) {
	for _, a := range l.asks {
		switch took := a.ended.Sub(a.began); {
		case a.dropped:
		case !a.ended.IsZero() && took < l.Timeout:
			all = append(all, health.Result{At: a.began, Took: took, Kind: a.kind})
		case now.Sub(a.began) >= l.Timeout:
			all = append(all, health.Result{At: a.began, Took: l.Timeout, Kind: health.Failed})
		}
	}
	return all
}

func (l *life) validUntil(r health.Result) time.Time {
	return r.At.Add(time.Duration(max(2, l.FailAfter))*(l.Interval+l.Interval/10) + l.Timeout)
}

// rows is whether the newest result that counts is a success, how many in a row are,
// or are not, and the first of them.
func rows(results []health.Result) (ok bool, n int, first health.Result) {
	for _, r := range slices.Backward(results) {
		good := r.Kind == health.Passed || r.Kind == health.Warned
		if r.Kind == health.WasUnsure {
			continue
		}
		if n > 0 && good != ok {
			break
		}
		ok, n, first = good, n+1, r
	}
	return ok, n, first
}

// changes is the share of changes among the newest 21 results that count, the newest
// change weighing 1.2 and the oldest of 20 weighing 0.8.
func changes(results []health.Result) (share float64) {
	var good []bool
	for _, r := range slices.Backward(results) { // newest first
		if len(good) == 21 {
			break
		}
		if r.Kind != health.WasUnsure {
			good = append(good, r.Kind == health.Passed || r.Kind == health.Warned)
		}
	}
	for i := 1; i < len(good); i++ {
		if good[i] != good[i-1] {
			share += (1.2 - 0.4*float64(i-1)/19) / 20
		}
	}
	return share
}
