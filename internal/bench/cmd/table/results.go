package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// results are the figures of all passes.
type results struct {
	cpu     string
	least   bool     // whether to take the least instead of the median
	systems []string // in the order in which they were met
	figures map[figure][]float64
}

// figure is one thing that is measured: a benchmark, with the -cpu that the testing
// package puts behind its name, and a unit.
type figure struct{ name, unit string }

func newResults() *results { return &results{figures: map[figure][]float64{}} }

// read takes what a test binary prints.
func (r *results) read(output io.Reader) error {
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		line := lines.Text()
		if cpu, ok := strings.CutPrefix(line, "cpu: "); ok {
			r.cpu = cpu
		}
		fields := strings.Fields(line)
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(fields[0], "Benchmark")
		if path := strings.Split(name, "/"); path[0] == "Eval" && !slices.Contains(r.systems, path[2]) {
			r.systems = append(r.systems, path[2])
		}
		for i := 2; i+1 < len(fields); i += 2 { // after the name and the count: value, unit
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return fmt.Errorf("line %q: %w", line, err)
			}
			at := figure{name, fields[i+1]}
			r.figures[at] = append(r.figures[at], value)
		}
	}
	return lines.Err()
}

// of is the median of all passes, or the least; there is none of what was not
// measured.
func (r *results) of(name, unit string) (float64, bool) {
	values := slices.Sorted(slices.Values(r.figures[figure{name, unit}]))
	n := len(values)
	if n == 0 {
		return 0, false
	}
	if r.least {
		return values[0], true
	}
	return (values[(n-1)/2] + values[n/2]) / 2, true
}

// ratio is one figure by another one.
func (r *results) ratio(name, by string) (float64, bool) {
	a, ok := r.of(name, nanoseconds)
	b, too := r.of(by, nanoseconds)
	return a / b, ok && too
}

// spread is how far apart the passes were, largest by smallest: the median over
// everything whose name begins so.
func (r *results) spread(prefix string) float64 {
	var all []float64
	for f, values := range r.figures {
		if f.unit == nanoseconds && strings.HasPrefix(f.name, prefix) {
			all = append(all, slices.Max(values)/slices.Min(values))
		}
	}
	slices.Sort(all)
	if len(all) == 0 {
		return 1
	}
	return all[len(all)/2]
}
