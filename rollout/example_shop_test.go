package rollout_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/verify"
)

var (
	NewCheckout = flag.Bool("new-checkout", false) // false is what counts when in doubt
	CartLimit   = flag.Int("cart-limit", 50)       // flag.String, flag.Float, flag.JSON[T]
	Country     = flag.Attr[string]("country")     // what rules can ask about
	Tester      = flag.Attr[bool]("tester")
)

func whoAsks(r *http.Request) flag.Subject {
	return flag.For(userID(r), Country.Is(geo(r)), Tester.Is(r.Header.Get("X-Tester") == secret))
}

func checkout(w http.ResponseWriter, r *http.Request) {
	if NewCheckout.On(r.Context()) {
		fmt.Fprintf(w, `{"pages": 1, "limit": %d}`, CartLimit.In(r.Context()))
		return
	}
	fmt.Fprint(w, `{"pages": 3}`)
}

func serve(ctx context.Context, mux *http.ServeMux) {
	flags, err := flag.Open("flags.json")
	if err != nil {
		log.Print(err) // every mistake, each with its place; what is right serves all the same
	}
	go flags.Run(ctx) // follows the file, and keeps the last good document
	log.Fatal(http.ListenAndServe(":8080", flaghttp.Middleware(flags, whoAsks)(mux)))
}

func operate(flags *flag.Store) error {
	seen, err := flags.Status("new-checkout")
	if err != nil {
		return err
	}
	ann := flag.Change{Actor: "ann", Reason: "a quiet first day", Revision: seen.Revision} // ErrConflict if somebody was faster
	share, err := flags.Advance("new-checkout", 10*flag.Percent, 50*flag.Percent, ann)     // by 10 % at most, and not beyond 50 %
	if err != nil {
		return err
	}
	log.Println("new-checkout is at", share)
	return flags.Kill("new-checkout", flag.Change{Actor: "bob", Reason: "carts are empty"}) // off for everybody here, at once
}

func serveGuarded(ctx context.Context, flags *flag.Store, mux *http.ServeMux) {
	journal, err := rollout.OpenFile("state") // keep this folder: it is the memory
	if err != nil {
		log.Fatal(err)
	}
	engine, err := rollout.New(journal, rollout.Options{Service: "shop", Environment: "production"})
	if err != nil {
		log.Fatal(err)
	}
	guard, err := engine.Guard(flags, rollout.Guarded{ // puts the ramp where the journal has it
		Flag:   NewCheckout,
		Ladder: []flag.Share{0.1 * flag.Percent, 5 * flag.Percent, 50 * flag.Percent, 100 * flag.Percent},
		Hold:   10 * time.Minute,
		Before: map[string]rollout.Gate{"smoke": smoke(flags, mux).Check},
	})
	if err != nil {
		log.Fatal(err)
	}
	handler := flaghttp.Middleware(flags, whoAsks)(guard.Middleware(mux)) // joins exposure and outcome
	server := &http.Server{Addr: ":8080", Handler: handler}
	over := make(chan struct{})
	go func() {
		outcome, err := guard.Run(ctx) // succeeded, or rolled back; the context's error is neither
		log.Println(outcome, err, guard.Progress())
		close(over)
	}()
	go func() { log.Println(server.ListenAndServe()) }()
	<-ctx.Done()                          // as signal.NotifyContext ends it
	server.Shutdown(context.Background()) // requests under way come to their end
	<-over
	journal.Close() // the next process may open it
}

func smoke(flags *flag.Store, mux *http.ServeMux) *verify.Suite {
	return &verify.Suite{
		Handler: flaghttp.Middleware(flags, whoAsks)(mux), // no socket needed; a URL would do as well
		Tests: []verify.SmokeTest{{
			Endpoint:         "/checkout",
			Header:           http.Header{"X-Tester": {secret}}, // a rule gives it the new side
			ExpectedResponse: map[string]any{"pages": 1},
		}},
	}
}

// Example_shop is the program of the README. It serves, so it is compiled and not
// run.
func Example_shop() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /checkout", checkout)
	serve(context.Background(), mux)
	_ = operate(nil)
	serveGuarded(context.Background(), nil, mux)
}

func slowIsBad(answer health.Response) health.Class {
	if answer.Latency > 300*time.Millisecond {
		return health.Failure
	}
	return health.ByStatus(answer.Status)
}

var _ = rollout.Guarded{Classify: slowIsBad}

var secret = os.Getenv("TESTER")

func userID(r *http.Request) string { return r.Header.Get("X-User") }

func geo(r *http.Request) string { return r.Header.Get("X-Country") }
