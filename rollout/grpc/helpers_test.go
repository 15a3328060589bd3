package guidongrpc_test

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/guidon-go/guidon/health"
	guidongrpc "github.com/guidon-go/guidon/rollout/grpc"
)

// service does in each method what a test says.
type service struct {
	pb.UnimplementedTestServiceServer
	unary  func(context.Context) error
	stream func(grpc.ServerStream) error
}

func (s *service) UnaryCall(ctx context.Context, _ *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	return &pb.SimpleResponse{}, s.unary(ctx)
}

func (s *service) StreamingOutputCall(_ *pb.StreamingOutputCallRequest, stream pb.TestService_StreamingOutputCallServer) error {
	return s.stream(stream)
}

func (s *service) StreamingInputCall(stream pb.TestService_StreamingInputCallServer) error {
	return s.stream(stream)
}

const (
	unaryMethod  = "/grpc.testing.TestService/UnaryCall"
	outputMethod = "/grpc.testing.TestService/StreamingOutputCall"
	inputMethod  = "/grpc.testing.TestService/StreamingInputCall"
)

// recovered stands outside, as in servers that outlive their handlers' panics.
func recovered(err *error) {
	if recover() != nil {
		*err = status.Error(codes.Internal, "recovered")
	}
}

// serving are the options of a server behind the interceptors.
func serving(o guidongrpc.ServerOptions) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (_ any, err error) {
			defer recovered(&err)
			return handler(ctx, req)
		}, guidongrpc.UnaryServer(o)),
		grpc.ChainStreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
			defer recovered(&err)
			return handler(srv, stream)
		}, guidongrpc.StreamServer(o)),
	}
}

// calling are the options of a client with the interceptors.
func calling(o guidongrpc.ClientOptions) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithChainUnaryInterceptor(guidongrpc.UnaryClient(o)),
		grpc.WithChainStreamInterceptor(guidongrpc.StreamClient(o)),
	}
}

// inMemory starts a server without a socket, which works in a bubble, too, and dials it.
func inMemory(t testing.TB, register func(*grpc.Server), server []grpc.ServerOption, client ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	listener := bufconn.Listen(1 << 16)
	client = append(client, grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	return connect(t, listener, "passthrough:///memory", register, server, client)
}

// onLoopback does it with one.
func onLoopback(t testing.TB, register func(*grpc.Server), server []grpc.ServerOption, client ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return connect(t, listener, listener.Addr().String(), register, server, client)
}

func connect(t testing.TB, listener net.Listener, target string, register func(*grpc.Server), server []grpc.ServerOption, client []grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	s := grpc.NewServer(server...)
	register(s)
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	conn, err := grpc.NewClient(target, append(client, grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		s.Stop()
		require.NoError(t, <-served)
	})
	return conn
}

// tested registers the service.
func tested(s *service) func(*grpc.Server) {
	return func(server *grpc.Server) { pb.RegisterTestServiceServer(server, s) }
}

// calls remembers what became of each call, beside its class.
type calls struct {
	mu  sync.Mutex
	all []guidongrpc.Call
}

func (c *calls) classify(call guidongrpc.Call) health.Class {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, call)
	return call.Class()
}

// only returns the one call that there was.
func (c *calls) only(t testing.TB) guidongrpc.Call {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	require.Len(t, c.all, 1)
	return c.all[0]
}
