package health_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
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

// What a probe can say beside yes and no.
func ExampleWarn() {
	free := func(gigabytes int, err error) health.Probe {
		return func(context.Context) error {
			switch {
			case err != nil:
				return health.Unsure(err) // says nothing of the disk
			case gigabytes == 0:
				return health.Fatal(errors.New("full")) // one is enough
			case gigabytes < 10:
				return health.Warn(fmt.Errorf("%d GB left", gigabytes)) // works, but look at it
			}
			return nil
		}
	}
	monitor, err := health.NewMonitor([]health.Check{
		{Name: "roomy", Probe: free(500, nil), PassAfter: 1, Interval: 10 * time.Millisecond},
		{Name: "narrow", Probe: free(5, nil), PassAfter: 1, Interval: 10 * time.Millisecond},
		{Name: "full", Probe: free(0, nil), Interval: 10 * time.Millisecond},
		{Name: "odd", Probe: free(0, errors.New("no such device")), Interval: 10 * time.Millisecond},
	}, health.MonitorOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- monitor.Run(ctx) }()
	for report := range monitor.Watch(ctx) {
		asked := 0
		for _, c := range report.Checks {
			if c.Last.Kind != 0 {
				asked++
			}
		}
		if asked < len(report.Checks) {
			continue // now and whenever something is new
		}
		for _, c := range report.Checks {
			fmt.Println(c.Name, "is", c.Status)
		}
		break
	}
	stop()
	<-ended
	// Output:
	// roomy is healthy
	// narrow is degraded
	// full is unhealthy
	// odd is unknown
}

// What those see who may, and those who may not.
func ExampleMonitor_Details() {
	monitor, err := health.NewMonitor([]health.Check{{Name: "database", Probe: health.TCP("db:5432")}},
		health.MonitorOptions{About: health.About{ServiceID: "shop", ReleaseID: "3.1.4"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	details := monitor.Details(func(r *http.Request) bool { return r.Header.Get("Authorization") == "secret" })
	for _, key := range []string{"", "secret"} {
		r, w := httptest.NewRequest("GET", "/healthz", nil), httptest.NewRecorder()
		r.Header.Set("Authorization", key)
		details.ServeHTTP(w, r)
		fmt.Print(w.Code, " ", w.Body)
	}
	// Output:
	// 503 {"status":"fail"}
	// 503 {"status":"fail","releaseId":"3.1.4","serviceId":"shop","output":"unknown: 0 of 1 checks healthy","checks":{"database:responseTime":[{"status":"fail","output":"database: unknown"}]}}
}
