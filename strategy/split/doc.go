// Package split sends HTTP requests to one of several versions, inside the process.
//
// A [Splitter] is an [http.Handler] in front of any number of backends: handlers of
// this process, or servers elsewhere by [Upstream]. As a target of package strategy it
// is what a plan moves:
//
//	splitter, err := split.New(split.Options{
//		Unit: func(r *http.Request) string { return r.Header.Get("X-User") },
//		Salt: "checkout",
//	}, split.Backend{Name: "1", Handler: v1}, split.Backend{Name: "2", Handler: v2})
//	go http.ListenAndServe(":8080", splitter)
//	plan, err := strategy.Canary{...}.Plan(strategy.Input{Old: "1", New: "2"})
//
// A unit gets the version that a flag's ramp with the same salt decides for it, so the
// front end and whoever asks the flag agree: here the salt is "checkout/2".
//
// # Guarantees
//
//   - A change of the weights counts for the next request and loses none.
//   - Raising the new version's share takes nobody away from it, and who gets it early
//     says nothing of who gets the next one early.
//   - When [Splitter.Remove] or [Splitter.Drain] returns, the backend answers nobody.
//   - A request costs no lock and no allocation; with outcomes, one allocation.
//   - What a backend can do with a request and its answer, it can do behind the splitter:
//     streams, trailers, full duplex, connections that change their protocol.
//   - Copies never delay a request or change its answer, and their number, size and time
//     are bounded.
package split
