// Table measures everything in several passes and prints tables in Markdown.
//
//	go run ./cmd/table           # some minutes
//	go run ./cmd/table -quick    # one short pass, to see that all is there
//
// A pass goes through all systems, each in a process of its own, so that a slow
// minute of the machine hits every system and not one. Medians are printed, or with -least the least.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	passes := flag.Int("count", 6, "how many `passes`")
	long := flag.Duration("benchtime", 150*time.Millisecond, "how long one benchmark runs in one pass")
	least := flag.Bool("least", false, "print the least of the passes instead of the median: on a machine that does other things, too, it says more")
	quick := flag.Bool("quick", false, "one pass of 10ms")
	flag.Parse()
	if *quick {
		*passes, *long = 1, 10*time.Millisecond
	}
	if err := run(os.Stdout, os.Stderr, *passes, *long, *least); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(out, progress io.Writer, passes int, long time.Duration, least bool) error {
	began := time.Now()
	dir, err := os.MkdirTemp("", "guidon-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "bench.test")
	const tested = "github.com/guidon-go/guidon/internal/bench"
	if _, err := command("go", "test", "-c", "-o", binary, tested); err != nil {
		return err
	}
	b := &bench{binary: binary, results: newResults()}
	b.measure("^BenchmarkEval$/^S1$", "1", "1x") // to see which systems there are
	systems := b.results.systems
	b.results = newResults()
	b.results.least = least
	for pass := range passes {
		fmt.Fprintf(progress, "pass %d of %d, after %v\n", pass+1, passes, time.Since(began).Round(time.Second))
		for _, system := range systems {
			b.measure("^BenchmarkEval$/./^"+system+"$", "1", long.String())
			b.measure("^BenchmarkParallel$/./^"+system+"$", "1,2", long.String())
			b.measure("^BenchmarkUpdate$/^"+system+"$", "1", long.String())
		}
		b.measure("^Benchmark(Loop|Context|Middleware|Compile)$", "1", long.String())
	}
	b.measure("^BenchmarkMemory$", "1", "1x")
	if b.err != nil {
		return b.err
	}
	version, err := command("go", "version")
	if err != nil {
		return err
	}
	kind := "medians"
	if least {
		kind = "the least"
	}
	fmt.Fprintf(out, "`go run ./cmd/table -count %d -benchtime %v -least=%v`: %s of %d passes, -cpu 1 unless said; %s; %s.\n\n",
		passes, long, least, kind, passes, b.results.cpu, strings.TrimPrefix(strings.TrimSpace(version), "go version "))
	b.results.write(out)
	return nil
}

// bench runs benchmarks and keeps the first error.
type bench struct {
	binary  string
	results *results
	err     error
}

func (b *bench) measure(pattern, cpu, long string) {
	if b.err != nil {
		return
	}
	text, err := command(b.binary, "-test.run=^$", "-test.bench="+pattern, "-test.cpu="+cpu, "-test.benchtime="+long, "-test.timeout=10m")
	if err == nil {
		err = b.results.read(strings.NewReader(text))
	}
	b.err = err
}

func command(name string, args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		return "", errors.Join(fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err), errors.New(stderr.String()+string(text)))
	}
	return string(text), nil
}
