package guidongrpc_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	guidongrpc "github.com/guidon-go/guidon/rollout/grpc"
)

// in and out are streams that go nowhere.
type (
	in  struct{ grpc.ServerStream }
	out struct{ grpc.ClientStream }
)

func (in) Context() context.Context { return context.Background() }
func (in) SendMsg(any) error        { return nil }
func (out) RecvMsg(any) error       { return nil }

// TestAllocations: what each interceptor adds, apart from gRPC.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	flags := steadyFlags(t)
	who := func(context.Context, string) flag.Subject { return flag.For("ann") }
	window := health.NewWindow(health.WindowOptions{Span: time.Hour})
	window.Record(time.Now(), 0, health.Success) // its first step
	guard := idle(t, flags, rollout.Guarded{})
	viewed := flag.NewContext(t.Context(), flags.View(flag.For("ann")))
	server := func(o guidongrpc.ServerOptions) func() {
		intercept, info := guidongrpc.UnaryServer(o), &grpc.UnaryServerInfo{FullMethod: unaryMethod}
		handler := func(ctx context.Context, _ any) (any, error) { steady.On(ctx); return nil, nil }
		return func() { _, _ = intercept(context.Background(), nil, info, handler) }
	}
	stream := func(o guidongrpc.ServerOptions) func() {
		intercept, info := guidongrpc.StreamServer(o), &grpc.StreamServerInfo{FullMethod: outputMethod}
		handler := func(_ any, s grpc.ServerStream) error { steady.On(s.Context()); return s.SendMsg(nil) }
		return func() { _ = intercept(nil, in{}, info, handler) }
	}
	client := func(o guidongrpc.ClientOptions) func() {
		intercept := guidongrpc.UnaryClient(o)
		invoke := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return nil }
		return func() { _ = intercept(viewed, unaryMethod, nil, nil, nil, invoke) }
	}
	clientStream := func(o guidongrpc.ClientOptions) func() {
		intercept, desc := guidongrpc.StreamClient(o), &grpc.StreamDesc{}
		open := func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
			return out{}, nil
		}
		return func() {
			s, _ := intercept(viewed, desc, nil, outputMethod, open)
			_ = s.RecvMsg(nil)
		}
	}
	tests := []struct {
		name string
		call func()
		want float64
	}{
		{"unary: window", server(guidongrpc.ServerOptions{Window: window}), 0},
		{"unary: view, window", server(guidongrpc.ServerOptions{Flags: flags, Who: who, Window: window}), 1},
		{"unary: view, window, guard", server(guidongrpc.ServerOptions{Flags: flags, Who: who, Window: window, Guards: []*rollout.Guard{guard}}), 2},
		{"unary: view, window, two guards", server(guidongrpc.ServerOptions{Flags: flags, Who: who, Window: window, Guards: []*rollout.Guard{guard, guard}}), 4},
		{"stream: view, window, guard", stream(guidongrpc.ServerOptions{Flags: flags, Who: who, Window: window, Guards: []*rollout.Guard{guard}}), 6},
		{"stream: view, window", stream(guidongrpc.ServerOptions{Flags: flags, Who: who, Window: window}), 2},
		{"client: window", client(guidongrpc.ClientOptions{Window: window}), 0},
		{"client: forward", client(guidongrpc.ClientOptions{Forward: true}), 4},
		{"client's stream: window", clientStream(guidongrpc.ClientOptions{Window: window}), 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, testing.AllocsPerRun(1000, tt.call))
		})
	}
}
