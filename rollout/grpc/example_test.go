package guidongrpc_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	guidongrpc "github.com/guidon-go/guidon/rollout/grpc"
)

var NewCheckout = flag.Bool("new-checkout", false)

// shop is a service whose method asks a flag.
type shop struct {
	pb.UnimplementedTestServiceServer
}

func (shop) UnaryCall(ctx context.Context, _ *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	subject := flag.FromContext(ctx).Subject()
	page := "the old checkout"
	if NewCheckout.On(ctx) {
		page = "the new checkout"
	}
	return &pb.SimpleResponse{Username: page + " for " + subject.Key()}, nil
}

// A server whose callers are its own services, and a client that is one of them.
func Example() {
	flags := flag.New(flag.Bytes([]byte(`{"flags": {"new-checkout": {"ramp": {"percent": 100}}}}`)), flag.Options{})
	if err := flags.Load(context.Background()); err != nil {
		log.Fatal(err)
	}
	served := health.NewWindow(health.WindowOptions{})
	options := guidongrpc.ServerOptions{
		Flags:  flags,
		Who:    func(ctx context.Context, _ string) flag.Subject { return flag.For(guidongrpc.Forwarded(ctx)) },
		Window: served,
	}
	server := grpc.NewServer(
		grpc.ChainUnaryInterceptor(guidongrpc.UnaryServer(options)),
		grpc.ChainStreamInterceptor(guidongrpc.StreamServer(options)))
	pb.RegisterTestServiceServer(server, shop{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go server.Serve(listener)
	defer server.Stop()

	sent := health.NewWindow(health.WindowOptions{})
	calls := guidongrpc.ClientOptions{Window: sent, Forward: true}
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithChainUnaryInterceptor(guidongrpc.UnaryClient(calls)),
		grpc.WithChainStreamInterceptor(guidongrpc.StreamClient(calls)))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	// In a real client the view is there already, by its own interceptor or middleware.
	ctx := flag.NewContext(context.Background(), flags.View(flag.For("ann")))
	answer, err := pb.NewTestServiceClient(conn).UnaryCall(ctx, &pb.SimpleRequest{})
	fmt.Println(answer.GetUsername(), err)
	_, err = pb.NewTestServiceClient(conn).EmptyCall(ctx, &pb.Empty{})
	fmt.Println(err)
	for _, window := range []*health.Window{served, sent} {
		m := window.Snapshot(time.Now())
		rate, _ := m.ErrorRate()
		fmt.Printf("%d calls, %.0f %% failed\n", m.Requests(), 100*rate)
	}
	// Output:
	// the new checkout for ann <nil>
	// rpc error: code = Unimplemented desc = method EmptyCall not implemented
	// 2 calls, 50 % failed
	// 2 calls, 50 % failed
}

// A flag that ramps itself by what becomes of calls. It is told that no HTTP middleware
// is to be expected.
func ExampleServerOptions_guards() {
	flags := flag.New(flag.Bytes([]byte(`{"flags": {"new-checkout": {}}}`)), flag.Options{})
	if err := flags.Load(context.Background()); err != nil {
		log.Fatal(err)
	}
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop", Environment: "production"})
	if err != nil {
		log.Fatal(err)
	}
	guard, err := engine.Guard(flags, rollout.Guarded{Flag: NewCheckout, Hold: 10 * time.Minute, Manual: true})
	if err != nil {
		log.Fatal(err)
	}
	options := guidongrpc.ServerOptions{
		Flags:  flags,
		Who:    func(ctx context.Context, _ string) flag.Subject { return flag.For(guidongrpc.Forwarded(ctx)) },
		Guards: []*rollout.Guard{guard},
	}
	server := grpc.NewServer(grpc.ChainUnaryInterceptor(guidongrpc.UnaryServer(options)))
	defer server.Stop()
	// go guard.Run(ctx), and serve.
}
