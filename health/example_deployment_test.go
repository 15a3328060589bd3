package health_test

import (
	"context"
	"fmt"
	"time"

	"github.com/guidon-go/guidon/health"
)

// A version becomes ready; the next one breaks, and the host goes back when it is asked
// to.
func ExampleDeploymentMonitor() {
	window := func() *health.Window { return health.NewWindow(health.WindowOptions{}) }
	checks, err := health.NewMonitor([]health.Check{
		{Name: "database", Probe: func(context.Context) error { return nil }, Interval: 100 * time.Millisecond},
	}, health.MonitorOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	asked := make(chan health.Trigger, 1)
	deployment, err := health.NewDeploymentMonitor(checks, health.DeploymentOptions{
		Current:  health.Deployment{Version: "v1", Window: window()},
		Steady:   200 * time.Millisecond, // 10 s by default
		Every:    10 * time.Millisecond,  // 1 s by default
		Rollback: func(t health.Trigger) { asked <- t },
	})
	if err != nil {
		fmt.Println(err) // everything that is wrong with the settings
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error)
	go func() { ended <- checks.Run(ctx) }()
	go func() { ended <- deployment.Run(ctx) }()

	v2 := window() // in a service: v2.Middleware(handler)
	if _, err := deployment.Deploy(health.Deployment{Version: "v2", Window: v2}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("gate:", deployment.Check(ctx)) // waits until it is ready, or not
	for i := range 1000 {
		class := health.Success
		if i%5 == 0 {
			class = health.Failure
		}
		v2.Record(time.Now(), 20*time.Millisecond, class)
	}

	trigger := <-asked
	fmt.Println(trigger)
	// Here the host goes back, and says how that ended:
	deployment.RolledBack(trigger.Generation, nil)
	for report := range deployment.Watch(ctx) {
		if report.Status != health.RollingBack { // it has come to its end
			fmt.Println(report.Version, report.Status, "again")
			break
		}
	}
	stop()
	fmt.Println("ended:", <-ended, <-ended)
	// Output:
	// gate: <nil>
	// roll back from v2 to v1: success rate: 20.0 % of 1,000 requests fail, so at most 82.4 % succeed, want 95 %
	// v1 ready again
	// ended: <nil> <nil>
}
