package guidongrpc

import (
	"context"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/guidon-go/guidon/rollout"
)

// StreamServer returns the interceptor of streams.
func StreamServer(o ServerOptions) grpc.StreamServerInterceptor {
	o.check()
	return func(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
		start := time.Now()
		s := &serverStream{ServerStream: stream, ctx: o.see(stream.Context(), info.FullMethod, start)}
		for _, guard := range o.Guards {
			s.works = append(s.works, guard.Begin(s.ctx))
		}
		call := Call{Method: info.FullMethod, Panicked: true}
		// Without recover, so that a panic keeps its stack.
		defer func() {
			call.Err, call.Begun = err, s.begun.Load()
			counts := o.end(s.ctx, call, start)
			for _, work := range s.works {
				work.Done(counts)
			}
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
}

// Context returns the one that carries the view.
func (s *serverStream) Context() context.Context { return s.ctx }

func (s *serverStream) SendMsg(message any) error {
	err := s.ServerStream.SendMsg(message)
	if err == nil && !s.begun.Load() && !s.begun.Swap(true) {
		for _, work := range s.works {
			work.Begun()
		}
	}
	return err
}
