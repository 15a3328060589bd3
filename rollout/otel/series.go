package otel

import (
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/guidon-go/guidon/flag"
)

// names tell a series from others of its instrument. They are valid UTF-8.
type names [3]string

// overflow stands for all that are too many; it is no names, as it is not UTF-8. The
// attribute is not otel.metric.overflow, at which an SDK takes its own limit for reached.
var overflow = names{"\xff"}

// as is the names as attributes.
func (n names) as(keys ...attribute.Key) metric.MeasurementOption {
	if n == overflow {
		return metric.WithAttributes(attribute.Bool("guidon.overflow", true))
	}
	var attrs []attribute.KeyValue
	for i, key := range keys {
		attrs = append(attrs, key.String(n[i]))
	}
	return metric.WithAttributes(attrs...)
}

// mostSeries is how many one instrument has unless told otherwise.
const mostSeries = 1000

// series bounds how many there are of one instrument.
type series struct {
	limit int
	mu    sync.Mutex // guards kept, as there may be several readers
	kept  map[names]struct{}
}

func newSeries(limit int) *series { return &series{limit: limit, kept: map[names]struct{}{}} }

// of is the names that are told, or overflow.
func (s *series) of(n names) names {
	for i := range n {
		n[i] = bounded(n[i])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.kept[n]; !ok {
		if len(s.kept) >= s.limit {
			return overflow
		}
		s.kept[n] = struct{}{}
	}
	return n
}

// tally sums counts of flags, and does not fall when one goes, or begins anew.
type tally struct {
	series *series
	mu     sync.Mutex
	last   map[names]int64 // as collected the last time, by flag and variant
	past   map[names]int64 // what those had counted that are gone, by series
}

// sums is what to tell, by series.
func (t *tally) sums(flags *flag.Store) map[names]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, sums := map[names]int64{}, map[names]int64{}
	for f := range flags.All() {
		for _, variant := range slices.Sorted(maps.Keys(f.Counts)) {
			n := names{f.Key, variant}
			now[n] = int64(f.Counts[variant])
			sums[t.series.of(n)] += now[n]
		}
	}
	for n, count := range t.last {
		if now[n] < count {
			t.past[t.series.of(n)] += count
		}
	}
	t.last = now
	for n, count := range t.past {
		if _, is := sums[n]; is || n == overflow { // a series of its own goes with its flag, and comes back with it
			sums[n] += count
		}
	}
	return sums
}
