package otel_test

import (
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/guidon-go/guidon/flag"
)

var (
	checkout = flag.Bool("new-checkout", false)
	page     = flag.String("page", "old")
)

const document = `{"flags": {
	"new-checkout": {"ramp": {"percent": 100}},
	"page": {"variants": {"old": "old", "R&D": "new"}, "serve": "R&D"}
}}`

func store(t testing.TB, on func(flag.ExposureInfo)) *flag.Store {
	t.Helper()
	s := flag.New(flag.Bytes([]byte(document)), flag.Options{OnExposure: on})
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// texts is attributes as text, by key.
func texts(attrs []attribute.KeyValue) map[string]string {
	m := map[string]string{}
	for _, kv := range attrs {
		m[string(kv.Key)] = kv.Value.String()
	}
	return m
}
