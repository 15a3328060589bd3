// Deploy is a small deploy tool. It runs version 1 of a program, replaces it by version 2
// (blue-green), and tries version 3 (canary), which answers every other cart with a 500
// and so comes back by itself: all under constant load over HTTP, of which it counts what
// was lost. The versions are processes; they are this program, with another first
// argument.
package main

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/process"
	"github.com/guidon-go/guidon/strategy/split"
	"github.com/guidon-go/guidon/verify"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		serve(os.Args[2])
		return
	}
	slog.SetLogLoggerLevel(slog.LevelWarn)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM) // it has children to see to first
	defer stop()
	dir, err := os.MkdirTemp("", "deploy") // a real tool keeps its state
	must(err)
	defer os.RemoveAll(dir)

	// Who gets which version, and what came of it.
	var cohorts atomic.Pointer[health.Cohorts]
	fleet, err := process.Open(process.Options{
		State:   filepath.Join(dir, "fleet.json"),
		Command: func(version string) *exec.Cmd { return exec.Command(os.Args[0], "serve", version) },
		Serving: "v1", Instances: 2, Ready: "/healthz",
		Split: split.Options{
			Unit: func(r *http.Request) string { return r.Header.Get("User") },
			Salt: "shop", Pin: split.PinHeader("Version"),
			Outcome: func(o split.Outcome) {
				if c := cohorts.Load(); c != nil && o.Unit != 0 && !o.Pinned && !o.Mirrored {
					c.Record(health.Outcome{Unit: o.Unit, Slot: o.Slot, Ramp: int32(o.Share), Class: health.ByStatus(o.Status), Latency: o.Latency})
				}
			},
		},
	})
	must(err)
	defer fleet.Close()
	defer fleet.Stop(context.Background())
	must(fleet.Start(ctx))

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	server := &http.Server{Handler: fleet}
	go server.Serve(listener)
	defer server.Close()
	url := "http://" + listener.Addr().String()

	journal, err := rollout.OpenFile(filepath.Join(dir, "journal"))
	must(err)
	defer journal.Close()
	engine, err := rollout.New(journal, rollout.Options{Service: "shop", Environment: "production",
		OnRecord: func(r rollout.Record) { fmt.Println(r) }})
	must(err)

	load := startLoad(url)
	deploy := func(version string, s strategy.Strategy) {
		plan, err := s.Plan(strategy.Input{Instances: 2}) // the engine says from which version to which
		must(err)
		fmt.Printf("\n%v\n\n", plan)
		id := "shop " + version
		compared, err := engine.Cohorts(id, "errors", health.CohortsOptions{})
		must(err)
		cohorts.Store(compared)
		outcome, err := engine.Deploy(ctx, rollout.Request{
			ID: id, Release: rollout.Release{Name: "shop", Version: version}, Plan: plan, Target: fleet,
			Gates:   map[string]rollout.Gate{"smoke": smoke(url, version).Check},
			Watches: map[string]rollout.Watch{"errors": {Judge: health.DefaultJudge(time.Minute), Cohorts: compared}},
			Look:    50 * time.Millisecond,
		})
		must(err)
		fmt.Printf("\n%s: %v, and %s serves\n", version, outcome, fleet.Serving())
	}

	deploy("v2", strategy.BlueGreen{
		Gates: []string{"smoke"},
		Keep:  time.Second, // a real one keeps the old version for an hour
	})
	deploy("v3", strategy.Canary{
		Weights: []strategy.Share{10 * strategy.Percent, 50 * strategy.Percent, strategy.All},
		Hold:    10 * time.Second,
		Gates:   []string{"smoke"},
		Judges:  []string{"errors"},
	})

	seen := load.stop()
	fmt.Println("\n" + seen.String())
	if seen.lost > 0 || seen.wrong["v1"]+seen.wrong["v2"] > 0 || fleet.Serving() != "v2" {
		log.Panic("requests were lost, or v2 does not serve")
	}
}

// smoke asks the version itself, through the front door, before anybody else gets it. It
// does not ask for a cart: a smoke test does not see everything.
func smoke(url, version string) *verify.Suite {
	return &verify.Suite{URL: url, Tests: []verify.SmokeTest{{
		Endpoint:         "/",
		Header:           http.Header{"Version": {version}},
		ExpectedResponse: map[string]any{"version": version},
	}}}
}

// must ends the program, and what is deferred is done all the same: no child is left.
func must(err error) {
	if err != nil {
		log.Panic(err)
	}
}
