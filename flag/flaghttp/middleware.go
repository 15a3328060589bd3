package flaghttp

import (
	"net/http"

	"github.com/guidon-go/guidon/flag"
)

// Middleware puts a view of the flags into each request's context. who says whom
// the request is for; it is called once per request.
func Middleware(flags *flag.Store, who func(*http.Request) flag.Subject) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			view := flags.View(who(r))
			next.ServeHTTP(w, r.WithContext(flag.NewContext(r.Context(), view)))
		})
	}
}
