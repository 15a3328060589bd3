// Package guidongrpc puts Guidon into gRPC: interceptors that give each call its view of
// the flags and count what became of it, and the standard health service.
//
//	server := grpc.NewServer(
//		grpc.ChainUnaryInterceptor(guidongrpc.UnaryServer(options)),
//		grpc.ChainStreamInterceptor(guidongrpc.StreamServer(options)))
//	guidongrpc.RegisterHealth(server, monitor, nil)
//
// where the options say what there is:
//
//	options := guidongrpc.ServerOptions{
//		Flags:  flags,                    // the handler asks them: NewCheckout.On(ctx)
//		Who:    who,                      // whom a call is for, by its metadata or peer
//		Window: window,                   // rates and latencies
//		Guards: []*rollout.Guard{guard},  // flags that ramp themselves
//	}
//
// Nobody is who a call says it is, so there is no subject unless [ServerOptions.Who]
// finds one. A guard behind these interceptors is made with [rollout.Guarded].Manual,
// as it is not behind its HTTP middleware.
//
// Stand inside what authenticates, so that Who can ask, and inside what recovers panics:
// what is recovered before it gets here is an error as any other, and as good as none if
// the client has gone. What stands outside and refuses calls is not counted.
//
// # What counts as what
//
// [Call.Class] says it, and ServerOptions.Classify and ClientOptions.Classify can say
// something else. It reads codes as package health reads the HTTP status that they stand
// for, on either end of a call:
//
//	OK, also if a unary answer then cannot be sent               success
//	InvalidArgument, NotFound, AlreadyExists, PermissionDenied,
//	ResourceExhausted, FailedPrecondition, Aborted, OutOfRange,
//	Unauthenticated                                              success: the caller's fault, mostly
//	Unknown, DeadlineExceeded, Unimplemented, Internal,
//	Unavailable, DataLoss, and codes without a name              failure
//	Canceled, before the answer has begun                        failure: callers give up what is slow
//	Canceled, after that                                         success: so most streams are ended
//	a handler, Who, or in a client what is inside, that panics   failure, and the panic goes on
//	any call of grpc.health.v1.Health                            excluded
//
// In a server, a call whose client has gone when its handler returns is Canceled, whatever
// the handler says: nobody hears it. So is one whose deadline is over; its client goes at
// the same moment, and which of the two a server sees is chance. DeadlineExceeded is there
// the server's own: a handler's, or that of a context to which an interceptor outside gave
// a time limit, while the client still waits. It is a failure, also after the answer has begun.
//
// # Streams
//
// An answer has begun when its first message was sent, or received in the client. A
// stream counts once, when it ends, with as long as it lasted: in a server when its
// handler returns; in a client when it was received to its end, or failed, or its context
// is done. Leave out of a window, by Classify, those whose length says nothing.
//
// A guard counts it then, too. It is late, and a failure, if its first message was not
// sent within [rollout.Guarded].Within. After that message, a stream that hangs is no
// evidence as long as it lasts, and a success when its client gives it up: end it in the
// handler, with an error, when too little comes of it.
//
// A stream keeps the view that it began with: neither a new document nor Kill reaches it.
// Where streams last, take a fresh view now and then, of the same subject:
//
//	subject := flag.FromContext(stream.Context()).Subject()
//	ctx := flag.NewContext(stream.Context(), flags.View(subject)) // for each message, say
//
// What is evaluated through a fresh view is not seen by the guards of the stream.
//
// # Guarantees
//
//   - A call counts exactly once, however it ends: TestServerCounts, TestClientCounts,
//     TestWhoPanics. [StreamClient] says which streams of a client never end.
//   - A view and a window take no lock, and one allocation for a call, or two for a
//     stream: TestAllocations. A guard takes one more, and four in a stream; forwarding a
//     subject, four; a client's stream with a window, four.
//   - Nothing here starts a goroutine, but for a client's stream whose context is done, or
//     has a Done that is not of package context.
//   - A watcher of the health service that does not read holds nothing up, and gets what
//     is newest when it reads again: TestWatchCoalesces.
//   - A server that drains does not serve again: TestDrainLatches.
package guidongrpc
