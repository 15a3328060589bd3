package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// serve is the program that is deployed. It says its version, and version 3 is broken.
func serve(version string) {
	var carts atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	answer := func(w http.ResponseWriter, status int) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Served-By", version)
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"version": %q}`, version)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK) })
	mux.HandleFunc("/cart", func(w http.ResponseWriter, _ *http.Request) {
		if version == "v3" && carts.Add(1)%2 == 0 {
			answer(w, http.StatusInternalServerError)
			return
		}
		answer(w, http.StatusOK)
	})
	server := &http.Server{Addr: os.Getenv("ADDR"), Handler: mux}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	over := make(chan struct{})
	go func() {
		<-ctx.Done()
		server.Shutdown(context.Background()) // what it has begun comes to its end
		close(over)
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		must(err)
	}
	<-over
}
