package guidongrpc

import (
	"cmp"
	"context"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/guidon-go/guidon/rollout"
)

const defaultLong = 10 * time.Second

// StreamServer returns the interceptor of streams.
func StreamServer(o ServerOptions) grpc.StreamServerInterceptor {
	long := cmp.Or(o.Long, defaultLong)
	return func(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
		start := time.Now()
		s := &serverStream{ServerStream: stream, ctx: o.see(stream.Context(), info.FullMethod)}
		if len(o.Guards) > 0 {
			s.works = o.begin(s.ctx, nil)
			timer := time.AfterFunc(long, s.grewLong)
			defer timer.Stop()
		}
		call := Call{Method: info.FullMethod, Panicked: true}
		// Without recover, so that a panic keeps its stack.
		defer func() {
			call.Err, call.Begun = err, s.begun.Load()
			o.end(s.ctx, call, start, s.works)
		}()
		err = handler(service, s)
		call.Panicked = false
		return err
	}
}

// serverStream has the context with the view, and notes when the answer begins.
type serverStream struct {
	grpc.ServerStream
	ctx   context.Context
	works []*rollout.Work
	begun atomic.Bool
	long  atomic.Bool
}

// Context returns the one that carries the view.
func (s *serverStream) Context() context.Context { return s.ctx }

func (s *serverStream) SendMsg(message any) error {
	err := s.ServerStream.SendMsg(message)
	if err == nil && !s.begun.Load() {
		s.begun.Store(true)
		if s.long.Load() {
			done(s.works, nil)
		}
	}
	return err
}

// grewLong and SendMsg each set their own mark before they look at the other's, so that
// one of them sees both.
func (s *serverStream) grewLong() {
	s.long.Store(true)
	if s.begun.Load() {
		done(s.works, nil)
	}
}
