package guidongrpc

import (
	"context"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/guidon-go/guidon/health"
)

// RegisterHealth gives the server the standard service grpc.health.v1.Health, which says
// what the monitor says: SERVING while it is healthy or degraded, and NOT_SERVING
// otherwise, also while nothing is known yet, and for good from [health.Monitor.Drain]
// on. Drain before GracefulStop, and give that an end by Stop: it waits for watchers who
// stay. It starts nothing; the host runs the monitor.
//
// The service of the empty name is the whole server: all that the monitor has, or the checks
// that services has for "". Services has others, each with the
// names of the checks that it needs, or none if it needs the whole; a check that the
// monitor does not have is one of which nothing is known. Any other name is NOT_FOUND, or
// SERVICE_UNKNOWN to who watches. Nil has no others. The map is copied.
//
// Whoever watches is told of each change that lasts until it has read the one before;
// but not that reports become too old where nobody runs the monitor, which only Check and
// List see.
func RegisterHealth(server grpc.ServiceRegistrar, monitor *health.Monitor, services map[string][]string) {
	if monitor == nil {
		panic("guidongrpc: RegisterHealth: the monitor is nil, want one")
	}
	h := &healthServer{monitor: monitor, services: map[string][]string{"": nil}}
	for name, checks := range services {
		h.services[name] = slices.Clone(checks)
	}
	healthpb.RegisterHealthServer(server, h)
}

// healthServer has no state of its own: Drain is kept by the monitor.
type healthServer struct {
	healthpb.UnimplementedHealthServer
	monitor  *health.Monitor
	services map[string][]string
}

func (h *healthServer) Check(_ context.Context, request *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	needs, known := h.services[request.GetService()]
	if !known {
		return nil, status.Error(codes.NotFound, "unknown service")
	}
	return &healthpb.HealthCheckResponse{Status: serving(h.monitor.Report(), needs)}, nil
}

func (h *healthServer) List(context.Context, *healthpb.HealthListRequest) (*healthpb.HealthListResponse, error) {
	report := h.monitor.Report()
	all := make(map[string]*healthpb.HealthCheckResponse, len(h.services))
	for name, needs := range h.services {
		all[name] = &healthpb.HealthCheckResponse{Status: serving(report, needs)}
	}
	return &healthpb.HealthListResponse{Statuses: all}, nil
}

// Watch has no queue: while Send waits for a slow reader, the monitor's reports pass by,
// and the newest is next.
func (h *healthServer) Watch(request *healthpb.HealthCheckRequest, stream grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	needs, known := h.services[request.GetService()]
	told := healthpb.HealthCheckResponse_UNKNOWN // which is never sent
	for report := range h.monitor.Watch(stream.Context()) {
		now := healthpb.HealthCheckResponse_SERVICE_UNKNOWN
		if known {
			now = serving(report, needs)
		}
		if now == told {
			continue
		}
		if err := stream.Send(&healthpb.HealthCheckResponse{Status: now}); err != nil {
			return err
		}
		told = now
	}
	return status.FromContextError(stream.Context().Err()).Err()
}

// serving reads a report for a service that needs these checks, or the whole.
func serving(report *health.Report, needs []string) healthpb.HealthCheckResponse_ServingStatus {
	if report.Draining {
		return healthpb.HealthCheckResponse_NOT_SERVING
	}
	well := len(needs) == 0 && fine(report.Status)
	for _, name := range needs {
		check, ok := report.Check(name)
		switch {
		case ok && fine(check.Status):
			well = true
		case ok && check.Status == health.Maintenance:
			// counts for nothing, as in the whole
		default:
			return healthpb.HealthCheckResponse_NOT_SERVING
		}
	}
	if !well {
		return healthpb.HealthCheckResponse_NOT_SERVING
	}
	return healthpb.HealthCheckResponse_SERVING
}

func fine(s health.Status) bool { return s == health.Healthy || s == health.Degraded }
