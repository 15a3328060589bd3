package bench

import (
	"sync/atomic"
	"testing"
	"time"
)

// sink keeps what the loops return.
var sink atomic.Int64

// scenarios are the loops, by the names of the benchmarks.
var scenarios = []struct {
	name string
	run  func(s System, n int) int
}{
	{"S1", func(s System, n int) int { return s.Bool("s1", over(userCount, n)) }},
	{"S2", func(s System, n int) int { return s.Bool("s2", over(userCount, n)) }},
	{"S3", func(s System, n int) int { return s.Bool("s3", over(userCount, n)) }},
	{"S4", func(s System, n int) int { return s.Bool("s4", over(memberWalk, n)) }},
	{"S5", func(s System, n int) int { return s.Text(over(userCount, n)) }},
	{"S6cycle10k", func(s System, n int) int { return s.Cycle(over(userCount, n)) }},
	{"handlerS3", func(s System, n int) int { return s.Handler(over(userCount, n)) }},
	{"ten", func(s System, n int) int { return s.Ten(over(userCount, n)) }},
}

// BenchmarkEval is one evaluation; of "ten", a context and ten evaluations.
func BenchmarkEval(b *testing.B) {
	for _, scenario := range scenarios {
		b.Run(scenario.name, func(b *testing.B) {
			for _, system := range systems {
				b.Run(system.name, func(b *testing.B) {
					s := system.load()
					b.ReportAllocs()
					b.ResetTimer()
					sink.Add(int64(scenario.run(s, b.N)))
				})
			}
		})
	}
}

// BenchmarkLoop is what the loop costs: it is in every figure of BenchmarkEval.
func BenchmarkLoop(b *testing.B) {
	s := systemCalled("floor-ref").load().(*floorRef)
	b.ResetTimer()
	sink.Add(int64(s.nothing(over(userCount, b.N))))
}

// BenchmarkParallel is meant for -cpu 1,2. One turn of the testing package is a
// batch of evaluations, so that its own cost does not hide theirs; ns/op is that of
// one evaluation.
func BenchmarkParallel(b *testing.B) {
	const batch = 1000
	b.Run("S2", func(b *testing.B) {
		for _, system := range systems {
			b.Run(system.name, func(b *testing.B) {
				s := system.load()
				var goroutines atomic.Int64
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					// Each goroutine begins with other users.
					at, on := int(goroutines.Add(1))*9973%userCount, 0
					for ; pb.Next(); at = (at + batch) % userCount {
						on += s.Bool("s2", Walk{At: at, Left: batch, Users: userCount})
					}
					sink.Add(int64(on))
				})
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batch, "ns/op")
			})
		}
	})
}

// BenchmarkUpdate changes one flag while 10 000 are loaded.
func BenchmarkUpdate(b *testing.B) {
	for _, system := range systems {
		b.Run(system.name, func(b *testing.B) {
			s, ok := system.load().(Updater)
			if !ok {
				b.Skip("has no call for it")
			}
			b.ReportAllocs()
			b.ResetTimer()
			s.Update(b.N)
		})
	}
}

// BenchmarkRead is S6 by Ref in one goroutine while another, meant for -cpu 2, changes
// one of the flags a thousand times a second, or does not.
func BenchmarkRead(b *testing.B) {
	for _, updated := range []bool{false, true} {
		name := "quiet"
		if updated {
			name = "updated"
		}
		b.Run(name, func(b *testing.B) {
			s := systemCalled("guidon-ref").load().(*guidonRef)
			stop, ended := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(ended)
				tick := time.NewTicker(time.Millisecond)
				defer tick.Stop()
				for {
					select {
					case <-stop:
						return
					case <-tick.C:
						if updated {
							s.Update(1)
						}
					}
				}
			}()
			b.ResetTimer()
			sink.Add(int64(s.Cycle(over(userCount, b.N))))
			b.StopTimer()
			close(stop)
			<-ended
		})
	}
}
