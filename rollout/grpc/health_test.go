package guidongrpc_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/health" // the client's side of it
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/guidon-go/guidon/health"
	guidongrpc "github.com/guidon-go/guidon/rollout/grpc"
)

const (
	up      = healthpb.HealthCheckResponse_SERVING
	down    = healthpb.HealthCheckResponse_NOT_SERVING
	unknown = healthpb.HealthCheckResponse_SERVICE_UNKNOWN
)

// patient is a monitor whose checks a test moves, once a second.
type patient struct {
	*health.Monitor
	database, cache, queue atomic.Bool // whether it is broken
}

func newPatient(t testing.TB) *patient {
	t.Helper()
	p := &patient{}
	check := func(name string, broken *atomic.Bool) health.Check {
		return health.Check{Name: name, Interval: time.Second, FailAfter: 1, PassAfter: 1, Probe: func(context.Context) error {
			if broken.Load() {
				return errors.New("broken")
			}
			return nil
		}}
	}
	cache, queue := check("cache", &p.cache), check("queue", &p.queue)
	cache.Optional, queue.Needs = true, []string{"database"}
	monitor, err := health.NewMonitor([]health.Check{check("database", &p.database), cache, queue}, health.MonitorOptions{})
	require.NoError(t, err)
	p.Monitor = monitor
	return p
}

// run runs the monitor until the test ends.
func (p *patient) run(t testing.TB) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
}

var services = map[string][]string{
	"shop.Orders":  {"queue"},
	"shop.Search":  {"cache"},
	"shop.Both":    {"cache", "database"},
	"shop.Whole":   {},
	"shop.Missing": {"database", "no such check"},
}

func (p *patient) registered(server *grpc.Server) {
	guidongrpc.RegisterHealth(server, p.Monitor, services)
}

// TestHealth: Check and List say what the monitor says, of each service.
func TestHealth(t *testing.T) {
	type statuses = map[string]healthpb.HealthCheckResponse_ServingStatus
	all := func(s healthpb.HealthCheckResponse_ServingStatus) statuses {
		return statuses{"": s, "shop.Orders": s, "shop.Search": s, "shop.Both": s, "shop.Whole": s, "shop.Missing": down}
	}
	tests := []struct {
		name string
		then func(*patient)
		want statuses
	}{
		{"nothing is known yet", nil, all(down)},
		{"well", func(*patient) {}, all(up)},
		{"degraded", func(p *patient) { p.cache.Store(true) }, statuses{"": up, "shop.Orders": up, "shop.Search": down, "shop.Both": down, "shop.Whole": up, "shop.Missing": down}},
		{"what it needs is broken", func(p *patient) { p.database.Store(true); p.queue.Store(true) }, statuses{"": down, "shop.Orders": down, "shop.Search": up, "shop.Both": down, "shop.Whole": down, "shop.Missing": down}},
		{"in maintenance", func(p *patient) {
			p.cache.Store(true)
			_ = p.Maintain("cache", time.Now().Add(time.Hour))
		}, statuses{"": up, "shop.Orders": up, "shop.Search": down, "shop.Both": up, "shop.Whole": up, "shop.Missing": down}},
		{"draining", func(p *patient) { p.Drain() }, all(down)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPatient(t)
				client := healthpb.NewHealthClient(inMemory(t, p.registered, nil))
				if tt.then != nil {
					p.run(t)
					tt.then(p)
					time.Sleep(time.Minute)
				}
				got := statuses{}
				list, err := client.List(t.Context(), &healthpb.HealthListRequest{})
				require.NoError(t, err)
				for name, s := range list.Statuses {
					got[name] = s.Status
				}
				require.Equal(t, tt.want, got)
				for name, want := range tt.want {
					got, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{Service: name})
					require.NoError(t, err)
					require.Equal(t, want, got.Status, name)
				}
				_, err = client.Check(t.Context(), &healthpb.HealthCheckRequest{Service: "database"})
				require.Equal(t, codes.NotFound, status.Code(err), "checks have names of their own")
			})
		})
	}
}

// TestHealthForgets: what nobody has asked for too long is not said to serve.
func TestHealthForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient(t)
		client := healthpb.NewHealthClient(inMemory(t, p.registered, nil))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, p.Run(ctx))
		for _, want := range []healthpb.HealthCheckResponse_ServingStatus{up, down} {
			got, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{})
			require.NoError(t, err)
			require.Equal(t, want, got.Status)
			time.Sleep(time.Hour)
		}
	})
}

// TestWatch: whoever watches is told how a service stands, and each time it changes, and
// no more often; of an unknown one that it is, on a stream that stays open.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient(t)
		client := healthpb.NewHealthClient(inMemory(t, p.registered, nil))
		watch := func(service string) (told func() []healthpb.HealthCheckResponse_ServingStatus) {
			stream, err := client.Watch(t.Context(), &healthpb.HealthCheckRequest{Service: service})
			require.NoError(t, err)
			news := make(chan healthpb.HealthCheckResponse_ServingStatus, 100)
			go func() {
				for {
					m, err := stream.Recv()
					if err != nil {
						return
					}
					news <- m.Status
				}
			}()
			return func() (all []healthpb.HealthCheckResponse_ServingStatus) {
				for synctest.Wait(); len(news) > 0; {
					all = append(all, <-news)
				}
				return all
			}
		}
		whole := watch("")
		search := watch("shop.Search")
		nobody := watch("no such service")
		is := func(told func() []healthpb.HealthCheckResponse_ServingStatus, want ...healthpb.HealthCheckResponse_ServingStatus) {
			t.Helper()
			require.Equal(t, want, told())
		}
		is(whole, down)
		is(search, down)
		is(nobody, unknown)
		p.run(t)
		time.Sleep(time.Minute)
		is(whole, up)
		is(search, up)
		p.cache.Store(true)
		time.Sleep(time.Minute)
		is(whole)
		is(search, down)
		p.cache.Store(false)
		p.database.Store(true)
		time.Sleep(time.Minute)
		is(whole, down)
		is(search, up)
		is(nobody)
	})
}

// TestDrainLatches: who drains does not serve again, however well it is.
func TestDrainLatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient(t)
		client := healthpb.NewHealthClient(inMemory(t, p.registered, nil))
		p.run(t)
		time.Sleep(time.Minute)
		stream, err := client.Watch(t.Context(), &healthpb.HealthCheckRequest{})
		require.NoError(t, err)
		var got []healthpb.HealthCheckResponse_ServingStatus
		go func() {
			for {
				m, err := stream.Recv()
				if err != nil {
					return
				}
				got = append(got, m.Status)
			}
		}()
		synctest.Wait()
		p.Drain()
		for _, broken := range []bool{true, false} {
			time.Sleep(time.Minute)
			p.database.Store(broken)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, []healthpb.HealthCheckResponse_ServingStatus{up, down}, got)
	})
}

// registrar catches the service, to call it without a connection that would buffer.
type registrar struct{ service any }

func (r *registrar) RegisterService(_ *grpc.ServiceDesc, service any) { r.service = service }

// slow is a watcher that reads when it is told to.
type slow struct {
	grpc.ServerStreamingServer[healthpb.HealthCheckResponse]
	ctx  context.Context
	read chan healthpb.HealthCheckResponse_ServingStatus
}

func (s *slow) Context() context.Context { return s.ctx }

func (s *slow) Send(m *healthpb.HealthCheckResponse) error {
	select {
	case s.read <- m.Status:
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

// TestWatchCoalesces: while a watcher does not read, nothing waits for it, and when it
// does, it gets what is true then.
func TestWatchCoalesces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, r := newPatient(t), &registrar{}
		guidongrpc.RegisterHealth(r, p.Monitor, nil)
		ctx, cancel := context.WithCancel(t.Context())
		s := &slow{ctx: ctx, read: make(chan healthpb.HealthCheckResponse_ServingStatus)}
		ended := make(chan error, 1)
		go func() { ended <- r.service.(healthpb.HealthServer).Watch(&healthpb.HealthCheckRequest{}, s) }()
		synctest.Wait()
		p.run(t)
		for n := range 20 {
			p.database.Store(n%2 == 0)
			time.Sleep(time.Minute) // so long that it does not flap
		}
		require.Equal(t, down, <-s.read, "what was on its way")
		require.Equal(t, up, <-s.read, "what is")
		synctest.Wait()
		select {
		case more := <-s.read:
			t.Fatalf("got %v, want nothing more", more)
		default:
		}
		cancel()
		require.Equal(t, codes.Canceled, status.Code(<-ended))
	})
}

// TestClientSideHealth: gRPC's own client sends nothing to a server that does not serve.
func TestClientSideHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient(t)
		conn := inMemory(t, func(server *grpc.Server) {
			p.registered(server)
			tested(&service{unary: func(context.Context) error { return nil }})(server)
		}, nil, grpc.WithDefaultServiceConfig(`{"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": "shop.Orders"}}`))
		client := pb.NewTestServiceClient(conn)
		call := func() codes.Code {
			_, err := client.UnaryCall(t.Context(), &pb.SimpleRequest{})
			return status.Code(err)
		}
		require.Equal(t, codes.Unavailable, call(), "nothing is known yet")
		p.run(t)
		time.Sleep(time.Minute)
		require.Equal(t, codes.OK, call())
		p.queue.Store(true)
		time.Sleep(time.Minute)
		require.Equal(t, codes.Unavailable, call())
		p.queue.Store(false)
		time.Sleep(time.Minute)
		require.Equal(t, codes.OK, call())
		p.Drain()
		synctest.Wait()
		require.Equal(t, codes.Unavailable, call())
	})
}
