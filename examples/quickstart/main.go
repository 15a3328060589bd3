// Quickstart runs a small shop on a loopback port, sends it real HTTP requests, and
// rolls out two changes to it, each behind a flag that ramps itself: new-search
// works and is promoted, new-checkout hurts and comes back by itself. Two accounts
// are broken whatever the flags say, and their owners never stop trying: where
// chance puts them on the new side, its error rate is several times the other's,
// and yet the change is not to blame, which the judge knows.
//
//	go run ./examples/quickstart
//
// Kill it whenever you like and start it again with the same -state: it goes on
// from where its journal ends.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	stdflag "flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
)

//go:embed flags.json
var embedded []byte

func main() {
	log.SetFlags(0)
	file := stdflag.String("flags", "", "follow this flags file instead of the embedded one")
	state := stdflag.String("state", "", "folder of the journal (default: a temporary one)")
	asJSON := stdflag.Bool("json", false, "end with one line of JSON")
	stdflag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	ok, err := run(ctx, *file, *state, *asJSON)
	if err != nil {
		log.Fatal(err)
	}
	if !ok {
		os.Exit(1)
	}
}

// run says whether both rollouts ended as they should.
func run(ctx context.Context, file, state string, asJSON bool) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()

	// The flags, from the embedded document or from a file that is followed.
	quiet := flag.Options{OnChange: func(flag.ChangeInfo) {}} // the journal says it all
	flags := flag.New(flag.Bytes(embedded), quiet)
	if file != "" {
		flags = flag.New(flag.File(file), quiet)
	}
	if err := flags.Load(ctx); err != nil {
		return false, err
	}
	running.Go(func() { flags.Run(ctx) })

	// The journal, and the engine on it.
	if state == "" {
		dir, err := os.MkdirTemp("", "guidon-quickstart-")
		if err != nil {
			return false, err
		}
		defer os.RemoveAll(dir)
		state = dir
	}
	journal, err := rollout.OpenFile(state)
	if err != nil {
		return false, err
	}
	defer journal.Close()
	if torn := journal.Torn(); torn > 0 {
		fmt.Printf("the journal ended in %d bytes of an unfinished record: cut off\n", torn)
	}
	show := newDisplay()
	engine, err := rollout.New(journal, rollout.Options{Service: "shop", Environment: "quickstart", OnRecord: show.record})
	if err != nil {
		return false, err
	}

	// Two guarded rollouts, put where the journal has them, before anybody listens.
	guards, err := guardAll(engine, flags)
	if err != nil {
		return false, err
	}
	handler := shop()
	for _, guard := range guards {
		handler = guard.Middleware(handler)
	}
	window := health.NewWindow(health.WindowOptions{})
	handler = window.Middleware(flaghttp.Middleware(flags, who)(handler))
	show.start(guards, window)

	// The shop opens, and its users come.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return false, err
	}
	server := &http.Server{Handler: handler}
	running.Go(func() { server.Serve(listener) })
	defer server.Close()
	traffic := &load{base: "http://" + listener.Addr().String()}
	running.Go(func() { traffic.run(ctx) })
	running.Go(func() { show.follow(ctx) })

	outcomes := make([]rollout.Outcome, len(guards))
	failed := make([]error, len(guards))
	var rollouts sync.WaitGroup
	for i, guard := range guards {
		rollouts.Go(func() { outcomes[i], failed[i] = guard.Run(ctx) })
	}
	rollouts.Wait()
	cancel()
	if err := errors.Join(failed...); err != nil {
		return false, err
	}
	if err := show.end(journal, engine); err != nil {
		return false, err
	}
	if asJSON {
		if err := printJSON(guards, outcomes, traffic.answered.Load(), engine); err != nil {
			return false, err
		}
	}
	return outcomes[0] == rollout.Succeeded && outcomes[1] == rollout.RolledBack, nil
}

// guardAll guards both changes of the shop.
func guardAll(engine *rollout.Engine, flags *flag.Store) ([]*rollout.Guard, error) {
	var guards []*rollout.Guard
	for _, change := range []struct {
		flag     flag.Switch
		endpoint string
	}{{NewSearch, "/search"}, {NewCheckout, "/checkout"}} {
		tried := flaghttp.Middleware(flags, who)(shop())
		guard, err := engine.Guard(flags, rollout.Guarded{
			Flag:    change.flag,
			Release: rollout.Release{Name: "shop", Committed: time.Now()}, // as if it were merged now
			Before:  map[string]rollout.Gate{"smoke": smoke(tried, change.endpoint).Check},
			Ladder:  []flag.Share{5 * flag.Percent, 25 * flag.Percent, 50 * flag.Percent, 100 * flag.Percent},
			Hold:    4 * time.Second,
			Look:    100 * time.Millisecond,
			Traffic: rollout.MismatchReports, // nobody is here to continue a rollout that pauses
			// The default rolls a harmless change back in up to 5 % of rollouts. A
			// demonstration should not, and finds harm a little later.
			Judge: health.DefaultJudge(12 * time.Second).WithAlpha(0.001),
		})
		if err != nil {
			return nil, err
		}
		guards = append(guards, guard)
	}
	return guards, nil
}

// printJSON prints what happened as one line.
func printJSON(guards []*rollout.Guard, outcomes []rollout.Outcome, requests uint64, engine *rollout.Engine) error {
	type one struct {
		Flag        string          `json:"flag"`
		Outcome     rollout.Outcome `json:"outcome"`
		Percent     any             `json:"percent"`
		PeakPercent any             `json:"peak_percent"`
		Reason      string          `json:"reason"`
	}
	var out struct {
		Resumed  bool             `json:"resumed"`
		Requests uint64           `json:"requests"`
		Rollouts []one            `json:"rollouts"`
		Delivery rollout.Delivery `json:"delivery"`
	}
	out.Requests = requests
	for i, guard := range guards {
		p := guard.Progress()
		out.Resumed = out.Resumed || p.Resumed
		out.Rollouts = append(out.Rollouts, one{p.Flag, outcomes[i], p.State.Share, p.State.Peak, p.State.Reason})
	}
	var err error
	if out.Delivery, err = measure(engine); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

// measure takes the delivery metrics since the journal began.
func measure(engine *rollout.Engine) (rollout.Delivery, error) {
	all, err := engine.Delivery(rollout.DeliveryOptions{})
	if err != nil {
		return rollout.Delivery{}, err
	}
	return all[0], nil
}
