package main

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/verify"
)

// The flags, declared once.
var (
	NewSearch   = flag.Bool("new-search", false)
	NewCheckout = flag.Bool("new-checkout", false)
	Staff       = flag.Attr[bool]("staff")
)

// who says whom a request is for.
func who(r *http.Request) flag.Subject {
	return flag.For(r.Header.Get("X-User"), Staff.Is(r.Header.Get("X-Staff") == "yes"))
}

// shop is the service: it knows nothing of rollouts.
func shop() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /search", search)
	mux.HandleFunc("GET /checkout", checkout)
	return mux
}

func search(w http.ResponseWriter, r *http.Request) {
	if NewSearch.On(r.Context()) {
		answer(w, r, "new", 4*time.Millisecond, false)
		return
	}
	answer(w, r, "old", 6*time.Millisecond, false)
}

func checkout(w http.ResponseWriter, r *http.Request) {
	if NewCheckout.On(r.Context()) {
		cart, _ := strconv.Atoi(r.FormValue("cart"))
		answer(w, r, "new", 18*time.Millisecond, cart%13 == 12) // 8 % of all carts
		return
	}
	answer(w, r, "old", 8*time.Millisecond, false)
}

// brokenAccounts fail always, on every path, and their owners try again all the
// time. A comparison of requests would take that for the change's fault whenever
// chance puts them on the new side; one of users counts each of them once.
var brokenAccounts = []string{"user-7", "user-77"}

// answer takes some time and works, except for what is broken.
func answer(w http.ResponseWriter, r *http.Request, path string, takes time.Duration, broken bool) {
	cart, _ := strconv.Atoi(r.FormValue("cart"))
	time.Sleep(takes + time.Duration(cart%5)*time.Millisecond)
	if broken || slices.Contains(brokenAccounts, r.Header.Get("X-User")) {
		http.Error(w, "something went wrong", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"path":%q,"cart":%d}`, path, cart)
}

// smoke tries a new code path as staff, before anybody else sees it. It passes for
// both: the cart that it tries is not one that breaks.
func smoke(handler http.Handler, endpoint string) *verify.Suite {
	return &verify.Suite{
		Name:    "smoke",
		Handler: handler,
		Tests: []verify.SmokeTest{{
			Name:             "the new path answers",
			Endpoint:         endpoint + "?cart=1",
			Header:           http.Header{"X-User": {"smoke"}, "X-Staff": {"yes"}},
			ExpectedStatus:   http.StatusOK,
			ExpectedResponse: map[string]any{"path": "new", "cart": 1},
		}},
	}
}
