package health_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guidon-go/guidon/health"
)

// thousand is a monitor of 1 000 checks that runs.
func thousand(tb testing.TB) *health.Monitor {
	var checks []health.Check
	for i := range 1000 {
		checks = append(checks, health.Check{Name: fmt.Sprint("check-", i), Probe: script(nil), PassAfter: 1, Interval: time.Second})
	}
	m, err := health.NewMonitor(checks, health.MonitorOptions{Steady: time.Millisecond})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(tb.Context())
	ended := make(chan error)
	go func() { ended <- m.Run(ctx) }()
	tb.Cleanup(func() {
		stop()
		<-ended
	})
	if err := m.Check(ctx); err != nil { // waits until all is well
		tb.Fatal(err)
	}
	return m
}

// BenchmarkMonitorReport is a read of 1 000 checks while they are asked, by one reader
// and by 100, beside an atomic load.
func BenchmarkMonitorReport(b *testing.B) {
	m := thousand(b)
	b.Run("floor: an atomic load", func(b *testing.B) {
		var p atomic.Pointer[health.Report]
		p.Store(m.Report())
		for b.Loop() {
			p.Load()
		}
	})
	b.Run("1 reader", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Report()
		}
	})
	b.Run("100 readers", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(100)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				m.Report()
			}
		})
	})
}

func TestReportAllocatesNothing(t *testing.T) {
	m := monitor(t, health.MonitorOptions{}, health.Check{Name: "db", Probe: script(nil)})
	if n := testing.AllocsPerRun(1000, func() { m.Report() }); n != 0 {
		t.Errorf("got %v allocations a read", n)
	}
}
