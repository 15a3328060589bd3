package guidongrpc_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	guidongrpc "github.com/guidon-go/guidon/rollout/grpc"
)

// steady is a flag that 5 % have already; its salt is its key, so that everybody's side
// is known.
var steady = flag.Bool("steady", false)

func steadyFlags(t testing.TB) *flag.Store {
	t.Helper()
	store := flag.New(flag.Bytes([]byte(`{"flags": {"steady": {"ramp": {"percent": 5}}}}`)), flag.Options{})
	require.NoError(t, store.Load(t.Context()))
	return store
}

// idle guards steady, without a judge that could end it.
func idle(t testing.TB, flags *flag.Store, o rollout.Guarded) *rollout.Guard {
	t.Helper()
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop", Environment: "test"})
	require.NoError(t, err)
	o.Flag, o.Manual, o.Hold, o.Look = steady, true, time.Hour, time.Minute
	o.Ladder = []flag.Share{50 * flag.Percent, flag.All}
	o.Judge = health.JudgeFunc(func(health.State, health.Sample) (health.Verdict, health.State) { return health.Verdict{}, nil })
	guard, err := engine.Guard(flags, o)
	require.NoError(t, err)
	return guard
}

// guarded is such a guard that runs, and is at 50 %.
func guarded(t testing.TB, flags *flag.Store, o rollout.Guarded) *rollout.Guard {
	t.Helper()
	guard := idle(t, flags, o)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := guard.Run(ctx)
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
	return guard
}

// exposed are a user whom the ramp of 50 % lets in, and that of 5 % does not, and one
// whom neither does.
func exposed(t testing.TB, flags *flag.Store) (in, out string) {
	t.Helper()
	for n := 0; n < 10_000 && (in == "" || out == ""); n++ {
		subject := flag.For(fmt.Sprint("user-", n))
		switch d := steady.Decide(flags, &subject); {
		case d.Slot >= int32(50*flag.Percent):
			out = subject.Key()
		case d.Slot >= int32(5*flag.Percent):
			in = subject.Key()
		}
	}
	return in, out
}

func sides(guard *rollout.Guard) (in, out health.Side) {
	synctest.Wait()
	sample := guard.Progress().Sample
	in, out = sample.Candidate, sample.Baseline
	in.P50, in.P99, out.P50, out.P99 = 0, 0, 0, 0
	return in, out
}

// TestGuard: exposure and outcome of a call are joined, on the side that the user is on.
func TestGuard(t *testing.T) {
	succeeds, fails := health.Side{Successes: 1}, health.Side{Failures: 1}
	on := func(then func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error { steady.On(ctx); return then(ctx) }
	}
	sends := func(s grpc.ServerStream) { _ = s.SendMsg(&pb.StreamingOutputCallResponse{}) }
	wait := func(d time.Duration, err error) func(context.Context) error {
		return func(context.Context) error { time.Sleep(d); return err }
	}
	tests := []struct {
		name     string
		unary    func(context.Context) error
		stream   func(grpc.ServerStream) error
		classify func(guidongrpc.Call) health.Class
		want     health.Side
	}{
		{name: "succeeds", unary: on(wait(0, nil)), want: succeeds},
		{name: "fails", unary: on(wait(0, status.Error(codes.Internal, "x"))), want: fails},
		{name: "is refused", unary: on(wait(0, status.Error(codes.NotFound, "x"))), want: succeeds},
		{name: "panics", unary: on(func(context.Context) error { panic("boo") }), want: fails},
		{name: "is given up", unary: on(func(ctx context.Context) error { _ = hangs(ctx); return nil }), want: fails},
		{name: "does not ask", unary: wait(0, status.Error(codes.Internal, "x"))},
		{name: "a failure of the host's", unary: on(wait(0, nil)), classify: func(guidongrpc.Call) health.Class { return health.Failure }, want: fails},
		{name: "a success of the host's", unary: on(wait(0, errPlain)), classify: func(guidongrpc.Call) health.Class { return health.Success }, want: succeeds},
		{name: "a panic that the host calls a success", unary: on(func(context.Context) error { panic("boo") }), classify: func(guidongrpc.Call) health.Class { return health.Success }, want: fails},
		{name: "a stream's panic that the host calls a success", stream: func(s grpc.ServerStream) error { steady.On(s.Context()); panic("boo") }, classify: func(guidongrpc.Call) health.Class { return health.Success }, want: fails},
		{name: "left out by the host, with an error", unary: on(wait(0, errPlain)), classify: func(guidongrpc.Call) health.Class { return health.Excluded }, want: fails},
		{name: "left out by the host", unary: on(wait(0, nil)), classify: func(guidongrpc.Call) health.Class { return health.Excluded }, want: succeeds},
		{name: "never answers", unary: on(wait(90*time.Second, nil)), want: fails},
		{name: "a stream", stream: func(s grpc.ServerStream) error { steady.On(s.Context()); sends(s); return nil }, want: succeeds},
		{name: "a stream that breaks", stream: func(s grpc.ServerStream) error {
			steady.On(s.Context())
			sends(s)
			time.Sleep(9 * time.Second)
			return errPlain
		}, want: fails},
		{name: "a long stream", stream: func(s grpc.ServerStream) error {
			steady.On(s.Context())
			time.Sleep(50 * time.Second)
			sends(s)
			time.Sleep(40 * time.Second)
			sends(s)
			return nil
		}, want: succeeds},
		{name: "a long stream that breaks", stream: func(s grpc.ServerStream) error {
			steady.On(s.Context())
			sends(s)
			time.Sleep(90 * time.Second)
			return errPlain
		}, want: fails},
		{name: "a long stream that begins late", stream: func(s grpc.ServerStream) error {
			steady.On(s.Context())
			time.Sleep(70 * time.Second)
			sends(s)
			return nil
		}, want: fails},
		{name: "a stream that never answers", stream: func(s grpc.ServerStream) error {
			steady.On(s.Context())
			time.Sleep(90 * time.Second)
			return nil
		}, want: fails},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				flags := steadyFlags(t)
				guard := guarded(t, flags, rollout.Guarded{})
				conn := inMemory(t, tested(&service{unary: tt.unary, stream: tt.stream}), serving(guidongrpc.ServerOptions{
					Flags: flags, Who: byMetadata, Guards: []*rollout.Guard{guard}, Classify: tt.classify,
				}))
				client := pb.NewTestServiceClient(conn)
				call := func(user string) {
					ctx, cancel := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), "user", user), 2*time.Minute)
					defer cancel()
					if tt.unary != nil {
						_, _ = client.UnaryCall(ctx, &pb.SimpleRequest{})
						return
					}
					stream, err := client.StreamingOutputCall(ctx, &pb.StreamingOutputCallRequest{})
					for err == nil {
						_, err = stream.Recv()
					}
				}
				synctest.Wait()
				user, other := exposed(t, flags)
				call(user)
				in, out := sides(guard)
				require.Equal(t, tt.want, in)
				require.Zero(t, out)
				call(other)
				in, out = sides(guard)
				require.Equal(t, tt.want, in)
				require.Equal(t, tt.want, out)
				call("")
				in, out = sides(guard)
				require.Equal(t, []health.Side{tt.want, tt.want}, []health.Side{in, out}, "nobody counts nowhere")
			})
		})
	}
}

// TestGuardClassifies: Guarded.Classify is given the status that the client gets.
func TestGuardClassifies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		flags := steadyFlags(t)
		var got []codes.Code
		var last error
		guard := guarded(t, flags, rollout.Guarded{Classify: func(r health.Response) health.Class {
			got, last = append(got, status.Code(r.Err)), r.Err
			return health.Excluded
		}})
		errs := []error{nil, status.Error(codes.DataLoss, "x"), status.Error(codes.NotFound, "x"), errPlain, context.DeadlineExceeded, fmt.Errorf("as %w", status.Error(codes.Internal, "x"))}
		turn := 0
		conn := inMemory(t, tested(&service{unary: func(ctx context.Context) error { steady.On(ctx); return errs[turn] }}),
			serving(guidongrpc.ServerOptions{Flags: flags, Who: byMetadata, Guards: []*rollout.Guard{guard, guard}}))
		synctest.Wait()
		user, _ := exposed(t, flags)
		for turn = range errs {
			_, _ = pb.NewTestServiceClient(conn).UnaryCall(metadata.AppendToOutgoingContext(t.Context(), "user", user), &pb.SimpleRequest{})
		}
		want := []codes.Code{
			codes.OK, codes.OK, codes.DataLoss, codes.DataLoss, codes.OK, codes.OK, // NotFound is a success
			codes.Unknown, codes.Unknown, codes.DeadlineExceeded, codes.DeadlineExceeded, codes.Internal, codes.Internal,
		}
		require.Equal(t, want, got)
		require.ErrorContains(t, last, "as rpc error", "what the handler says of it")
	})
}
