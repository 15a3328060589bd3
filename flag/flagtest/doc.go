// Package flagtest is for tests of programs that use package flag. Nothing in it is
// global: what a test sets lives in its context, so tests run in parallel.
//
//	func TestCheckout(t *testing.T) {
//		for variant, ctx := range flagtest.Each(t, t.Context(), NewCheckout) {
//			t.Run(variant, func(t *testing.T) {
//				t.Parallel()
//				checkout(flagtest.With(ctx, CartLimit, 3))
//			})
//		}
//	}
//
// [With] gives a flag a value, [Each] every value it can have, [At] is another time, and
// [Only] fails a test whose code reads other flags than it ought to. [SubjectIn] finds a
// user who gets a variant. [NoneExpired] fails the build when a flag ought to be gone, and
// [Reviewed] when there is anything else to be found. [TestSource] holds a host's own source
// of documents to what a [flag.Store] expects of a [flag.Source].
//
// What is set in a context reaches whatever asks by a context or a view. It does not reach
// [flag.Ref.Value], which asks a store: give that one a store of the test's own, made of
// [flag.Bytes]. It holds in the view that flaghttp.Middleware
// makes of a request whose context it was set in (not of one that a client sends to a
// server); another middleware, which puts a view of its own there, takes its place: test
// what is behind that.
package flagtest
