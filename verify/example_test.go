package verify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/guidon-go/guidon/verify"
)

// api is the service under test; a suite with a URL in the place of its Handler
// reads the same.
var api = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz":
		_, _ = io.WriteString(w, `{"status": "ok", "version": "1.4.0"}`)
	case "/cart":
		_, _ = io.WriteString(w, `{"items": [{"sku": "a", "price": "10.5"}], "total": 10.50}`)
	default:
		http.NotFound(w, r)
	}
})

func ExampleSuite_Check() {
	suite := &verify.Suite{
		Name:    "shop",
		Handler: api,
		Tests: []verify.SmokeTest{
			{Endpoint: "/healthz", ExpectedResponse: map[string]any{"status": "ok"}},
			{Endpoint: "/cart", ExpectedResponse: json.RawMessage(`{"items": [{"price": 10.5}], "total": 10.5}`)},
			{Endpoint: "/orders", Optional: true},
		},
	}

	var gate func(context.Context) error = suite.Check
	fmt.Println(gate(context.Background()))

	// Output:
	// suite "shop" against a handler is not healthy: 1 of 3 tests passed
	// GET /cart -> $.items[0].price: want 10.5, got "10.5"
	// GET /orders (optional) -> status: want 200, got 404
}

func ExampleSuite_Probe() {
	suite := &verify.Suite{
		Handler: api,
		Tests: []verify.SmokeTest{
			{Name: "alive", Endpoint: "/healthz", ExpectedResponse: map[string]any{"status": "ok"}},
			{Name: "no such cart", Endpoint: "/cart/none", ExpectedStatus: 404},
			{Name: "orders", Endpoint: "/orders", Optional: true},
		},
	}

	report := suite.Probe(context.Background())
	for _, r := range report.Results {
		fmt.Println(r.State, r.Name, r.Status, r.Mismatches)
	}
	summary := report.Summary()
	_, timed := summary.AverageResponseTime()
	fmt.Println(summary.Healthy, summary.Passed, "of", summary.Total, timed)

	// Output:
	// passed alive 200 []
	// passed no such cart 404 []
	// failed orders 404 [status: want 200, got 404]
	// true 2 of 3 true
}
