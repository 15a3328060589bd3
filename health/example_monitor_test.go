package health_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/guidon-go/guidon/health"
)

// A monitor asks on its own; readers only look at what it found.
func ExampleMonitor() {
	down := errors.New("connection refused")
	monitor, err := health.NewMonitor([]health.Check{
		{Name: "database", Probe: func(context.Context) error { return nil }, Interval: 20 * time.Millisecond},
		{Name: "mail", Probe: func(context.Context) error { return down }, Optional: true, Interval: 20 * time.Millisecond, Startup: time.Millisecond},
	}, health.MonitorOptions{Steady: 300 * time.Millisecond})
	if err != nil {
		fmt.Println(err) // everything that is wrong with the checks
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- monitor.Run(ctx) }()

	fmt.Println("gate:", monitor.Check(ctx)) // waits until all has been well for a while
	report := monitor.Report()
	mail, _ := report.Check("mail")
	fmt.Println(report.Status, "because mail is", mail.Status, "with", mail.Last.Err)
	stop()
	fmt.Println("ended:", <-ended)
	// Output:
	// gate: <nil>
	// degraded because mail is unhealthy with connection refused
	// ended: <nil>
}

// What a service mounts for its platform and for its people.
func ExampleMonitor_Ready() {
	monitor, err := health.NewMonitor([]health.Check{
		{Name: "dns", Probe: health.DNS("payments.example")},
		{Name: "payments", Probe: health.HTTP("https://payments.example/ping", health.HTTPOptions{}), Needs: []string{"dns"}},
		{Name: "certificate", Probe: health.TLS("payments.example:443", 14*24*time.Hour, nil), Optional: true, Interval: time.Hour},
		{Name: "disk", Probe: health.Disk("/var/lib/shop", 1<<30), Interval: time.Minute},
	}, health.MonitorOptions{OnChange: func(c health.Change) { slog.Info("check changed", "check", c.To.String()) }})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/livez", monitor.Live())
	mux.Handle("/readyz", monitor.Ready())
	mux.Handle("/healthz", monitor.Details(func(r *http.Request) bool { return r.Header.Get("Authorization") == "secret" }))
	fmt.Println(monitor.Report())
	// Output:
	// unknown: 0 of 4 checks healthy
	// 	dns: unknown
	// 	payments: unknown
	// 	certificate: unknown
	// 	disk: unknown
}
