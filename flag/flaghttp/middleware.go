package flaghttp

import (
	"net/http"
	"runtime"
	"sync"
	"weak"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/internal/viewtest"
)

// Middleware puts a view of the flags into each request's context. who says whom
// the request is for; it is called once per request. What a test has set in that context
// by package flagtest holds in the view, too.
func Middleware(flags *flag.Store, who func(*http.Request) flag.Subject) func(http.Handler) http.Handler {
	note(flags)
	return func(next http.Handler) http.Handler {
		return handler(func(w http.ResponseWriter, r *http.Request) {
			view := flags.View(who(r))
			if set, ok := r.Context().Value(viewtest.Key{}).(func(*flag.View) *flag.View); ok {
				view = set(view)
			}
			next.ServeHTTP(w, r.WithContext(flag.NewContext(r.Context(), view)))
		})
	}
}

// handler is what a Middleware makes.
type handler func(http.ResponseWriter, *http.Request)

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h(w, r) }

// PutsView tells whoever needs a view, and is given this handler, that he stands around it
// instead of inside.
func (handler) PutsView() {}

// served are weak pointers to the stores that a Middleware was made for, so that none
// is kept alive by it.
var served sync.Map

func note(flags *flag.Store) {
	if flags == nil {
		return
	}
	p := weak.Make(flags)
	if _, known := served.LoadOrStore(p, struct{}{}); !known {
		runtime.AddCleanup(flags, func(p weak.Pointer[flag.Store]) { served.Delete(p) }, p)
	}
}

// Serves says whether this process has made a [Middleware] for these flags. Whoever
// depends on views in contexts can ask before it begins; where the middleware stands,
// nobody can tell before the first request.
func Serves(flags *flag.Store) bool {
	_, known := served.Load(weak.Make(flags))
	return known && flags != nil
}
