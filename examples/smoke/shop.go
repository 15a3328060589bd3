package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
)

type item struct {
	SKU   string  `json:"sku"`
	Price float64 `json:"price"`
}

type cart struct {
	ID    string `json:"id"`
	Owner string `json:"owner"`
	Items []item `json:"items"`
}

// shop is the service: carts in memory.
type shop struct {
	token  string
	broken bool

	mu    sync.Mutex // guards what follows
	warm  bool
	carts map[string]*cart
	made  int
}

func newShop(token string, broken bool) http.Handler {
	s := &shop{token: token, broken: broken, carts: map[string]*cart{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("POST /carts", s.create)
	mux.HandleFunc("GET /carts/{id}", s.with(s.show))
	mux.HandleFunc("PUT /carts/{id}/items", s.with(s.fill))
	mux.HandleFunc("DELETE /carts/{id}", s.with(s.remove))
	return mux
}

// ready is not, the first time it is asked.
func (s *shop) ready(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.warm {
		s.warm = true
		http.Error(w, "warming up", http.StatusServiceUnavailable)
	}
}

func (s *shop) create(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+s.token {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	c := &cart{ID: fmt.Sprintf("cart/%d", s.made)}
	if err := json.NewDecoder(r.Body).Decode(c); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.carts[c.ID] = c
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(c)
}

// with finds the cart that a request is about.
func (s *shop) with(do func(http.ResponseWriter, *http.Request, *cart)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if c := s.carts[r.PathValue("id")]; c != nil {
			do(w, r, c)
		} else {
			http.NotFound(w, r)
		}
	}
}

func (s *shop) show(w http.ResponseWriter, _ *http.Request, c *cart) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(c)
}

func (s *shop) fill(w http.ResponseWriter, r *http.Request, c *cart) {
	var items []item
	if err := json.NewDecoder(r.Body).Decode(&items); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for i := range items {
		if s.broken {
			items[i].Price = 0
		}
	}
	c.Items = slices.Concat(c.Items, items)
	w.WriteHeader(http.StatusNoContent)
}

func (s *shop) remove(w http.ResponseWriter, _ *http.Request, c *cart) {
	delete(s.carts, c.ID)
	w.WriteHeader(http.StatusNoContent)
}
