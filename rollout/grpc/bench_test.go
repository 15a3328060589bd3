package guidongrpc_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	guidongrpc "github.com/guidon-go/guidon/rollout/grpc"
)

// BenchmarkUnary is a call over loopback, without interceptors and with them.
func BenchmarkUnary(b *testing.B) {
	for _, setup := range setups(b) {
		b.Run(setup.name, func(b *testing.B) {
			client := pb.NewTestServiceClient(onLoopback(b, asks(), setup.server, setup.client...))
			b.ReportAllocs()
			for b.Loop() {
				call(b, client)
			}
		})
	}
}

// BenchmarkAdded takes turns between a call without interceptors and one with them, so
// that a slow moment of the machine hits both, and reports their medians and by how much
// these differ.
func BenchmarkAdded(b *testing.B) {
	all := setups(b)
	for _, setup := range all {
		b.Run(setup.name, func(b *testing.B) {
			plain := pb.NewTestServiceClient(onLoopback(b, asks(), all[0].server))
			with := pb.NewTestServiceClient(onLoopback(b, asks(), setup.server, setup.client...))
			var took [2][]time.Duration
			for n := 0; b.Loop(); n++ {
				for turn := range 2 {
					side := (n + turn) % 2 // neither is always first
					start := time.Now()
					call(b, [2]pb.TestServiceClient{plain, with}[side])
					took[side] = append(took[side], time.Since(start))
				}
			}
			var medians [2]float64
			for side := range took {
				slices.Sort(took[side])
				medians[side] = float64(took[side][len(took[side])/2])
			}
			b.ReportMetric(medians[0], "ns/plain")
			b.ReportMetric(medians[1], "ns/with")
			b.ReportMetric(100*(medians[1]/medians[0]-1), "%added")
		})
	}
}

type setup struct {
	name   string
	server []grpc.ServerOption
	client []grpc.DialOption
}

// setups begin with no interceptors at all.
func setups(b *testing.B) []setup {
	flags, window := steadyFlags(b), health.NewWindow(health.WindowOptions{})
	server := func(o guidongrpc.ServerOptions) []grpc.ServerOption {
		return []grpc.ServerOption{grpc.UnaryInterceptor(guidongrpc.UnaryServer(o))}
	}
	client := []grpc.DialOption{grpc.WithUnaryInterceptor(guidongrpc.UnaryClient(guidongrpc.ClientOptions{Window: health.NewWindow(health.WindowOptions{})}))}
	who := func(ctx context.Context, _ string) flag.Subject { return flag.For(guidongrpc.Forwarded(ctx)) }
	all := guidongrpc.ServerOptions{Flags: flags, Who: who, Window: window, Guards: []*rollout.Guard{idle(b, flags, rollout.Guarded{})}}
	return []setup{
		{name: "plain"},
		{name: "an empty interceptor", server: []grpc.ServerOption{grpc.UnaryInterceptor(empty)}},
		{name: "window", server: server(guidongrpc.ServerOptions{Window: window})},
		{name: "view,window", server: server(guidongrpc.ServerOptions{Flags: flags, Who: who, Window: window})},
		{name: "view,window,client's", server: server(guidongrpc.ServerOptions{Flags: flags, Who: who, Window: window}), client: client},
		{name: "view,window,guard", server: server(all)},
	}
}

// empty does nothing; gRPC takes two allocations to call it.
func empty(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	return handler(ctx, request)
}

// asks is a service that asks a flag, whether or not there is a view.
func asks() func(*grpc.Server) {
	return tested(&service{unary: func(ctx context.Context) error { steady.On(ctx); return nil }})
}

func call(b *testing.B, client pb.TestServiceClient) {
	_, err := client.UnaryCall(metadata.AppendToOutgoingContext(b.Context(), guidongrpc.SubjectKey, "ann"), &pb.SimpleRequest{})
	require.NoError(b, err)
}

// BenchmarkInterceptor is what an interceptor takes apart from gRPC.
func BenchmarkInterceptor(b *testing.B) {
	flags, window := steadyFlags(b), health.NewWindow(health.WindowOptions{})
	who := func(context.Context, string) flag.Subject { return flag.For("ann") }
	for _, tt := range []struct {
		name    string
		options guidongrpc.ServerOptions
	}{
		{"window", guidongrpc.ServerOptions{Window: window}},
		{"view,window", guidongrpc.ServerOptions{Flags: flags, Who: who, Window: window}},
		{"view,window,guard", guidongrpc.ServerOptions{Flags: flags, Who: who, Window: window, Guards: []*rollout.Guard{idle(b, flags, rollout.Guarded{})}}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			intercept, info := guidongrpc.UnaryServer(tt.options), &grpc.UnaryServerInfo{FullMethod: unaryMethod}
			handler := func(ctx context.Context, _ any) (any, error) { steady.On(ctx); return nil, nil }
			b.ReportAllocs()
			for b.Loop() {
				_, _ = intercept(context.Background(), nil, info, handler)
			}
		})
	}
}
