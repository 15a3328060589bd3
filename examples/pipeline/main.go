// Pipeline ships version 2 of a small web shop, while its users place and read orders
// over HTTP all the time. Version 2 keeps what an order costs in another form: the column
// total, "12.50", becomes total_cents, 1250. So the database changes in three steps
// (expand, migrate, contract), with version 1 and 2 side by side between the second and
// the third, and up to the third there is a way back.
//
//	go run ./examples/pipeline
//	go run ./examples/pipeline -fail canary
//
// With -fail any stage fails: build, verify, expand, migrate, canary or contract. Kill it
// whenever you like and start it again with the same -state: it goes on from where its
// journal ends, and does nothing twice.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/rollout"
)

var stages = []string{"build", "verify", "expand", "migrate", "canary", "contract"}

// pipeline is how a release of the shop gets out.
func (s *site) pipeline() rollout.Pipeline {
	return rollout.Pipeline{Name: "ship", Stages: []rollout.Stage{
		// The program is built once. Whatever comes after has it by its digest.
		{Name: "build", Do: s.build},
		// It is tried on a database of its own, before anybody's order is touched.
		{Name: "verify", Needs: []string{"build"}, Do: s.verify},
		// The orders get the new column. From now on the database fills in both, whichever
		// version writes.
		{Name: "expand", Needs: []string{"verify"}, Do: s.expand, Undo: s.unexpand, Timeout: 3 * time.Second},
		// Orders from before get it, too. That needs no way back of its own: the column goes.
		{Name: "migrate", Needs: []string{"expand"}, Do: s.migrate},
		// Some users get version 2, then more, then all, unless it fails them more often.
		{Name: "canary", Needs: []string{"migrate"}, Deploy: s.canary},
		// Nobody reads the old column any more, and version 1 could not run without it.
		{Name: "contract", Needs: []string{"canary"}, Do: s.contract, NoReturn: "orders.total is dropped"},
	}}
}

func main() {
	log.SetFlags(0)
	fail := flag.String("fail", "", "the stage that fails: "+strings.Join(stages, ", "))
	state := flag.String("state", "", "folder of the journal, the programs and the orders (default: a temporary one)")
	flag.Parse()
	if *fail != "" && !slices.Contains(stages, *fail) {
		log.Fatalf("-fail: found %q, want one of %s", *fail, strings.Join(stages, ", "))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ok, err := run(ctx, *state, *fail)
	if err != nil {
		log.Fatal(err)
	}
	if !ok {
		os.Exit(1)
	}
}

// run ships the release, and says whether all is well.
func run(ctx context.Context, state, fail string) (bool, error) {
	page := filepath.Join(state, "timeline.html")
	if state == "" {
		dir, err := os.MkdirTemp("", "guidon-pipeline-")
		if err != nil {
			return false, err
		}
		defer os.RemoveAll(dir)
		state, page = dir, dir+".html"
	}
	version := "v2"
	if fail != "" {
		version += "-fails-" + fail // another build, with another name
	}
	release := rollout.Release{Name: "shop", Version: version, Committed: time.Now()} // as if it were merged now

	// The journal, and the engine on it.
	journal, err := rollout.OpenFile(filepath.Join(state, "journal"))
	if err != nil {
		return false, err
	}
	defer journal.Close()
	engine, err := rollout.New(journal, rollout.Options{Service: "shop", Environment: "production", OnRecord: tell})
	if err != nil {
		return false, err
	}

	// The shop opens as the journal has it, and its users come.
	shop, err := openSite(state, fail, release, engine)
	if err != nil {
		return false, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return false, err
	}
	server := &http.Server{Handler: shop.fleet}
	go server.Serve(listener)
	defer server.Close()
	shop.url = "http://" + listener.Addr().String()
	load := startLoad(shop.url)

	// The release goes out, and if it freezes, ann is asked.
	id := release.String()
	if known, err := engine.Report(id); err == nil {
		fmt.Printf("The journal has %s: it is %s.\n", id, known.State)
	}
	ctx, enough := context.WithCancel(ctx)
	asked := make(chan error, 1)
	go func() {
		err := shop.ann(ctx, id)
		if err != nil {
			enough()
		}
		asked <- err
	}()
	report, err := engine.Run(ctx, rollout.RunRequest{ID: id, Release: release}, shop.pipeline())
	enough()
	if err := errors.Join(<-asked, err); err != nil {
		return false, err
	}

	// What came of it.
	time.Sleep(300 * time.Millisecond) // so that one sees who serves now
	seen := load.stop()
	if err := tellAll(report, seen, shop, page); err != nil {
		return false, err
	}
	return report.Outcome == rollout.Succeeded && seen.lost == 0, nil
}
