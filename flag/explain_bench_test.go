package flag_test

import (
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
)

// typical is a flag as most are: one rule of ten countries, then a ramp, and a subject
// with five attributes.
func typical(t testing.TB) (*flag.Store, flag.Subject) {
	store := load(t, `{"flags": {"explain-typical": {
		"rules": [{"if": {"attr": "explain-country", "in": ["AT", "BE", "CH", "DE", "ES", "FI", "FR", "IT", "NL", "PT"]}, "serve": "on"}],
		"ramp": {"percent": 50}}}}`)
	return store, flag.For("user-123456",
		flag.Attr[string]("explain-country").Is("SE"), flag.Attr[string]("explain-plan").Is("pro"), flag.Attr[int]("explain-age").Is(42),
		flag.Attr[bool]("explain-staff").Is(false), flag.Attr[string]("explain-mail").Is("anna@example.com"))
}

// BenchmarkExplain gives the ratio to a by-key evaluation of the same flag.
func BenchmarkExplain(b *testing.B) {
	store, subject := typical(b)
	b.ReportAllocs()
	byKey := flag.ByKey("explain-typical", false)
	store.Explain("explain-typical", &subject)
	const rounds = 1000
	var explaining, evaluating time.Duration
	for b.Loop() {
		from := time.Now()
		for range rounds {
			byKey.Value(store, &subject)
		}
		middle := time.Now()
		for range rounds {
			store.Explain("explain-typical", &subject)
		}
		evaluating, explaining = evaluating+middle.Sub(from), explaining+time.Since(middle)
	}
	b.ReportMetric(float64(explaining.Nanoseconds())/float64(b.N*rounds), "ns/explain")
	b.ReportMetric(float64(explaining)/float64(evaluating), "x/by-key")
}
