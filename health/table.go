package health

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/internal/evidence"
)

const (
	maxSlow   = 4    // thresholds of latency
	maxTables = 64   // ramps that are counted by bucket
	maxFirsts = 4096 // kinds of coins
)

// Table is what happened at one ramp, by bucket of slots: 1,000 buckets of 100
// slots each. Only ramps that end where a bucket ends, at whole steps of 0.1 %,
// have one; the table of the history has Ramp at the floor.
type Table struct {
	Ramp   int32  `json:"ramp"`   // in slots
	Counts Counts `json:"counts"` // a row for each bucket: see [Table.Row]
}

// tableWidth is how many counts a row has: see [Table.Row].
func tableWidth(slow []time.Duration) int { return 2*(len(slow)+1) + 1 }

// Row is what one bucket counted: first the successes that were faster than all
// of [CohortsOptions.Slow], then those slower than the first of them, than the
// second, and so on; then the failures in the same order; last, of the failures,
// how many are kept for [NoHarm].
func (t Table) Row(bucket int) []uint32 {
	width := len(t.Counts) / evidence.Buckets
	return t.Counts[bucket*width : (bucket+1)*width]
}

// events picks what a signal counts. For [Latency] it is the outcomes above the
// given threshold.
func (t Table) events(signal Signal, level int) evidence.Events {
	e := evidence.Events{Count: make([]uint32, evidence.Buckets), Requests: make([]uint32, evidence.Buckets)}
	levels := (len(t.Counts)/evidence.Buckets - 1) / 2
	for m := range evidence.Buckets {
		row := t.Row(m)
		for i, n := range row[:2*levels] {
			e.Requests[m] += n
			switch signal {
			case Errors:
				if i >= levels {
					e.Count[m] += n
				}
			case Latency:
				if i%levels > level {
					e.Count[m] += n
				}
			}
		}
		if signal == kept {
			e.Count[m] = row[2*levels]
		}
	}
	return e
}

// Counts is a list of counts. In JSON and other text it is one base64 string of
// varints, runs of zeros shortened.
type Counts []uint32

// MarshalText encodes the counts.
func (c Counts) MarshalText() ([]byte, error) {
	raw := binary.AppendUvarint(nil, uint64(len(c)))
	for i := 0; i < len(c); i++ {
		raw = binary.AppendUvarint(raw, uint64(c[i]))
		if c[i] == 0 {
			run := 1
			for i+run < len(c) && c[i+run] == 0 {
				run++
			}
			raw = binary.AppendUvarint(raw, uint64(run))
			i += run - 1
		}
	}
	return base64.StdEncoding.AppendEncode(nil, raw), nil
}

// UnmarshalText decodes what MarshalText wrote; other text is [ErrInvalid].
func (c *Counts) UnmarshalText(text []byte) error {
	raw, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("%w: counts: %w", ErrInvalid, err)
	}
	// A malformed number reads as more than any count may be.
	const most = 1<<32 - 1
	next := func() uint64 {
		v, n := binary.Uvarint(raw)
		if n <= 0 {
			raw = nil
			return most + 1
		}
		raw = raw[n:]
		return v
	}
	size := next()
	if size > evidence.Buckets*(2*maxSlow+3) {
		return fmt.Errorf("%w: counts: too many, or cut short", ErrInvalid)
	}
	counts := make(Counts, 0, size)
	for uint64(len(counts)) < size {
		v, run := next(), uint64(1)
		if v == 0 {
			run = next()
		}
		if v > most || run == 0 || run > size-uint64(len(counts)) {
			return fmt.Errorf("%w: counts: malformed after %d", ErrInvalid, len(counts))
		}
		counts = counts[:uint64(len(counts))+run]
		if v > 0 {
			counts[len(counts)-1] = uint32(v)
		}
	}
	if len(raw) > 0 {
		return fmt.Errorf("%w: counts: %d bytes too many", ErrInvalid, len(raw))
	}
	*c = counts
	return nil
}

// table is a Table that is counted into by many goroutines at once. Without
// counts it counts nothing.
type table struct {
	ramp   int32
	width  int
	counts []atomic.Uint32
}

// count adds one outcome to its bucket: see [Table.Row].
func (t *table) count(o Outcome, level, levels int) {
	if o.Class != Success {
		level += levels + 1
	}
	t.add(o.Slot, level)
}

func (t *table) add(slot int32, column int) {
	if t.counts != nil {
		t.counts[int(slot/evidence.BucketSlots)*t.width+column].Add(1)
	}
}

// table finds or begins the table of a ramp. At the floor and below it is the
// history.
func (c *Cohorts) table(ramp int32) *table {
	ramp = min(max(ramp, c.o.Floor), bucket.Slots)
	t := c.find(ramp)
	if tables := *c.tables.Load(); c.o.Strict > 0 && t != nil && t != tables[len(tables)-1] {
		t = &table{ramp: ramp} // a step that is over
	} else if t == nil {
		c.mu.Lock()
		t = c.begin(ramp)
		c.mu.Unlock()
	}
	c.current.Store(t)
	return t
}

func (c *Cohorts) find(ramp int32) *table {
	for _, t := range *c.tables.Load() {
		if t.ramp == ramp {
			return t
		}
	}
	return nil
}

// begin begins the table of a ramp, if there is none. Where there cannot be one,
// because the ramp cuts a bucket in two, or there are too many, or in strict mode
// after a higher one, it is a table that counts nothing. Called with mu held.
func (c *Cohorts) begin(ramp int32) *table {
	if t := c.find(ramp); t != nil {
		return t
	}
	tables := *c.tables.Load()
	at := 0
	for at < len(tables) && tables[at].ramp < ramp {
		at++
	}
	t := &table{ramp: ramp, width: tableWidth(c.o.Slow)}
	if ramp != c.o.Floor && ramp%evidence.BucketSlots != 0 || len(tables) >= maxTables || c.o.Strict > 0 && at < len(tables) {
		return t
	}
	t.counts = make([]atomic.Uint32, t.width*evidence.Buckets)
	tables = slices.Insert(slices.Clone(tables), at, t)
	c.tables.Store(&tables)
	return t
}

// snapshotTables copies all tables.
func (c *Cohorts) snapshotTables() []Table {
	var all []Table
	for _, t := range *c.tables.Load() {
		counts := make(Counts, len(t.counts))
		for i := range counts {
			counts[i] = t.counts[i].Load()
		}
		all = append(all, Table{t.ramp, counts})
	}
	return all
}

// addTables sums two lists of tables, each ascending by ramp, into a new one; it
// says where they do not fit.
func addTables(a, b []Table) ([]Table, error) {
	if len(a) > maxTables || len(b) > maxTables {
		return nil, fmt.Errorf("%w: %d tables, want at most %d", ErrInvalid, max(len(a), len(b)), maxTables)
	}
	sum := slices.Clone(a)
	for _, t := range b {
		i, found := slices.BinarySearchFunc(sum, t.Ramp, func(t Table, ramp int32) int { return int(t.Ramp - ramp) })
		if !found {
			sum = slices.Insert(sum, i, t)
			continue
		}
		if len(sum[i].Counts) != len(t.Counts) {
			return nil, fmt.Errorf("%w: tables of ramp %d have %d and %d counts", ErrInvalid, t.Ramp, len(sum[i].Counts), len(t.Counts))
		}
		counts := slices.Clone(sum[i].Counts)
		for j, n := range t.Counts {
			if counts[j]+n < n {
				return nil, fmt.Errorf("%w: tables of ramp %d: more than can be counted", ErrInvalid, t.Ramp)
			}
			counts[j] += n
		}
		sum[i].Counts = counts
	}
	return sum, nil
}

// tablesSince returns what tables have counted more than earlier ones of the same cohorts.
func tablesSince(now, before []Table) []Table {
	var more []Table
	for _, t := range now {
		counts, any := slices.Clone(t.Counts), false
		for _, old := range before {
			if old.Ramp != t.Ramp {
				continue
			}
			for i := range old.Counts {
				counts[i] -= old.Counts[i]
			}
		}
		for _, n := range counts {
			any = any || n > 0
		}
		if any {
			more = append(more, Table{t.Ramp, counts})
		}
	}
	return more
}

// tablesFloor is the ramp of the table before the one of this ramp, or the floor,
// or below zero if there is no table.
func tablesFloor(tables []Table, ramp, floor int32) int32 {
	before := floor
	for _, t := range tables {
		if t.Ramp == ramp {
			return before
		}
		before = t.Ramp
	}
	return -1
}
