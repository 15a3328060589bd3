package guidongrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/status"

	"github.com/guidon-go/guidon/health"
	guidongrpc "github.com/guidon-go/guidon/rollout/grpc"
)

// hangs is a handler that waits until its client has gone.
func hangs(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

var errPlain = errors.New("plain")

// TestServerCounts: a call of one message each way counts once, as the code that its
// client gets, or would get, with the time it took.
func TestServerCounts(t *testing.T) {
	const patience = 3 * time.Second
	tests := []struct {
		name    string
		handler func(context.Context) error
		gaveUp  bool // the client cancels after its patience, in place of a deadline
		code    codes.Code
		class   health.Class
		latency time.Duration
	}{
		{name: "answers", handler: func(context.Context) error { time.Sleep(time.Second); return nil }, code: codes.OK, class: health.Success, latency: time.Second},
		{name: "has an error of its own", handler: func(context.Context) error { return errPlain }, code: codes.Unknown},
		{name: "wraps a status", handler: func(context.Context) error { return fmt.Errorf("no such cart: %w", status.Error(codes.NotFound, "x")) }, code: codes.NotFound, class: health.Success},
		{name: "has a code without a name", handler: func(context.Context) error { return status.Error(99, "x") }, code: 99},
		{name: "has a deadline of its own", handler: func(context.Context) error { return context.DeadlineExceeded }, code: codes.DeadlineExceeded},
		{name: "panics", handler: func(context.Context) error { panic("boo") }, code: codes.Unknown},
		{name: "hangs until the deadline", handler: hangs, code: codes.Canceled, latency: patience},
		{name: "hangs until the client gives up", handler: hangs, gaveUp: true, code: codes.Canceled, latency: patience},
		{name: "answers nobody any more", handler: func(ctx context.Context) error { _ = hangs(ctx); return nil }, gaveUp: true, code: codes.Canceled, latency: patience},
		{name: "finds nothing, for nobody", handler: func(ctx context.Context) error { _ = hangs(ctx); return status.Error(codes.NotFound, "x") }, code: codes.Canceled, latency: patience},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen, window := &calls{}, health.NewWindow(health.WindowOptions{})
				conn := inMemory(t, tested(&service{unary: tt.handler}), serving(guidongrpc.ServerOptions{Window: window, Classify: seen.classify}))
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				if tt.gaveUp {
					ctx, cancel = context.WithCancel(t.Context())
					time.AfterFunc(patience, cancel)
				}
				defer cancel()
				_, err := pb.NewTestServiceClient(conn).UnaryCall(ctx, &pb.SimpleRequest{})
				synctest.Wait()
				call := seen.only(t)
				require.Equal(t, tt.code, call.Code)
				if tt.latency < patience && !call.Panicked {
					require.Equal(t, tt.code, status.Code(err), "what the client has")
				}
				require.Equal(t, tt.name == "panics", call.Panicked)
				require.Equal(t, unaryMethod, call.Method)
				require.Equal(t, tt.latency, call.Latency)
				require.Equal(t, tt.class, call.Class())
				counts(t, window, tt.class)
			})
		})
	}
}

// counts wants one call in the window.
func counts(t *testing.T, window *health.Window, class health.Class) {
	t.Helper()
	failed := 1.0
	if class == health.Success {
		failed = 0
	}
	m := window.Snapshot(time.Now())
	require.Equal(t, uint64(1), m.Requests())
	rate, _ := m.ErrorRate()
	require.Equal(t, failed, rate)
}

// TestStreamCounts: a stream counts when its handler returns. Who ends it after the
// answer has begun is content, and who ends it before that is not.
func TestStreamCounts(t *testing.T) {
	const patience = 3 * time.Second
	says := func(stream grpc.ServerStream) {
		if err := stream.SendMsg(&pb.StreamingOutputCallResponse{}); err != nil {
			panic(err)
		}
	}
	tests := []struct {
		name     string
		handler  func(grpc.ServerStream) error
		deadline bool // in place of a client that cancels after its patience
		code     codes.Code
		begun    bool
		panicked bool
		class    health.Class
		latency  time.Duration
	}{
		{name: "answers and ends", handler: func(s grpc.ServerStream) error { says(s); time.Sleep(time.Second); says(s); return nil }, begun: true, class: health.Success, latency: time.Second},
		{name: "has nothing to say", handler: func(grpc.ServerStream) error { return nil }, class: health.Success},
		{name: "breaks", handler: func(s grpc.ServerStream) error { says(s); return status.Error(codes.Internal, "x") }, begun: true, code: codes.Internal},
		{name: "panics half way", handler: func(s grpc.ServerStream) error { says(s); panic("boo") }, begun: true, code: codes.Unknown, panicked: true},
		{name: "goes on until the client has enough", handler: func(s grpc.ServerStream) error { says(s); return hangs(s.Context()) }, begun: true, code: codes.Canceled, class: health.Success, latency: patience},
		{name: "goes on until the client has enough, and says nothing of it", handler: func(s grpc.ServerStream) error { says(s); _ = hangs(s.Context()); return nil }, begun: true, code: codes.Canceled, class: health.Success, latency: patience},
		{name: "never answers", handler: func(s grpc.ServerStream) error { return hangs(s.Context()) }, code: codes.Canceled, latency: patience},
		{name: "sends a header and never answers", handler: func(s grpc.ServerStream) error { _ = s.SendHeader(nil); return hangs(s.Context()) }, code: codes.Canceled, latency: patience},
		{name: "answers nobody any more", handler: func(s grpc.ServerStream) error {
			_ = hangs(s.Context())
			return s.SendMsg(&pb.StreamingOutputCallResponse{})
		}, code: codes.Canceled, latency: patience},
		{name: "does not end in time", handler: func(s grpc.ServerStream) error { says(s); return hangs(s.Context()) }, deadline: true, begun: true, code: codes.Canceled, class: health.Success, latency: patience},
		{name: "does not begin in time", handler: func(s grpc.ServerStream) error { return hangs(s.Context()) }, deadline: true, code: codes.Canceled, latency: patience},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen, window := &calls{}, health.NewWindow(health.WindowOptions{})
				conn := inMemory(t, tested(&service{stream: tt.handler}), serving(guidongrpc.ServerOptions{Window: window, Classify: seen.classify}))
				ctx, cancel := context.WithCancel(t.Context())
				if tt.deadline {
					ctx, cancel = context.WithTimeout(t.Context(), patience)
				} else {
					time.AfterFunc(patience, cancel)
				}
				defer cancel()
				stream, err := pb.NewTestServiceClient(conn).StreamingOutputCall(ctx, &pb.StreamingOutputCallRequest{})
				require.NoError(t, err)
				for err == nil {
					_, err = stream.Recv()
				}
				synctest.Wait()
				call := seen.only(t)
				call.Err = nil
				require.Equal(t, guidongrpc.Call{Method: outputMethod, Code: tt.code, Latency: tt.latency, Begun: tt.begun, Panicked: tt.panicked}, call)
				require.Equal(t, tt.class, call.Class())
				counts(t, window, tt.class)
			})
		})
	}
}

// TestStreamPassesOn: messages go both ways as they are.
func TestStreamPassesOn(t *testing.T) {
	conn := onLoopback(t, tested(&service{stream: func(stream grpc.ServerStream) error {
		size := int32(0)
		for {
			var in pb.StreamingInputCallRequest
			if err := stream.RecvMsg(&in); err == io.EOF {
				return stream.SendMsg(&pb.StreamingInputCallResponse{AggregatedPayloadSize: size})
			} else if err != nil {
				return err
			}
			size += int32(len(in.Payload.Body))
		}
	}}), serving(guidongrpc.ServerOptions{}), calling(guidongrpc.ClientOptions{})...)
	stream, err := pb.NewTestServiceClient(conn).StreamingInputCall(t.Context())
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, stream.Send(&pb.StreamingInputCallRequest{Payload: &pb.Payload{Body: []byte("abc")}}))
	}
	answer, err := stream.CloseAndRecv()
	require.NoError(t, err)
	require.Equal(t, int32(9), answer.AggregatedPayloadSize)
}

// TestClass: every code has its class, on either side of a health probe.
func TestClass(t *testing.T) {
	failures := map[codes.Code]bool{
		codes.Canceled: true, codes.Unknown: true, codes.DeadlineExceeded: true, codes.Unimplemented: true,
		codes.Internal: true, codes.Unavailable: true, codes.DataLoss: true, 17: true, 1 << 31: true,
	}
	for _, code := range append([]codes.Code{17, 1 << 31}, codesOf()...) {
		want := health.Success
		if failures[code] {
			want = health.Failure
		}
		require.Equal(t, want, guidongrpc.Call{Method: unaryMethod, Code: code}.Class(), code)
		require.Equal(t, health.Excluded, guidongrpc.Call{Method: "/grpc.health.v1.Health/Check", Code: code}.Class(), code)
	}
	require.Equal(t, health.Failure, guidongrpc.Call{Panicked: true}.Class())
}

func codesOf() (all []codes.Code) {
	for code := codes.OK; code <= codes.Unauthenticated; code++ {
		all = append(all, code)
	}
	return all
}

// TestClassifyPanics: what cannot be classified is a failure, and the call goes on.
func TestClassifyPanics(t *testing.T) {
	window := health.NewWindow(health.WindowOptions{})
	bad := func(guidongrpc.Call) health.Class { panic("boo") }
	conn := inMemory(t, tested(&service{unary: func(context.Context) error { return nil }}),
		serving(guidongrpc.ServerOptions{Window: window, Classify: bad}), calling(guidongrpc.ClientOptions{Window: window, Classify: bad})...)
	_, err := pb.NewTestServiceClient(conn).UnaryCall(t.Context(), &pb.SimpleRequest{})
	require.NoError(t, err)
	m := window.Snapshot(time.Now())
	require.Equal(t, uint64(2), m.Requests())
	rate, _ := m.ErrorRate()
	require.Equal(t, 1.0, rate)
}
