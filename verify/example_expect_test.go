package verify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/guidon-go/guidon/verify"
)

// catalog is a service with a list in no order of its own.
var catalog = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Server", "shop/1.4")
	_, _ = io.WriteString(w, `{"page": 1, "items": [
		{"sku": "b", "price": 7, "tags": ["new", "sale"]},
		{"sku": "a", "price": "10.50", "tags": []}
	]}`)
})

func printReport(suite *verify.Suite) {
	report := suite.Probe(context.Background())
	for _, problem := range report.Problems {
		fmt.Println(problem)
	}
	for _, r := range report.Results {
		fmt.Println(r.State, r.Name)
		for _, m := range r.Mismatches {
			fmt.Printf("  %s: %v\n", m.Kind, m)
		}
	}
}

// All that does not hold is reported, and not only the first.
func ExampleExpectation() {
	printReport(&verify.Suite{Handler: catalog, Tests: []verify.SmokeTest{{
		Endpoint: "/items",
		Statuses: []verify.StatusRange{verify.Status2xx, {From: 304}},
		Expect: []verify.Expectation{
			verify.HeaderMatches{Name: "content-type", Pattern: "^application/json"},
			verify.HeaderIs{Name: "Cache-Control", Value: "no-store"},
			verify.HeaderAbsent{Name: "Server"},
			verify.BodyContains{Text: `"sku"`},
			verify.BodyMatches{Pattern: `"price": [0-9.]+`},
			verify.Within{Limit: 2 * time.Second},
		},
	}}})

	// Output:
	// failed GET /items
	//   missing: header Cache-Control: want "no-store", got nothing
	//   unexpected: header Server: want nothing, got "shop/1.4"
}

// Elements are paired so that as many as possible have a partner of their own. Of
// one that has none, the report shows the closest.
func ExampleJSONContains() {
	printReport(&verify.Suite{Handler: catalog, Tests: []verify.SmokeTest{{
		Endpoint: "/items",
		Expect: []verify.Expectation{verify.JSONContains{
			Value: json.RawMessage(`{"items": [
				{"sku": "a", "price": 10.5},
				{"sku": "b", "tags": ["sale"]}
			]}`),
			Arrays: map[string]verify.ArrayMode{
				"$.items": verify.Unordered,
				"$..tags": verify.ContainsAnyOrder,
			},
			Absent: []string{"$.error", "$.items[*].cost"},
		}},
	}}})

	// Output:
	// failed GET /items
	//   missing: $.items: want an item {"sku":"a","price":10.5} (unordered), got none in 1 item left, closest is [1]
	//   type: $.items[1].price: want 10.5, got "10.50"
}

func ExampleJSONEquals() {
	printReport(&verify.Suite{Handler: api, Tests: []verify.SmokeTest{{
		Endpoint: "/healthz",
		Expect:   []verify.Expectation{verify.JSONEquals{Value: map[string]any{"status": "ok"}}},
	}}})

	// Output:
	// failed GET /healthz
	//   unexpected: $.version: want nothing, got "1.4.0"
}

func ExampleJSONPath() {
	printReport(&verify.Suite{Handler: catalog, Tests: []verify.SmokeTest{{
		Endpoint: "/items",
		Expect: []verify.Expectation{
			verify.JSONPath{Path: "$.page", Equals: 1},
			verify.JSONPath{Path: "$.items[*]", Count: 2},
			verify.JSONPath{Path: "$.items[*].sku", Nodes: verify.All, Pattern: "^[a-z]+$"},
			verify.JSONPath{Path: "$.items[*].sku", Nodes: verify.Exactly, Equals: []string{"b", "a"}},
			verify.JSONPath{Path: "$..tags[0]", Nodes: verify.Any, Equals: "new"},
			verify.JSONPath{Path: "$.items[*].price", Nodes: verify.All, Min: "0.01", Max: "100"},
			verify.JSONPath{Path: "$.next"}, // that it is there
			verify.JSONPath{Path: "$.error", Absent: true},
		},
	}}})

	// Output:
	// failed GET /items
	//   type: $.items[1].price: want at least 0.01, got "10.50"
	//   type: $.items[1].price: want at most 100, got "10.50"
	//   missing: $.next: want a value, got nothing
}

func ExampleCustom() {
	printReport(&verify.Suite{Handler: catalog, Tests: []verify.SmokeTest{{
		Endpoint: "/items",
		Expect: []verify.Expectation{verify.Custom{Name: "pages are full", Func: func(a verify.Answer) error {
			var page struct{ Items []struct{ SKU string } }
			if err := json.Unmarshal(a.Body, &page); err != nil {
				return err
			}
			if n := len(page.Items); n != 3 {
				return fmt.Errorf("%d items", n)
			}
			return nil
		}}},
	}}})

	// Output:
	// failed GET /items
	//   custom: pages are full: want no error, got an error: 2 items
}

// What could never be seen is refused before anything is sent.
func ExampleTLSExpiry() {
	test := verify.SmokeTest{Endpoint: "/", Expect: []verify.Expectation{verify.TLSExpiry{Remaining: 30 * 24 * time.Hour}}}
	printReport(&verify.Suite{URL: "http://shop.example", Tests: []verify.SmokeTest{test}})

	// Output:
	// Tests[0].Expect[0]: want an https URL, since nothing else has certificates
}
