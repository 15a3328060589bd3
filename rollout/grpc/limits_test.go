package guidongrpc_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	guidongrpc "github.com/guidon-go/guidon/rollout/grpc"
)

// limited is a stream with a time limit of the server's.
type limited struct {
	grpc.ServerStream
	ctx context.Context
}

func (s limited) Context() context.Context { return s.ctx }

// limits are interceptors that give calls a second, outside of ours.
func limits(o guidongrpc.ServerOptions) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			return handler(ctx, request)
		}, guidongrpc.UnaryServer(o)),
		grpc.ChainStreamInterceptor(func(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
			ctx, cancel := context.WithTimeout(stream.Context(), time.Second)
			defer cancel()
			return handler(service, limited{stream, ctx})
		}, guidongrpc.StreamServer(o)),
	}
}

// TestServerLimits: a call that a time limit of the server's ends is what its client gets,
// and not one that the client has given up.
func TestServerLimits(t *testing.T) {
	for _, stream := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			seen, window := &calls{}, health.NewWindow(health.WindowOptions{})
			conn := inMemory(t, tested(&service{unary: hangs, stream: func(s grpc.ServerStream) error {
				if err := s.SendMsg(&pb.StreamingOutputCallResponse{}); err != nil {
					return err
				}
				return hangs(s.Context())
			}}), limits(guidongrpc.ServerOptions{Window: window, Classify: seen.classify}))
			client := pb.NewTestServiceClient(conn)
			var err error
			if stream {
				var answers grpc.ServerStreamingClient[pb.StreamingOutputCallResponse]
				answers, err = client.StreamingOutputCall(t.Context(), &pb.StreamingOutputCallRequest{})
				for err == nil {
					_, err = answers.Recv()
				}
			} else {
				_, err = client.UnaryCall(t.Context(), &pb.SimpleRequest{})
			}
			require.Equal(t, codes.DeadlineExceeded, status.Code(err))
			synctest.Wait()
			call := seen.only(t)
			require.Equal(t, codes.DeadlineExceeded, call.Code)
			require.Equal(t, stream, call.Begun)
			counts(t, window, health.Failure)
		})
	}
}

// TestWhoPanics: a call for nobody knows whom is a failure, and the panic goes on.
func TestWhoPanics(t *testing.T) {
	for _, stream := range []bool{false, true} {
		seen, window := &calls{}, health.NewWindow(health.WindowOptions{})
		conn := inMemory(t, tested(&service{}), serving(guidongrpc.ServerOptions{Flags: steadyFlags(t), Window: window, Classify: seen.classify,
			Who: func(context.Context, string) flag.Subject { panic("no such metadata") }}))
		client := pb.NewTestServiceClient(conn)
		method := unaryMethod
		var err error
		if stream {
			method = outputMethod
			var answers grpc.ServerStreamingClient[pb.StreamingOutputCallResponse]
			answers, err = client.StreamingOutputCall(t.Context(), &pb.StreamingOutputCallRequest{})
			require.NoError(t, err)
			_, err = answers.Recv()
		} else {
			_, err = client.UnaryCall(t.Context(), &pb.SimpleRequest{})
		}
		require.Equal(t, "recovered", status.Convert(err).Message())
		call := seen.only(t)
		call.Latency = 0
		require.Equal(t, guidongrpc.Call{Method: method, Code: codes.Unknown, Panicked: true}, call)
		counts(t, window, health.Failure)
	}
}

// TestNil: what is required panics at once, and not in the first call.
func TestNil(t *testing.T) {
	const want = "guidongrpc: ServerOptions.Guards[0] is nil, want a guard"
	o := guidongrpc.ServerOptions{Guards: []*rollout.Guard{nil}}
	require.PanicsWithValue(t, want, func() { guidongrpc.UnaryServer(o) })
	require.PanicsWithValue(t, want, func() { guidongrpc.StreamServer(o) })
	require.PanicsWithValue(t, "guidongrpc: RegisterHealth: the monitor is nil, want one", func() { guidongrpc.RegisterHealth(grpc.NewServer(), nil, nil) })
}
