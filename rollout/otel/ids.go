package otel

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"go.opentelemetry.io/otel/trace"
)

// TraceID is the trace of a rollout that is no part of a pipeline, or of a run of one: the
// same in every process and after every restart, so that it can be linked to.
func TraceID(service, environment, id string) trace.TraceID {
	return trace.TraceID(digest("trace", service, environment, id)[:16])
}

// spanID is the span that a record begins, or of all if that is the first.
func spanID(id trace.TraceID, rollout string, seq uint64) trace.SpanID {
	return trace.SpanID(digest("span", id.String(), rollout, fmt.Sprint(seq))[:8])
}

func digest(parts ...string) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	return sum[:]
}

// IDs makes the IDs of spans, for the SDK's WithIDGenerator. Those of rollouts follow
// from the journal: a span that is told twice, as after a crash, is the same one, and the
// steps find the span of their rollout. All others are random, as without it. The zero
// value is ready, and safe for concurrent use.
type IDs struct{}

type wantedID struct{}

// NewIDs returns random IDs.
func (IDs) NewIDs(context.Context) (trace.TraceID, trace.SpanID) {
	var id trace.TraceID
	for !id.IsValid() {
		binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
		binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	}
	return id, randomSpan()
}

// NewSpanID returns the ID of a rollout's span, or a random one.
func (IDs) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	if id, ok := ctx.Value(wantedID{}).(trace.SpanID); ok && id.IsValid() {
		return id
	}
	return randomSpan()
}

func randomSpan() (id trace.SpanID) {
	for !id.IsValid() {
		binary.NativeEndian.PutUint64(id[:], rand.Uint64())
	}
	return id
}
