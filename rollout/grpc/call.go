package guidongrpc

import (
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/guidon-go/guidon/health"
)

// Call is what became of one call, as its server or its client saw it. A server's interceptor
// is not told if the answer to a unary call then cannot be marshalled or sent: the Code is OK,
// and the client has another.
type Call struct {
	Method   string        // in full: "/shop.v1.Checkout/Pay"
	Code     codes.Code    // that the client gets; in a server Canceled if it has gone before, and Unknown after a panic
	Err      error         // of the handler, or what the client got
	Latency  time.Duration // from the interceptor's call to its end; of a stream, as long as it lasted
	Begun    bool          // in a stream: a message of the answer was sent, or received in the client
	Panicked bool          // the handler, or in a client an interceptor inside, did not return
}

// Class is how a call counts where nobody says otherwise: the documentation of the
// package has the table.
func (c Call) Class() health.Class {
	switch {
	case strings.HasPrefix(c.Method, "/grpc.health.v1.Health/"):
		return health.Excluded
	case c.Panicked:
		return health.Failure
	}
	switch c.Code {
	case codes.OK, codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.PermissionDenied,
		codes.ResourceExhausted, codes.FailedPrecondition, codes.Aborted, codes.OutOfRange, codes.Unauthenticated:
		return health.Success
	case codes.Canceled:
		if c.Begun {
			return health.Success
		}
	}
	return health.Failure
}

// codeOf reads an error as a server does that sends it.
func codeOf(err error) codes.Code {
	if err == nil {
		return codes.OK
	}
	if s, ok := status.FromError(err); ok {
		return s.Code()
	}
	return status.FromContextError(err).Code()
}

// classifier says how calls count.
type classifier func(Call) health.Class

// class contains panics: the call goes on, and is a failure.
func (f classifier) class(call Call) (class health.Class) {
	if f == nil {
		return call.Class()
	}
	defer func() {
		if p := recover(); p != nil {
			slog.Default().Error("grpc: Classify panicked", "panic", p, "method", call.Method, "stack", string(debug.Stack()))
			class = health.Failure
		}
	}()
	return f(call)
}
