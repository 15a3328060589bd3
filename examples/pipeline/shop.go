package main

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/guidon-go/guidon/verify"
)

// program is what the build makes and a version is started from. A real one is a binary
// or an image; this one says what the handler below does.
type program struct {
	Version string `json:"version"`
	Column  string `json:"column"`        // that it reads and writes
	Bug     string `json:"bug,omitempty"` // what is wrong with it
}

// bugs are what a build has, by the stage that fails by it.
var bugs = map[string]string{
	"verify": "forgets the cents",
	"canary": "breaks at .99", // of which the smoke suite knows nothing
}

// compile writes the program to its file, once: what is there is never changed.
func (s *site) compile(p program) (file string, err error) {
	file = s.file(p.Version)
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	text, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return "", err
	}
	if err := os.WriteFile(file+".part", text, 0o600); err != nil {
		return "", err
	}
	return file, os.Rename(file+".part", file)
}

// start starts a version from its program's file.
func start(file string, orders *database) (http.Handler, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	v := &version{orders: orders}
	if err := json.Unmarshal(text, &v.program); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", v.place)
	mux.HandleFunc("GET /orders/{id}", v.show)
	mux.HandleFunc("DELETE /orders/{id}", v.cancel)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Served-By", v.Version)
		mux.ServeHTTP(w, r)
	}), nil
}

// version is the shop's program, running.
type version struct {
	program
	orders *database
}

// receipt is an order as users see it, whatever the version.
type receipt struct {
	ID    string `json:"id"`
	Item  string `json:"item"`
	Total string `json:"total"`
}

func (v *version) place(w http.ResponseWriter, r *http.Request) {
	var asked receipt
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	cents, err := inCents(asked.Total)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	o := order{ID: rand.Text(), Item: asked.Item, Total: asked.Total}
	if v.Column == "total_cents" {
		o.Total, o.Cents = "", &cents
	}
	if err := v.orders.put(o); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	v.answer(w, http.StatusCreated, o)
}

func (v *version) show(w http.ResponseWriter, r *http.Request) {
	o, err := v.orders.get(r.PathValue("id"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	v.answer(w, http.StatusOK, o)
}

func (v *version) cancel(w http.ResponseWriter, r *http.Request) {
	if err := v.orders.remove(r.PathValue("id")); err != nil {
		http.NotFound(w, r)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// answer reads the amount from the column that this version knows.
func (v *version) answer(w http.ResponseWriter, status int, o order) {
	total := o.Total
	if v.Column == "total_cents" {
		if total = ""; o.Cents != nil {
			total = amount(*o.Cents)
		}
	}
	switch {
	case total == "", v.Bug == bugs["canary"] && strings.HasSuffix(total, ".99"):
		http.Error(w, "no total", http.StatusInternalServerError)
		return
	case v.Bug == bugs["verify"]:
		total, _, _ = strings.Cut(total, ".")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(receipt{o.ID, o.Item, total})
}

// The smoke suite: an order is placed, read and removed.
var (
	placing = []verify.SmokeTest{{
		Name: "place an order", Method: "POST", Endpoint: "/orders", Body: `{"item": "smoke", "total": "12.50"}`,
		ExpectedStatus: http.StatusCreated, Capture: map[string]verify.From{"order": {JSON: "$.id"}},
	}}
	reading = []verify.SmokeTest{{
		Name: "what it costs", Endpoint: "/orders/${order}", ExpectedResponse: map[string]any{"item": "smoke", "total": "12.50"},
	}}
	removing = []verify.SmokeTest{{
		Name: "no order is left", Method: "DELETE", Endpoint: "/orders/${order}", ExpectedStatus: http.StatusNoContent,
	}}
)

// through sends the tests to a version, whoever else gets it.
func through(version string, tests []verify.SmokeTest) []verify.SmokeTest {
	pinned := make([]verify.SmokeTest, len(tests))
	for i, test := range tests {
		test.Header = http.Header{"Version": {version}}
		pinned[i] = test
	}
	return pinned
}
