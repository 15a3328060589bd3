package prometheus

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	client "github.com/prometheus/client_golang/prometheus"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
)

// Options say what a [Collector] shows. What is nil is not shown; the zero value
// shows nothing.
type Options struct {
	Flags *flag.Store // what they serve, and how often
	// Windows are shown by the name they have here, as the label window. The map must
	// not change after [New].
	Windows map[string]*health.Window
	Checks  *health.Monitor // how its checks stand
	// Engine is shown by the rollouts that are not over, and by the delivery metrics.
	Engine *rollout.Engine
	// Guards are shown by what both sides of their flags have done.
	Guards []*rollout.Guard
	// Period is what the delivery metrics cover, up to now. Zero means 30 days.
	Period time.Duration
	// Reread is how old the delivery metrics may be: measuring them reads the whole
	// journal. Zero means a minute.
	Reread time.Duration
	// MaxSeries is how many series there are at most, one for each histogram. Flags come
	// last, in the order of their keys, so that it is they that are left out first. Zero
	// means 100,000.
	MaxSeries int
	// OnProblem is told of what a scrape had to leave out, once for each scrape, on its
	// goroutine and outside any lock; many may be told at once, and its panics are
	// logged. Nil is nobody: guidon_collector_left_out says how much it is.
	OnProblem func(error)
}

// Collector shows flags, windows, checks, rollouts and delivery metrics to Prometheus.
// Register it once; it reads when it is scraped, and starts nothing. It is safe for
// concurrent use. What it cannot read, or cannot tell Prometheus, is left out and
// counted, and never fails the scrape, in which a host's own metrics are, too. Make one
// with [New].
type Collector struct {
	o Options

	mu       sync.Mutex // held while the journal is measured
	measured time.Time  // when delivery was
	delivery []rollout.Delivery
	unread   error // why it could not be
}

// New returns a collector. It reads nothing yet.
func New(o Options) *Collector {
	o.Period, o.Reread = cmp.Or(max(o.Period, 0), 30*24*time.Hour), cmp.Or(max(o.Reread, 0), time.Minute)
	if o.MaxSeries <= 0 {
		o.MaxSeries = 100_000
	}
	return &Collector{o: o}
}

var described []*client.Desc

// metric describes one, for Describe and for who shows it.
func metric(name, help string, labels ...string) *client.Desc {
	d := client.NewDesc("guidon_"+name, help, labels, nil)
	described = append(described, d)
	return d
}

var leftOut = metric("collector_left_out", "Series that this scrape had to leave out, by where they come from: beyond the limit, not UTF-8, or not readable.", "source")

// Describe tells the registry of every metric.
func (*Collector) Describe(ch chan<- *client.Desc) {
	for _, d := range described {
		ch <- d
	}
}

// Collect shows how all stands now.
func (c *Collector) Collect(ch chan<- client.Metric) {
	s := &scrape{ch: ch, room: c.o.MaxSeries, now: time.Now()}
	sources := []struct {
		name string
		show func(*scrape)
		on   bool
	}{ // what is few and matters comes first
		{"rollouts", c.rollouts, c.o.Engine != nil},
		{"guards", c.guards, len(c.o.Guards) > 0},
		{"checks", c.checks, c.o.Checks != nil},
		{"delivery", c.deliveries, c.o.Engine != nil},
		{"windows", c.windows, len(c.o.Windows) > 0},
		{"flags", c.flags, c.o.Flags != nil},
	}
	var problems []error
	for _, source := range sources {
		if !source.on {
			continue
		}
		s.left, s.why = 0, nil
		source.show(s)
		ch <- client.MustNewConstMetric(leftOut, client.GaugeValue, float64(s.left), source.name)
		if s.left > 0 {
			problems = append(problems, fmt.Errorf("prometheus: %s: %d series left out: %w", source.name, s.left, s.why))
		}
	}
	if c.o.OnProblem != nil && problems != nil {
		contained("OnProblem", func() { c.o.OnProblem(errors.Join(problems...)) })
	}
}

// contained calls what is the host's, and logs its panic.
func contained(what string, call func()) {
	defer func() {
		if p := recover(); p != nil {
			slog.Default().Error("prometheus: "+what+" panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	call()
}

var errFull = errors.New("there are more than Options.MaxSeries")

// scrape is one call of Collect.
type scrape struct {
	ch   chan<- client.Metric
	now  time.Time
	room int   // how many series there is room for
	left int   // how many of this source were left out
	why  error // the first reason
}

func (s *scrape) gauge(d *client.Desc, value float64, labels ...string) {
	s.add(client.NewConstMetric(d, client.GaugeValue, value, labels...))
}

func (s *scrape) counter(d *client.Desc, value uint64, labels ...string) {
	s.add(client.NewConstMetric(d, client.CounterValue, float64(value), labels...))
}

// since shows a moment, if there is one.
func (s *scrape) since(d *client.Desc, at time.Time, labels ...string) {
	if !at.IsZero() {
		s.gauge(d, float64(at.UnixMilli())/1000, labels...)
	}
}

// states shows one series for each state, of which the present one is 1.
func states[T fmt.Stringer](s *scrape, d *client.Desc, now T, all []T, labels ...string) {
	for _, state := range all {
		s.gauge(d, bit(state.String() == now.String()), append(labels[:len(labels):len(labels)], state.String())...)
	}
}

func (s *scrape) add(m client.Metric, err error) {
	if err == nil && s.room <= 0 {
		err = errFull
	}
	if err != nil {
		s.miss(err)
		return
	}
	s.room--
	s.ch <- m
}

func (s *scrape) miss(err error) {
	s.left++
	s.why = cmp.Or(s.why, err)
}

func bit(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
