package verify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/guidon-go/guidon/verify"
)

// yesterday is a report as it was read from a file: what a run returns looks the
// same, but for its times.
var yesterday = verify.Report{
	Suite: "shop", Target: "https://shop.example", Start: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Took: 30 * time.Millisecond,
	Results: []verify.Result{
		{Name: "alive", Method: "GET", Endpoint: "/healthz", State: verify.Passed, Status: 200, ResponseTime: 4 * time.Millisecond},
		{
			Name: "cart", Method: "GET", Endpoint: "/cart", State: verify.Failed, Status: 200, ResponseTime: 20 * time.Millisecond,
			Mismatches: []verify.Mismatch{{Kind: verify.KindType, Path: "$.items[2].price", Want: "10.5", Got: `"10.5"`}},
			Curl:       "curl -sSig https://shop.example/cart",
		},
		{Name: "ads", Method: "GET", Endpoint: "/ads", Optional: true, Reason: `needs "cart", which failed`},
	},
}

func ExampleReport_String() {
	fmt.Println(yesterday)

	// Output:
	// suite "shop" against https://shop.example is not healthy
	// passed  alive (4ms)
	// failed  cart (20ms)
	//     cart: GET /cart -> $.items[2].price: want 10.5, got "10.5"
	//     curl -sSig https://shop.example/cart
	// skipped ads
	//     ads: GET /ads (optional) -> skipped: needs "cart", which failed
	// 3 tests: 1 passed, 1 failed, 1 skipped; response time 12ms on average, 20ms at most
}

func ExampleReport_MarshalJSON() {
	text, err := json.Marshal(yesterday)
	if err != nil {
		fmt.Println(err)
		return
	}
	var again verify.Report
	if err := json.Unmarshal(text, &again); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(again.Summary())
	fmt.Println(again.Results[1].State, again.Results[1].Mismatches[0])

	// Output:
	// 3 tests: 1 passed, 1 failed, 1 skipped; response time 12ms on average, 20ms at most
	// failed $.items[2].price: want 10.5, got "10.5"
}

func ExampleReport_WriteJUnit() {
	if err := yesterday.WriteJUnit(os.Stdout); err != nil {
		fmt.Println(err)
	}

	// Output:
	// <?xml version="1.0" encoding="UTF-8"?>
	// <testsuites name="shop" tests="3" failures="1" errors="0" skipped="1" time="0.030000">
	//   <testsuite name="shop" tests="3" failures="1" errors="0" skipped="1" time="0.024000" timestamp="2026-03-01T12:00:00">
	//     <testcase name="alive" classname="shop" time="0.004000"></testcase>
	//     <testcase name="cart" classname="shop" time="0.020000">
	//       <failure message="$.items[2].price: want 10.5, got &#34;10.5&#34;" type="type">$.items[2].price: want 10.5, got &#34;10.5&#34;&#xA;curl -sSig https://shop.example/cart</failure>
	//     </testcase>
	//     <testcase name="ads" classname="shop" time="0.000000">
	//       <skipped message="needs &#34;cart&#34;, which failed"></skipped>
	//     </testcase>
	//   </testsuite>
	// </testsuites>
}

func ExampleReport_WriteTAP() {
	if err := yesterday.WriteTAP(os.Stdout); err != nil {
		fmt.Println(err)
	}

	// Output:
	// TAP version 14
	// 1..3
	// ok 1 - alive
	//   ---
	//   duration_ms: 4.000
	//   ...
	// not ok 2 - cart
	//   ---
	//   duration_ms: 20.000
	//   severity: "fail"
	//   mismatches:
	//     - "$.items[2].price: want 10.5, got \"10.5\""
	//   details:
	//     - "curl -sSig https://shop.example/cart"
	//   ...
	// ok 3 - ads # SKIP needs "cart", which failed
}

func ExampleSecret() {
	suite := &verify.Suite{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // says more than it should
			http.Error(w, "no such token: "+r.Header.Get("X-Token"), http.StatusForbidden)
		}),
		Secrets: map[string]verify.Secret{"token": verify.Secret("4a9f-77c1")}, // from the environment
		Tests: []verify.SmokeTest{{
			Endpoint: "/orders?token=${token}",
			Header:   http.Header{"X-Token": {"${token}"}},
			Expect:   []verify.Expectation{verify.BodyContains{Text: "order"}},
		}},
	}

	report := suite.Probe(context.Background())
	for _, m := range report.Results[0].Mismatches {
		fmt.Println(m)
	}
	fmt.Println(report.Results[0].Curl)
	fmt.Println(suite.Secrets)

	// Output:
	// status: want 200, got 403
	// body: want "order" in it, got "no such token: [secret]\n"
	// curl -sSig --noproxy '*' --max-time 5 -H 'User-Agent: guidon-verify' -H 'X-Token: [secret]' -H Accept: "$URL"'/orders?token=[secret]'
	// map[token:[secret]]
}

func ExampleSuite_progress() {
	suite := &verify.Suite{
		Handler: api,
		Tests: []verify.SmokeTest{
			{Name: "alive", Endpoint: "/healthz"},
			{Name: "orders", Endpoint: "/orders"},
			{Name: "order", Endpoint: "/orders/1", Needs: []string{"orders"}},
		},
		OnStart:  func(r verify.Result) { fmt.Println(r.Name, "...") },
		OnResult: func(r verify.Result) { fmt.Println(r.Name, r.State) },
	}
	suite.Probe(context.Background())

	// Output:
	// alive ...
	// alive passed
	// orders ...
	// orders failed
	// order skipped
}
