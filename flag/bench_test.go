package flag_test

import (
	"testing"

	"github.com/guidon-go/guidon/flag"
)

// BenchmarkNoAlloc evaluates with a subject that is built each time, or not.
func BenchmarkNoAlloc(b *testing.B) {
	flags := opened()
	key := "user-123456"
	subject := flag.For(key, Country.Is("DK"), Staff.Is(false))
	view := flags.View(subject)
	b.Run("ramp/value", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			NewCheckout.Value(flags, &subject)
		}
	})
	b.Run("ramp/view", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			NewCheckout.From(view)
		}
	})
	b.Run("ramp/subject+value", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			subject := flag.For(key, Country.Is("DK"), Staff.Is(false))
			NewCheckout.Value(flags, &subject)
		}
	})
	b.Run("ramp/parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			subject := flag.For(key, Country.Is("DK"))
			for pb.Next() {
				NewCheckout.Value(flags, &subject)
			}
		})
	})
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		opened()
	}
}
