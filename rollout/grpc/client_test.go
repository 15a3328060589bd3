package guidongrpc_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/guidon-go/guidon/health"
	guidongrpc "github.com/guidon-go/guidon/rollout/grpc"
)

// TestClientCounts: a call counts once, as what its caller got of it, with the time until
// then.
func TestClientCounts(t *testing.T) {
	const patience = 3 * time.Second
	answers := &pb.StreamingOutputCallResponse{}
	unary := func(ctx context.Context, client pb.TestServiceClient) {
		_, _ = client.UnaryCall(ctx, &pb.SimpleRequest{})
	}
	stream := func(messages int) func(context.Context, pb.TestServiceClient) {
		return func(ctx context.Context, client pb.TestServiceClient) {
			stream, err := client.StreamingOutputCall(ctx, &pb.StreamingOutputCallRequest{})
			for n := 0; err == nil && n != messages; n++ {
				_, err = stream.Recv()
			}
		}
	}
	const toTheEnd = -1
	tests := []struct {
		name    string
		service service
		call    func(context.Context, pb.TestServiceClient)
		cancel  bool // by the caller, after its patience, in place of a deadline
		code    codes.Code
		begun   bool
		class   health.Class
		latency time.Duration
	}{
		{name: "answered", service: service{unary: func(context.Context) error { time.Sleep(time.Second); return nil }}, call: unary, class: health.Success, latency: time.Second},
		{name: "refused", service: service{unary: func(context.Context) error { return status.Error(codes.NotFound, "x") }}, call: unary, code: codes.NotFound, class: health.Success},
		{name: "failed", service: service{unary: func(context.Context) error { return errPlain }}, call: unary, code: codes.Unknown},
		{name: "too slow", service: service{unary: hangs}, call: unary, code: codes.DeadlineExceeded, latency: patience},
		{name: "given up", service: service{unary: hangs}, call: unary, cancel: true, code: codes.Canceled, latency: patience},
		{name: "a stream to its end", service: service{stream: func(s grpc.ServerStream) error {
			_ = s.SendMsg(answers)
			time.Sleep(time.Second)
			return s.SendMsg(answers)
		}},
			call: stream(toTheEnd), begun: true, class: health.Success, latency: time.Second},
		{name: "an empty stream", service: service{stream: func(grpc.ServerStream) error { return nil }}, call: stream(toTheEnd), class: health.Success},
		{name: "a stream that breaks", service: service{stream: func(s grpc.ServerStream) error { _ = s.SendMsg(answers); return status.Error(codes.Internal, "x") }},
			call: stream(toTheEnd), begun: true, code: codes.Internal},
		{name: "a stream that hangs", service: service{stream: func(s grpc.ServerStream) error { return hangs(s.Context()) }}, call: stream(toTheEnd), code: codes.DeadlineExceeded, latency: patience},
		{name: "a stream that is left alone", service: service{stream: func(s grpc.ServerStream) error { _ = s.SendMsg(answers); return hangs(s.Context()) }},
			call: stream(1), cancel: true, begun: true, code: codes.Canceled, class: health.Success, latency: patience},
		{name: "a stream that is left alone before it begins", service: service{stream: func(s grpc.ServerStream) error { return hangs(s.Context()) }},
			call: stream(0), cancel: true, code: codes.Canceled, latency: patience},
		{name: "one answer to many messages", service: service{stream: func(s grpc.ServerStream) error {
			time.Sleep(time.Second)
			return s.SendMsg(&pb.StreamingInputCallResponse{})
		}}, call: func(ctx context.Context, client pb.TestServiceClient) {
			stream, err := client.StreamingInputCall(ctx)
			if err == nil {
				_, _ = stream.CloseAndRecv()
			}
		}, begun: true, class: health.Success, latency: time.Second},
		{name: "a message that cannot be sent", service: service{stream: func(s grpc.ServerStream) error { return hangs(s.Context()) }}, call: func(ctx context.Context, client pb.TestServiceClient) {
			stream, err := client.StreamingInputCall(ctx, grpc.MaxCallSendMsgSize(10))
			if err == nil {
				_ = stream.Send(&pb.StreamingInputCallRequest{Payload: &pb.Payload{Body: make([]byte, 100)}})
			}
		}, code: codes.ResourceExhausted, class: health.Success},
		{name: "refused while it is sent", service: service{stream: func(grpc.ServerStream) error { return status.Error(codes.Internal, "x") }}, call: func(ctx context.Context, client pb.TestServiceClient) {
			stream, err := client.StreamingInputCall(ctx)
			for err == nil {
				err = stream.Send(&pb.StreamingInputCallRequest{})
			}
			_, _ = stream.CloseAndRecv()
		}, code: codes.Internal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen, window := &calls{}, health.NewWindow(health.WindowOptions{})
				conn := inMemory(t, tested(&tt.service), nil, calling(guidongrpc.ClientOptions{Window: window, Classify: seen.classify})...)
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				if tt.cancel {
					ctx, cancel = context.WithCancel(t.Context())
					time.AfterFunc(patience, cancel)
				}
				tt.call(ctx, pb.NewTestServiceClient(conn))
				time.Sleep(patience)
				cancel()
				synctest.Wait()
				call := seen.only(t)
				require.Equal(t, tt.code, call.Code)
				require.Equal(t, tt.begun, call.Begun)
				require.Equal(t, tt.latency, call.Latency)
				require.Equal(t, tt.class, call.Class())
				counts(t, window, tt.class)
			})
		})
	}
}

// TestClientAlone: nobody answers at all.
func TestClientAlone(t *testing.T) {
	seen, window := &calls{}, health.NewWindow(health.WindowOptions{})
	conn := onLoopback(t, func(*grpc.Server) {}, nil, calling(guidongrpc.ClientOptions{Window: window, Classify: seen.classify})...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := pb.NewTestServiceClient(conn).StreamingInputCall(ctx)
	require.Error(t, err)
	require.Equal(t, codes.Canceled, seen.only(t).Code)
	counts(t, window, health.Failure)
	_, err = pb.NewTestServiceClient(conn).UnaryCall(t.Context(), &pb.SimpleRequest{})
	require.Equal(t, codes.Unimplemented, status.Code(err))
	require.Equal(t, uint64(2), window.Snapshot(time.Now()).Requests())
}

// TestClientWithoutWindow: a stream is as gRPC gave it.
func TestClientWithoutWindow(t *testing.T) {
	conn := onLoopback(t, tested(&service{stream: func(grpc.ServerStream) error { return nil }}), nil, calling(guidongrpc.ClientOptions{})...)
	stream, err := pb.NewTestServiceClient(conn).StreamingOutputCall(t.Context(), &pb.StreamingOutputCallRequest{})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.Equal(t, io.EOF, err)
}

// watched is a context that tells when nobody waits for its end any more.
type watched struct {
	context.Context
	stopped int
}

func (w *watched) Done() <-chan struct{} { return make(chan struct{}) }

func (w *watched) AfterFunc(func()) func() bool {
	return func() bool { w.stopped++; return true }
}

// broken is a stream of which every method fails.
type broken struct{ grpc.ClientStream }

func (broken) SendMsg(any) error            { return status.Error(codes.Internal, "sent") }
func (broken) RecvMsg(any) error            { return status.Error(codes.Internal, "received") }
func (broken) Header() (metadata.MD, error) { return nil, status.Error(codes.Internal, "header") }

// TestClientStreamLeavesNothing: a stream that has ended does not hang on to the context
// of its caller, who may have many.
func TestClientStreamLeavesNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		stream grpc.ClientStream
		end    func(grpc.ClientStream) error
		want   string
	}{
		"received":             {out{}, func(s grpc.ClientStream) error { return s.RecvMsg(nil) }, ""},
		"a message not sent":   {broken{}, func(s grpc.ClientStream) error { return s.SendMsg(nil) }, "sent"},
		"nothing received":     {broken{}, func(s grpc.ClientStream) error { return s.RecvMsg(nil) }, "received"},
		"a header that failed": {broken{}, func(s grpc.ClientStream) error { _, err := s.Header(); return err }, "header"},
	} {
		ctx, seen := &watched{Context: t.Context()}, &calls{}
		open := func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
			return tt.stream, nil
		}
		intercept := guidongrpc.StreamClient(guidongrpc.ClientOptions{Window: health.NewWindow(health.WindowOptions{}), Classify: seen.classify})
		stream, err := intercept(ctx, &grpc.StreamDesc{}, nil, outputMethod, open)
		require.NoError(t, err)
		require.Zero(t, ctx.stopped)
		require.Equal(t, tt.want, status.Convert(tt.end(stream)).Message(), name)
		require.Equal(t, 1, ctx.stopped, name)
		require.Equal(t, tt.want, status.Convert(seen.only(t).Err).Message(), name)
	}
}

// TestClientPanics: what an interceptor inside does not return is a failure, and goes on.
func TestClientPanics(t *testing.T) {
	seen := &calls{}
	o := guidongrpc.ClientOptions{Window: health.NewWindow(health.WindowOptions{}), Classify: seen.classify}
	require.PanicsWithValue(t, "boo", func() {
		_ = guidongrpc.UnaryClient(o)(t.Context(), unaryMethod, nil, nil, nil, func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { panic("boo") })
	})
	require.PanicsWithValue(t, "boo", func() {
		_, _ = guidongrpc.StreamClient(o)(t.Context(), &grpc.StreamDesc{}, nil, outputMethod, func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
			panic("boo")
		})
	})
	require.Len(t, seen.all, 2)
	for _, call := range seen.all {
		require.True(t, call.Panicked)
		require.Equal(t, codes.Unknown, call.Code)
		require.Equal(t, health.Failure, call.Class())
	}
}
