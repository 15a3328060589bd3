// Shop is a service with flags that a real Prometheus server scrapes. A gate then asks
// that server whether version 42 may go on, and the same of version 43, which fails too
// often. It needs the program prometheus, which Debian's package of that name has, and
// ends by itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/rollout/prometheus"
	"github.com/guidon-go/guidon/rollout/prometheus/internal/server"
)

var requests = client.NewCounterVec(client.CounterOpts{Name: "http_requests_total", Help: "Requests."}, []string{"version", "code"})

// serve is the traffic: of a thousand requests, so many fail.
func serve(version string, thousands, fail int) {
	requests.WithLabelValues(version, "200").Add(float64(thousands * (1000 - fail)))
	requests.WithLabelValues(version, "500").Add(float64(thousands * fail))
}

func main() {
	flags := flag.New(flag.Bytes([]byte(`{"flags": {"new-checkout": {"ramp": {"percent": 5}}}}`)), flag.Options{})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	check(flags.Load(ctx))

	registry := client.NewRegistry()
	registry.MustRegister(requests, prometheus.New(prometheus.Options{Flags: flags})) // the one line
	shop := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	defer shop.Close()

	dir, err := os.MkdirTemp("", "shop")
	check(err)
	defer os.RemoveAll(dir)
	real, err := server.Start(ctx, dir, strings.TrimPrefix(shop.URL, "http://"))
	if errors.Is(err, server.ErrNone) {
		fmt.Println(err)
		return
	}
	check(err)
	defer real.Stop()

	go func() { // people shop meanwhile
		for ; ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
			serve("41", 1, 10)
			serve("42", 1, 10)
			serve("43", 1, 50)
		}
	}()
	for _, version := range []string{"42", "43"} {
		reader, err := prometheus.NewReader(prometheus.ReaderOptions{
			URL: real.URL, MaxAge: 4 * time.Second, Every: time.Second, // of a server that scrapes each second
			Candidate: fmt.Sprintf("http_requests_total{version=%q}", version),
			Baseline:  `http_requests_total{version="41"}`,
		})
		check(err)
		err = reader.Gate(health.Comparison{PassRatio: 2})(ctx)
		if errors.Is(err, rollout.ErrInconclusive) {
			check(err)
		}
		fmt.Println(version, "may go on:", err == nil)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
