package bench

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
)

// BenchmarkContext is an evaluation by the request's context. Only we have that.
func BenchmarkContext(b *testing.B) {
	b.Run("S2", func(b *testing.B) {
		for _, name := range []string{"guidon-ref", "guidon-ref-counted"} {
			b.Run(name, func(b *testing.B) {
				s := systemCalled(name).load().(*guidonRef)
				ref, contexts := s.switches["s2"], requestContexts(s.flags)
				b.ReportAllocs()
				b.ResetTimer()
				on := 0
				for w := over(userCount, b.N); w.Left > 0; w = w.next() {
					on += one(ref.On(contexts[w.At]))
				}
				sink.Add(int64(on))
			})
		}
	})
}

// BenchmarkMiddleware is what the middleware adds to a request, with a subject that
// is built in it. "bare" puts a pointer into the request's context by hand, which
// no middleware can do without.
func BenchmarkMiddleware(b *testing.B) {
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nothing.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, userOf(r))))
	})
	s := systemCalled("guidon-ref").load().(*guidonRef)
	for _, handler := range []struct {
		name string
		http.Handler
	}{
		{"bare", bare},
		{"guidon", flaghttp.Middleware(s.flags, subjectOf)(nothing)},
	} {
		b.Run(handler.name, func(b *testing.B) {
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				handler.ServeHTTP(nil, request)
			}
		})
	}
}

// TestContext wants an evaluation by the context to be the one by the subject.
func TestContext(t *testing.T) {
	s := systemCalled("guidon-ref").load().(*guidonRef)
	ref, contexts := s.switches["s2"], requestContexts(s.flags)
	for at := range sample {
		if got, want := ref.On(contexts[at]), ref.Value(s.flags, &s.subjects[at]); got != want {
			t.Fatalf("user %d: %v, want %v", at, got, want)
		}
	}
}

type userKey struct{}

// userOf finds the user whom authentication has put into the context, or one.
func userOf(r *http.Request) *User {
	if u, ok := r.Context().Value(userKey{}).(*User); ok {
		return u
	}
	return &users[0]
}

func subjectOf(r *http.Request) flag.Subject {
	u := userOf(r)
	return flag.For(u.ID, country.Is(u.Country), plan.Is(u.Plan), age.Is(u.Age), email.Is(u.Email))
}

// requestContexts are the contexts that handlers behind the middleware see, one
// for each user.
func requestContexts(flags *flag.Store) []context.Context {
	var seen []context.Context
	handler := flaghttp.Middleware(flags, subjectOf)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Context())
	}))
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	for i := range users {
		ctx := context.WithValue(request.Context(), userKey{}, &users[i])
		handler.ServeHTTP(nil, request.WithContext(ctx))
	}
	return seen
}
