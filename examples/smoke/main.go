// Smoke is a service that verifies its handler before it listens, and again after,
// over the network: with the same suite, which stands in suite.json. What is not
// healthy does not stay up. With -broken it is not.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/guidon-go/guidon/verify"
)

//go:embed suite.json
var document []byte

func main() {
	broken := flag.Bool("broken", false, "forget what things cost")
	flag.Parse()
	const token = "a real one is random, and in no repository"
	handler := newShop(token, *broken)

	suite, err := verify.Parse(document)
	must(err)
	suite.Secrets["token"] = token

	fmt.Println("before it listens:")
	suite.Handler = handler
	if !healthy(suite) {
		os.Exit(1)
	}

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	server := &http.Server{Handler: handler}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	fmt.Println("\nwhile it listens:")
	suite.Handler, suite.URL = nil, "http://"+listener.Addr().String()
	ok := healthy(suite)
	must(server.Close()) // a real one goes on
	<-served
	if !ok {
		os.Exit(1)
	}
}

// healthy runs the suite and prints its report: without times, which differ each time.
// A real service prints the report itself.
func healthy(suite *verify.Suite) bool {
	report := suite.Probe(context.Background())
	for _, problem := range report.Problems {
		fmt.Println(problem)
	}
	for _, r := range report.Results {
		fmt.Printf("  %-8v%-8v%s", r.Stage, r.State, r.Name)
		if r.Flaky {
			fmt.Printf(" (attempt %d)", len(r.Attempts))
		}
		fmt.Println()
		for _, m := range r.Mismatches {
			fmt.Println("                 ", m)
		}
		if r.Reason != "" {
			fmt.Println("                 ", r.Reason)
		}
	}
	s := report.Summary()
	fmt.Printf("  healthy: %v, %d of %d passed\n", s.Healthy, s.Passed, s.Total)
	return s.Healthy
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
