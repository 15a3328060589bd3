package split_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/split"
)

// A plan moves a splitter step by step. Package rollout does it with judges, a journal
// and a way back.
func Example() {
	version := func(name string) split.Backend {
		return split.Backend{Name: name, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })}
	}
	splitter, err := split.New(split.Options{
		Unit: func(r *http.Request) string { return r.URL.Query().Get("user") },
		Salt: "shop",
	}, version("1.9"), version("2.0"))
	if err != nil {
		panic(err)
	}
	plan, err := strategy.Canary{Weights: []strategy.Share{5 * strategy.Percent, 50 * strategy.Percent, strategy.All}}.
		Plan(strategy.Input{Old: "1.9", New: "2.0"})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if err := splitter.Prepare(ctx, plan.Old, plan.New); err != nil {
		panic(err)
	}
	for _, step := range plan.Steps {
		shift, ok := step.(strategy.Shift)
		if !ok {
			continue
		}
		if err := splitter.Shift(ctx, shift.To); err != nil {
			panic(err)
		}
		w := httptest.NewRecorder()
		splitter.ServeHTTP(w, httptest.NewRequest("GET", "/?user=42", nil))
		fmt.Printf("at %v user 42 gets %s\n", shift.To, w.Body)
	}
	// Output:
	// at 5 % user 42 gets 1.9
	// at 50 % user 42 gets 2.0
	// at 100 % user 42 gets 2.0
}

// Any number of versions can share the traffic, and one that is not needed any more
// answers what it has begun before it goes.
func ExampleSplitter_SetWeights() {
	page := func(http.ResponseWriter, *http.Request) {}
	splitter, err := split.New(split.Options{},
		split.Backend{Name: "a", Handler: http.HandlerFunc(page)},
		split.Backend{Name: "b", Handler: http.HandlerFunc(page)},
		split.Backend{Name: "c", Handler: http.HandlerFunc(page)})
	if err != nil {
		panic(err)
	}
	fmt.Println(splitter.SetWeights(
		split.Weight{Backend: "c", Share: 0.1 * strategy.Percent},
		split.Weight{Backend: "b", Share: 10 * strategy.Percent},
	))
	fmt.Println(splitter.SetWeights(
		split.Weight{Backend: "c", Share: 10 * strategy.Percent},
		split.Weight{Backend: "b", Share: 90 * strategy.Percent},
	))
	fmt.Println(splitter.Remove(context.Background(), "b"))
	fmt.Println(splitter.Remove(context.Background(), "a"))
	// Output:
	// split: weights: found 10.1 % together, want 100 %
	// <nil>
	// split: remove: "b" has 90 % of the traffic, want none
	// <nil>
}

// Testers reach the new version before anybody else does.
func ExamplePinHeader() {
	version := func(name string) split.Backend {
		return split.Backend{Name: name, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })}
	}
	splitter, err := split.New(split.Options{Pin: split.PinHeader("X-Version")}, version("blue"), version("green"))
	if err != nil {
		panic(err)
	}
	for _, pin := range []string{"", "green", "red"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("X-Version", pin)
		w := httptest.NewRecorder()
		splitter.ServeHTTP(w, r)
		fmt.Printf("%q gets %s\n", pin, w.Body)
	}
	// Output:
	// "" gets blue
	// "green" gets green
	// "red" gets blue
}

// A version may be a server elsewhere.
func ExampleUpstream() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%s for %s", r.URL.Path, r.Host)
	}))
	defer server.Close()
	there, err := url.Parse(server.URL)
	if err != nil {
		panic(err)
	}
	splitter, err := split.New(split.Options{}, split.Backend{Name: "1", Handler: split.Upstream(there, nil)})
	if err != nil {
		panic(err)
	}
	w := httptest.NewRecorder()
	splitter.ServeHTTP(w, httptest.NewRequest("GET", "http://shop.example/cart", nil))
	fmt.Println(w.Body)
	// Output: /cart for shop.example
}

// A new version gets copies of requests before anybody is exposed to it. What became of
// them, and of the requests themselves, is told.
func ExampleSplitter_Mirror() {
	told := make(chan split.Outcome, 2)
	splitter, err := split.New(split.Options{Outcome: func(o split.Outcome) { told <- o }},
		split.Backend{Name: "1", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") })},
		split.Backend{Name: "2", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not yet", 500) })})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if err := splitter.Prepare(ctx, "1", "2"); err != nil {
		panic(err)
	}
	if err := splitter.Mirror(ctx, strategy.All); err != nil {
		panic(err)
	}
	w := httptest.NewRecorder()
	splitter.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if err := splitter.Drain(ctx, "2"); err != nil {
		panic(err)
	}
	fmt.Println(w.Code, w.Body)
	for range 2 {
		if o := <-told; o.Mirrored {
			fmt.Println(o.Backend, o.Status)
		}
	}
	fmt.Println(splitter.Close(ctx))
	// Output:
	// 200 fine
	// 2 500
	// <nil>
}
