package verify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/guidon-go/guidon/verify"
)

// orders is a service that keeps orders for those who logged in.
func orders() http.Handler {
	var open atomic.Bool
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"token": "t/0k"}`)
	})
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t/0k" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		open.Store(true)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"order": {"id": 42, "total": 10.50}}`)
	})
	mux.HandleFunc("GET /orders/42", func(w http.ResponseWriter, r *http.Request) {
		if !open.Load() {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, `{"id": 42, "total": 10.50, "state": "open"}`)
	})
	mux.HandleFunc("POST /payments", func(w http.ResponseWriter, r *http.Request) {
		var p struct{ Order, Amount json.Number }
		_ = json.NewDecoder(r.Body).Decode(&p)
		fmt.Println("paid", p.Amount, "for order", p.Order)
	})
	mux.HandleFunc("DELETE /orders/42", func(w http.ResponseWriter, r *http.Request) {
		open.Store(false)
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// What one answer holds, later requests use. They need it, and are skipped if it
// could not be had.
func ExampleFrom() {
	suite := &verify.Suite{
		Handler: orders(),
		Tests: []verify.SmokeTest{
			{Name: "login", Method: "POST", Endpoint: "/login", Capture: map[string]verify.From{"token": {JSON: "$.token"}}},
			{
				Name: "order", Method: "POST", Endpoint: "/orders", ExpectedStatus: 201,
				Header:  http.Header{"Authorization": {"Bearer ${token}"}},
				Capture: map[string]verify.From{"id": {JSON: "$.order.id"}, "total": {JSON: "$.order.total"}},
			},
			{Name: "pay", Method: "POST", Endpoint: "/payments", Body: `{"order": ${id}, "amount": ${total}}`},
			{Name: "read", Endpoint: "/orders/${id}", ExpectedResponse: map[string]any{"state": "open"}},
			{Name: "invoice", Endpoint: "/orders/${id}/invoice", Optional: true},
			{Name: "print", Endpoint: "/print", Needs: []string{"invoice"}, Optional: true},
		},
	}

	report := suite.Probe(context.Background())
	for _, r := range report.Results {
		fmt.Println(r.State, r.Name)
	}
	fmt.Println(report.Results[5].Reason)
	fmt.Println(report.Healthy())

	// Output:
	// paid 10.50 for order 42
	// passed login
	// passed order
	// passed pay
	// passed read
	// failed invoice
	// skipped print
	// needs "invoice", which failed
	// true
}

// Cleanup runs whatever happened before.
func ExampleSuite_cleanup() {
	login := map[string]verify.From{"token": {JSON: "$.token"}}
	bearer := http.Header{"Authorization": {"Bearer ${token}"}}
	suite := &verify.Suite{
		Handler: orders(),
		Setup: []verify.SmokeTest{
			{Name: "login", Method: "POST", Endpoint: "/login", Capture: login},
			{Name: "order", Method: "POST", Endpoint: "/orders", Header: bearer, ExpectedStatus: 201, Capture: map[string]verify.From{"id": {JSON: "$.order.id"}}},
		},
		Tests: []verify.SmokeTest{
			{Name: "read", Endpoint: "/orders/${id}", ExpectedResponse: map[string]any{"state": "closed"}},
		},
		Cleanup: []verify.SmokeTest{
			{Name: "cancel", Method: "DELETE", Endpoint: "/orders/${id}", ExpectedStatus: 204},
			{Name: "gone", Endpoint: "/orders/${id}", ExpectedStatus: 404, Needs: []string{"cancel"}},
		},
		CleanupTimeout: 10 * time.Second,
	}

	for _, r := range suite.Probe(context.Background()).Results {
		fmt.Println(r.Stage, r.Name, r.State, r.Mismatches)
	}

	// Output:
	// Setup login passed []
	// Setup order passed []
	// Tests read failed [$.state: want "closed", got "open"]
	// Cleanup cancel passed []
	// Cleanup gone passed []
}

func ExampleRetry() {
	asked := 0
	warming := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked < 3 {
			http.Error(w, "warming up", http.StatusServiceUnavailable)
		}
	})
	suite := &verify.Suite{
		Handler: warming,
		Tests: []verify.SmokeTest{{
			Endpoint: "/ready",
			Timeout:  time.Minute,
			Retry:    verify.Retry{Attempts: 5, Backoff: time.Millisecond, Timeout: 10 * time.Second},
		}},
	}

	r := suite.Probe(context.Background()).Results[0]
	fmt.Println(r.State, "flaky:", r.Flaky)
	for _, a := range r.Attempts {
		fmt.Println(a.Status, a.Mismatch.Got)
	}

	// Output:
	// passed flaky: true
	// 503 503
	// 503 503
	// 200
}

// A suite verifies a handler before it listens, and the same tests verify it again
// where it is deployed.
func ExampleSuite_handlerThenURL() {
	handler := orders()
	suite := &verify.Suite{
		Cookies:  true,
		Parallel: 2,
		Tests: []verify.SmokeTest{
			{Name: "login", Method: "POST", Endpoint: "/login"},
			{Name: "no order", Endpoint: "/orders/42", ExpectedStatus: 404},
		},
	}

	before := *suite
	before.Handler = handler
	fmt.Println("before:", before.Check(context.Background()))

	server := httptest.NewServer(handler)
	defer server.Close()
	after := *suite
	after.URL = server.URL
	report := after.Probe(context.Background())
	fmt.Println("after:", report.Healthy(), report.Results[0].Phases.Connect > 0)

	// Output:
	// before: <nil>
	// after: true true
}
