package health_test

import (
	"context"
	"database/sql"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/guidon-go/guidon/health"
)

// The order in which a service comes up and goes down. The context of the checks is
// not that of the signal: they are asked until the last request is answered.
func ExampleMonitor_Drain() {
	var db *sql.DB
	mux := http.NewServeMux()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()

	monitor, err := health.NewMonitor([]health.Check{
		{Name: "database", Probe: health.Ping(db)},
		{Name: "payments", Probe: health.HTTP("https://payments.example/ping", health.HTTPOptions{}), Optional: true},
	}, health.MonitorOptions{})
	if err != nil {
		log.Fatal(err) // everything that is wrong with the checks
	}
	asking, stop := context.WithCancel(context.Background())
	go monitor.Run(asking)
	mux.Handle("/livez", monitor.Live())
	mux.Handle("/readyz", monitor.Ready())
	window := health.NewWindow(health.WindowOptions{}) // window.Snapshot(time.Now()) is the last minute
	server := &http.Server{Addr: ":8080", Handler: window.Middleware(mux)}
	go server.ListenAndServe()

	<-ctx.Done()                   // as signal.NotifyContext ends it
	monitor.Drain()                // /readyz says no
	<-time.After(15 * time.Second) // the balancer has seen it
	server.Shutdown(context.Background())
	stop()
}
