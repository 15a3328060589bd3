package guidongrpc_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/guidon-go/guidon/health"
	guidongrpc "github.com/guidon-go/guidon/rollout/grpc"
)

func ExampleRegisterHealth() {
	monitor, err := health.NewMonitor([]health.Check{
		{Name: "database", Interval: 50 * time.Millisecond, Probe: func(context.Context) error { return nil }},
	}, health.MonitorOptions{Steady: time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go monitor.Run(ctx)
	if err := monitor.Check(ctx); err != nil { // waits until it knows
		log.Fatal(err)
	}

	server := grpc.NewServer()
	guidongrpc.RegisterHealth(server, monitor, map[string][]string{"shop.v1.Orders": {"database"}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go server.Serve(listener)
	defer server.Stop()

	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	client := healthpb.NewHealthClient(conn)
	check := func(service string) {
		answer, err := client.Check(ctx, &healthpb.HealthCheckRequest{Service: service})
		fmt.Println(answer.GetStatus(), err)
	}
	check("")
	check("shop.v1.Orders")
	monitor.Drain()
	check("shop.v1.Orders")
	// Output:
	// SERVING <nil>
	// SERVING <nil>
	// NOT_SERVING <nil>
}
