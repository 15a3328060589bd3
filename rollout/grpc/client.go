package guidongrpc

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/guidon-go/guidon/health"
)

// ClientOptions say what a client does with its calls. Each zero leaves something out.
type ClientOptions struct {
	// Window counts the calls; retries of gRPC's own are a part of their call. Nil counts
	// them nowhere.
	Window *health.Window
	// Classify says how a call counts. Nil means [Call.Class]. It is called by whoever
	// ends the call, many at once; if it panics, that is logged, and the call is a failure.
	Classify func(Call) health.Class
	// Forward sends along whom the call is for, to a server that asks by [Forwarded]: the
	// key of the subject of the view in the call's context, and nothing else of it. Keys
	// of more than 1,024 bytes stay behind. One that the metadata of the context has
	// already does not count, or is removed if there is nobody to send. Set it only for
	// servers that may know.
	Forward bool
}

// UnaryClient returns the interceptor of calls with one message each way. A call that
// the caller gave up is a failure: callers give up what is slow.
func UnaryClient(o ClientOptions) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, request, answer any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) (err error) {
		start := time.Now()
		call := Call{Method: method, Panicked: true}
		defer func() {
			call.Err = err
			o.record(call, start)
		}()
		err = invoke(o.outgoing(ctx), method, request, answer, cc, options...)
		call.Panicked = false
		return err
	}
}

// StreamClient returns the interceptor of streams. A stream counts when RecvMsg returns
// its end, or RecvMsg, SendMsg or Header fail, or the context that it was opened with is
// done. One that comes to none of these is never counted; it leaks, too. So receive also
// what was refused while it was sent (SendMsg returns io.EOF), has no header, or has a
// time limit of the service config. A context whose Done is not of package context costs a
// goroutine for as long as the stream lasts.
func StreamClient(o ClientOptions) grpc.StreamClientInterceptor {
	return func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
		start := time.Now()
		call, opened := Call{Method: method, Panicked: true}, false
		defer func() {
			if !opened {
				o.record(call, start)
			}
		}()
		stream, err := open(o.outgoing(ctx), desc, cc, method, options...)
		call.Err, call.Panicked, opened = err, false, err == nil
		if err != nil {
			return nil, err
		}
		if o.Window == nil {
			return stream, nil
		}
		s := &clientStream{ClientStream: stream, o: &o, method: method, start: start, single: !desc.ServerStreams}
		// The caller's context, not the stream's, which is done whenever the stream is.
		s.stop = context.AfterFunc(ctx, func() { s.end(ctx.Err()) })
		return s, nil
	}
}

// record counts a call that is over.
func (o *ClientOptions) record(call Call, start time.Time) {
	if o.Window == nil {
		return
	}
	now := time.Now()
	call.Latency, call.Code = now.Sub(start), codeOf(call.Err)
	if call.Panicked {
		call.Code = codes.Unknown
	}
	o.Window.Record(now, call.Latency, classifier(o.Classify).class(call))
}

// clientStream tells how the stream ended, the first time it did.
type clientStream struct {
	grpc.ClientStream
	o      *ClientOptions
	method string
	start  time.Time
	single bool // its answer is one message
	stop   func() bool
	begun  atomic.Bool
	over   atomic.Bool
}

func (s *clientStream) RecvMsg(message any) error {
	err := s.ClientStream.RecvMsg(message)
	switch {
	case err == nil:
		s.begun.Store(true)
		if !s.single {
			return nil
		}
		s.finish(nil)
	case errors.Is(err, io.EOF):
		s.finish(nil)
	default:
		s.finish(err)
	}
	return err
}

func (s *clientStream) SendMsg(message any) error {
	err := s.ClientStream.SendMsg(message)
	if err != nil && !errors.Is(err, io.EOF) { // of which RecvMsg knows the status
		s.finish(err)
	}
	return err
}

func (s *clientStream) Header() (metadata.MD, error) {
	header, err := s.ClientStream.Header()
	if err != nil {
		s.finish(err)
	}
	return header, err
}

// finish lets the caller's context go, too.
func (s *clientStream) finish(err error) {
	s.end(err)
	s.stop()
}

func (s *clientStream) end(err error) {
	if !s.over.Swap(true) {
		s.o.record(Call{Method: s.method, Err: err, Begun: s.begun.Load()}, s.start)
	}
}
