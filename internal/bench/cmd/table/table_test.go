package main

import (
	"strings"
	"testing"
)

const twoPasses = `goos: linux
goarch: amd64
pkg: example.com/bench
cpu: Some CPU
BenchmarkLoop 	1000000	         1.5 ns/op
BenchmarkEval/S1/guidon-ref   	 1000000	         3.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkEval/S1/floor-ref    	 1000000	         2.0 ns/op	       0 B/op	       0 allocs/op
BenchmarkEval/S1/statsig      	    1000	      2599.5 ns/op	    1888 B/op	      20 allocs/op
BenchmarkParallel/S2/guidon-ref      	 1000	         6.0 ns/op
BenchmarkParallel/S2/guidon-ref-2    	 1000	         3.0 ns/op
BenchmarkMemory/guidon        	       1	1500261330 ns/op	      3170 B/flag
PASS
cpu: Some CPU
BenchmarkEval/S1/guidon-ref   	 1000000	         5.0 ns/op	       0 B/op	       0 allocs/op
--- SKIP: BenchmarkUpdate/statsig
PASS
`

func TestResults(t *testing.T) {
	r := newResults()
	if err := r.read(strings.NewReader(twoPasses)); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	r.write(&out)
	for _, want := range []string{
		"The loop itself is 1.5 ns",
		"| guidon-ref | 4 | - |",
		"| floor-ref | 2 | - |",
		"| statsig | 2,600 | - |",
		"| guidon-ref / floor-ref | 2.00 | - |",
		"| statsig | 1,888 / 20 |",
		"| guidon-ref | 6 | 3 | 2.00 |",
		"| guidon | 3,170 |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	r.least = true
	if got, _ := r.of("Eval/S1/guidon-ref", nanoseconds); got != 3 {
		t.Errorf("the least: got %v, want 3", got)
	}
	if strings.Contains(out.String(), "NaN") {
		t.Errorf("something was divided by nothing:\n%s", out.String())
	}
}

func TestNumber(t *testing.T) {
	for _, test := range []struct {
		v    float64
		want string
	}{
		{0, "0"}, {2.34, "2.3"}, {4, "4"}, {9.96, "10.0"}, {12.5, "13"}, {999, "999"}, {1000, "1,000"}, {1234567, "1,234,567"},
	} {
		if got := number(test.v); got != test.want {
			t.Errorf("%v: got %s, want %s", test.v, got, test.want)
		}
	}
}
