package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	nanoseconds = "ns/op"
	bytesPerOp  = "B/op"
	allocsPerOp = "allocs/op"
)

var scenarios = []string{"S1", "S2", "S3", "S4", "S5", "S6cycle10k", "handlerS3", "ten"}

// others are benchmarks without a row for each system.
var others = []string{
	"Context/S2/guidon-ref", "Context/S2/guidon-ref-counted", "Middleware/bare", "Middleware/guidon",
	"Compile/guidon", "Compile/json-any",
}

// write prints every table.
func (r *results) write(w io.Writer) {
	loop, _ := r.of("Loop", nanoseconds)
	fmt.Fprintf(w, "The loop itself is %s ns of every figure. The passes differ by a factor of %.2f (largest by smallest, median).\n",
		number(loop), r.spread("Eval/"))
	r.writeEval(w)
	r.writeAllocs(w)
	r.writeParallel(w)
	r.writeUpdate(w)
	r.writeOthers(w)
	r.writeMemory(w)
}

func (r *results) writeEval(w io.Writer) {
	title(w, "Evaluation, ns")
	header(w, append([]string{""}, scenarios...))
	for _, system := range r.systems {
		cells := []string{system}
		for _, scenario := range scenarios {
			cells = append(cells, cell(r.of(eval(scenario, system), nanoseconds)))
		}
		row(w, cells)
	}
	for _, by := range [][2]string{
		{"guidon-ref", "floor-ref"}, {"guidon-key", "floor-key"},
		{"guidon-ref-counted", "floor-ref"}, {"guidon-key-counted", "floor-key"},
	} {
		cells := []string{by[0] + " / " + by[1]}
		for _, scenario := range scenarios {
			cells = append(cells, factor(r.ratio(eval(scenario, by[0]), eval(scenario, by[1]))))
		}
		row(w, cells)
	}
}

func (r *results) writeAllocs(w io.Writer) {
	title(w, "Evaluation, B / allocations")
	header(w, append([]string{""}, scenarios...))
	for _, system := range r.systems {
		cells := []string{system}
		for _, scenario := range scenarios {
			cells = append(cells, cell(r.of(eval(scenario, system), bytesPerOp))+" / "+cell(r.of(eval(scenario, system), allocsPerOp)))
		}
		row(w, cells)
	}
}

func (r *results) writeParallel(w io.Writer) {
	title(w, "S2 in parallel, ns")
	header(w, []string{"", "-cpu 1", "-cpu 2", "faster by"})
	for _, system := range r.systems {
		alone, together := "Parallel/S2/"+system, "Parallel/S2/"+system+"-2"
		row(w, []string{
			system, cell(r.of(alone, nanoseconds)), cell(r.of(together, nanoseconds)), factor(r.ratio(alone, together)),
		})
	}
}

func (r *results) writeUpdate(w io.Writer) {
	title(w, "One flag of 10,000 changed")
	header(w, []string{"", "ns", "B", "allocations"})
	for _, system := range r.systems {
		if _, ok := r.of("Update/"+system, nanoseconds); ok {
			r.writeCosts(w, system, "Update/"+system)
		}
	}
}

func (r *results) writeOthers(w io.Writer) {
	title(w, "Contexts, requests, documents")
	header(w, []string{"", "ns", "B", "allocations"})
	for _, name := range others {
		r.writeCosts(w, name, name)
	}
	if by, ok := r.ratio("Compile/guidon", "Compile/json-any"); ok {
		fmt.Fprintf(w, "\nCompile/guidon / Compile/json-any: %.2f\n", by)
	}
}

func (r *results) writeCosts(w io.Writer, title, name string) {
	cells := []string{title}
	for _, unit := range []string{nanoseconds, bytesPerOp, allocsPerOp} {
		cells = append(cells, cell(r.of(name, unit)))
	}
	row(w, cells)
}

func (r *results) writeMemory(w io.Writer) {
	title(w, "Live heap of one S3 flag of 10,000")
	header(w, []string{"", "B"})
	for _, system := range []string{"guidon", "guidon-counted", "launchdarkly", "growthbook", "statsig"} {
		row(w, []string{system, cell(r.of("Memory/"+system, "B/flag"))})
	}
}

func eval(scenario, system string) string { return "Eval/" + scenario + "/" + system }

func title(w io.Writer, text string) { fmt.Fprintf(w, "\n### %s\n\n", text) }

func header(w io.Writer, cells []string) {
	row(w, cells)
	fmt.Fprintln(w, "|---"+strings.Repeat("|--:", len(cells)-1)+"|")
}

func row(w io.Writer, cells []string) { fmt.Fprintln(w, "| "+strings.Join(cells, " | ")+" |") }

func cell(v float64, ok bool) string {
	if !ok {
		return "-"
	}
	return number(v)
}

func factor(v float64, ok bool) string {
	if !ok {
		return "-"
	}
	return fmt.Sprintf("%.2f", v)
}

// number writes two digits or more, and a comma before every three.
func number(v float64) string {
	if v < 10 && v != float64(int(v)) {
		return fmt.Sprintf("%.1f", v)
	}
	digits := strconv.Itoa(int(v + 0.5))
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
