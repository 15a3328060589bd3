package guidongrpc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
)

// ServerOptions say what a server does with its calls. Each zero leaves something out.
type ServerOptions struct {
	// Flags are those of which each call gets a view, in its context. Nil leaves contexts
	// as they are.
	Flags *flag.Store
	// Who says whom a call is for: by what authenticated it, its metadata
	// (metadata.FromIncomingContext, [Forwarded]) or its peer (peer.FromContext). It is
	// called once per call, many at once; the method is as in [Call]. If it panics, the call
	// has panicked. Nil is the zero Subject, whom no ramp admits.
	Who func(ctx context.Context, method string) flag.Subject
	// Window counts the calls. Nil counts them nowhere.
	Window *health.Window
	// Guards count the calls that evaluated their flag, each as [rollout.Guard.Do] says.
	// They know no Excluded: there, what Classify calls that fails if it has an error. A
	// panic fails, whatever Classify says. None may be nil. How an error counts can be said again by Guarded.Classify, which is
	// given it, as a status.
	Guards []*rollout.Guard
	// Classify says how a call counts. Nil means [Call.Class]. It is called on the call's
	// goroutine, many at once; if it panics, that is logged, and the call is a failure.
	Classify func(Call) health.Class
}

// UnaryServer returns the interceptor of calls with one message each way.
func UnaryServer(o ServerOptions) grpc.UnaryServerInterceptor {
	o.check()
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (answer any, err error) {
		start := time.Now()
		call := Call{Method: info.FullMethod, Panicked: true}
		_ = guarded(o.see(ctx, info.FullMethod, start), o.Guards, func(ctx context.Context) (counts error) {
			// Without recover, so that a panic keeps its stack; guards know of it by themselves.
			defer func() {
				call.Err = err
				counts = o.end(ctx, call, start)
			}()
			answer, err = handler(ctx, request)
			call.Panicked = false
			return nil
		})
		return answer, err
	}
}

// check panics at once, and not in the first call.
func (o *ServerOptions) check() {
	if i := slices.Index(o.Guards, nil); i >= 0 {
		panic(fmt.Sprintf("guidongrpc: ServerOptions.Guards[%d] is nil, want a guard", i))
	}
}

// guarded does work within the guards, whom its error tells how it counts.
func guarded(ctx context.Context, guards []*rollout.Guard, work func(context.Context) error) error {
	if len(guards) == 0 {
		return work(ctx)
	}
	return guards[0].Do(ctx, func(ctx context.Context) error { return guarded(ctx, guards[1:], work) })
}

// see gives the context its view. If Who panics, the call is over.
func (o *ServerOptions) see(ctx context.Context, method string, start time.Time) context.Context {
	if o.Flags == nil {
		return ctx
	}
	var subject flag.Subject
	if o.Who != nil {
		found := false
		defer func() {
			if !found {
				_ = o.end(ctx, Call{Method: method, Panicked: true}, start)
			}
		}()
		subject = o.Who(ctx, method)
		found = true
	}
	return flag.NewContext(ctx, o.Flags.View(subject))
}

// end counts a call that is over, and returns the error by which guards count it.
func (o *ServerOptions) end(ctx context.Context, call Call, start time.Time) error {
	now := time.Now()
	call.Latency = now.Sub(start)
	switch {
	case call.Panicked:
		call.Code = codes.Unknown
	case gone(ctx):
		call.Code = codes.Canceled // a deadline, too: a client whose time is over cancels, and it is chance what comes first
	default:
		call.Code = codeOf(call.Err)
	}
	class := classifier(o.Classify).class(call)
	if o.Window != nil {
		o.Window.Record(now, call.Latency, class)
	}
	if len(o.Guards) == 0 {
		return nil
	}
	return outcome(call, class)
}

// gone says whether the client waits no more. That is in the transport's context: the
// call's may have a time limit of the server's own, of which the client is told.
func gone(ctx context.Context) bool {
	if stream, ok := grpc.ServerTransportStreamFromContext(ctx).(interface{ Context() context.Context }); ok {
		ctx = stream.Context()
	}
	return ctx.Err() != nil
}

var errFailed = errors.New("the call counts as a failure")

// outcome is a call's error as guards are told of it: nil is a success.
func outcome(call Call, class health.Class) error {
	switch {
	case call.Panicked: // as in Guard.Do, which knows of it by itself
		return status.Error(call.Code, "the handler panicked")
	case class == health.Success || class == health.Excluded && call.Code == codes.OK:
		return nil
	case call.Code == codes.OK:
		return errFailed
	}
	if s, ok := status.FromError(call.Err); ok && s.Code() == call.Code {
		return call.Err
	}
	return status.Error(call.Code, errFailed.Error())
}
