package health_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/guidon-go/guidon/health"
)

// BenchmarkMonitorReport is a read of 1 000 checks.
func BenchmarkMonitorReport(b *testing.B) {
	var checks []health.Check
	for i := range 1000 {
		checks = append(checks, health.Check{Name: fmt.Sprint("check-", i), Probe: script(nil), PassAfter: 1, Interval: 10 * time.Second})
	}
	m, err := health.NewMonitor(checks, health.MonitorOptions{Steady: time.Millisecond})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error)
	go func() { ended <- m.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		<-ended
	})
	if err := m.Check(ctx); err != nil { // waits until all is well
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Report()
		}
	})
}
