package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/verify"
)

// A change that breaks every request is back within a few of them.
func ExampleEngine_Guard() {
	newCart := flag.Bool("new-cart", false)
	flags := flag.New(flag.Bytes([]byte(`{"flags": {"new-cart": {}}}`)), flag.Options{})
	if err := flags.Load(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop", Environment: "example"})
	if err != nil {
		fmt.Println(err)
		return
	}
	guard, err := engine.Guard(flags, rollout.Guarded{
		Flag:   newCart,
		Ladder: []flag.Share{10 * flag.Percent, 100 * flag.Percent},
		Hold:   time.Hour,
		Look:   time.Millisecond,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	cart := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if newCart.On(r.Context()) {
			http.Error(w, "broken", http.StatusInternalServerError)
		}
	})
	who := func(r *http.Request) flag.Subject { return flag.For(r.Header.Get("X-User")) }
	handler := flaghttp.Middleware(flags, who)(guard.Middleware(cart))

	ctx, cancel := context.WithCancel(context.Background())
	go func() { // the users
		for user := 0; ctx.Err() == nil; user++ {
			r := httptest.NewRequest(http.MethodGet, "/cart", nil)
			r.Header.Set("X-User", fmt.Sprint("user-", user))
			handler.ServeHTTP(httptest.NewRecorder(), r)
			<-time.After(100 * time.Microsecond)
		}
	}()
	outcome, err := guard.Run(ctx)
	cancel()
	status, _ := flags.Status("new-cart")
	fmt.Println(outcome, err, "at", status.Ramp.Share)
	// Output: rolled back <nil> at 0 %
}

// Any target can be moved by a plan; here it is a number.
func ExampleEngine_Deploy() {
	plan, err := strategy.Canary{
		Weights: []strategy.Share{25 * strategy.Percent, 100 * strategy.Percent},
		Gates:   []string{"smoke"},
	}.Plan(strategy.Input{})
	if err != nil {
		fmt.Println(err)
		return
	}
	service := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"status": "ok", "version": "2.0"}`)
	})
	smoke := &verify.Suite{Handler: service, Tests: []verify.SmokeTest{
		{Endpoint: "/health", ExpectedResponse: map[string]any{"status": "ok"}},
	}}
	journal := &rollout.Memory{}
	engine, err := rollout.New(journal, rollout.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	outcome, err := engine.Deploy(context.Background(), rollout.Request{
		ID:     "shop@2.0",
		Plan:   plan,
		Target: &splitter{},
		Gates:  map[string]rollout.Gate{"smoke": smoke.Check},
	})
	fmt.Println(outcome, err)
	for r := range journal.Records() {
		fmt.Println(r.Kind, r.To)
	}
	// Output:
	// succeeded <nil>
	// requested forward 0
	// begun forward 0
	// done forward 1
	// begun forward 1
	// done forward 2
	// waiting waiting 2
	// done forward 3
	// begun forward 3
	// done forward 4
	// begun forward 4
	// done forward 5
	// finished succeeded
}

type splitter struct{ share strategy.Share }

func (s *splitter) Shift(_ context.Context, to strategy.Share) error {
	s.share = to
	return nil
}

func (s *splitter) Observe(context.Context) (strategy.Observation, error) {
	return strategy.Observation{Share: s.share}, nil
}

// The machine has no clock and moves nothing: it says what comes next.
func ExampleMachine() {
	plan, _ := strategy.Canary{Weights: []strategy.Share{100 * strategy.Percent}}.Plan(strategy.Input{})
	var m rollout.Machine
	for _, r := range []rollout.Record{
		{Kind: rollout.KindRequested, Request: &rollout.Requested{Plan: plan}},
		{Kind: rollout.KindBegun, Step: 0},
		{Kind: rollout.KindFailed, Step: 0, Reason: "no route to host"},
	} {
		if err := m.Apply(r); err != nil {
			fmt.Println(err)
		}
		fmt.Printf("%v: next %v\n", m.State(), m.Next(time.Time{}).Step)
	}
	fmt.Println("because", m.State().Reason)
	// Output:
	// forward 0: next shift from 0 % to 100 %
	// forward 0: next shift from 0 % to 100 %
	// back 0: next shift from 100 % to 0 %
	// because no route to host
}

func ExampleOpenFile() {
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	journal, err := rollout.OpenFile(dir)
	if err != nil {
		fmt.Println(err) // corrupt, with its place; or locked by another process
		return
	}
	defer journal.Close()
	r, err := journal.Append(context.Background(), rollout.Record{Kind: rollout.KindRequested, Rollout: "shop@2.0"})
	fmt.Println(r.Seq, len(r.Sum), err)
	// Output: 1 64 <nil>
}

// A worker has no HTTP requests: it says itself whom a job is for, and what became
// of it.
func ExampleGuard_Do() {
	newCodec := flag.Bool("new-codec", false)
	flags := flag.New(flag.Bytes([]byte(`{"flags": {"new-codec": {}}}`)), flag.Options{})
	if err := flags.Load(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "encoder", Environment: "example"})
	if err != nil {
		fmt.Println(err)
		return
	}
	guard, err := engine.Guard(flags, rollout.Guarded{
		Flag:   newCodec,
		Manual: true, // there is no middleware
		Ladder: []flag.Share{10 * flag.Percent, 100 * flag.Percent},
		Hold:   time.Hour,
		Look:   time.Millisecond,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	encode := func(ctx context.Context) error {
		if newCodec.On(ctx) {
			return errors.New("cannot encode")
		}
		return nil
	}

	ctx, cancel := context.WithCancel(context.Background())
	go func() { // the worker
		for customer := int64(0); ctx.Err() == nil; customer++ {
			ctx := flag.NewContext(ctx, flags.View(flag.ForInt(customer)))
			_ = guard.Do(ctx, encode) // its error is the job's
			<-time.After(100 * time.Microsecond)
		}
	}()
	outcome, err := guard.Run(ctx)
	cancel()
	status, _ := flags.Status("new-codec")
	fmt.Println(outcome, err, "at", status.Ramp.Share)
	// Output: rolled back <nil> at 0 %
}
