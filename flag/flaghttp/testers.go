package flaghttp

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/flag"
)

// What callers may branch on with errors.Is.
var (
	// ErrForged is a token that was not signed with the key, or is none at all.
	ErrForged = errors.New("not a token signed with this key")
	// ErrExpired is a token whose time is over.
	ErrExpired = errors.New("the token has expired")
)

var errNoView = errors.New("no view of the flags: want flaghttp.Middleware(flags, who)(testers.Middleware(handler))")

// TesterOptions tune Testers. Every zero is right for most.
type TesterOptions struct {
	// Name is the name of the request's header and of the cookie that a token may come
	// in, and of the response's header. Empty means "Guidon-Overrides". A token is signed
	// for one name; what HTTP itself uses, such as Cookie or Vary, is refused.
	Name string
	// OnIgnored is told of what was ignored: a token that was forged ([ErrForged]) or has
	// expired ([ErrExpired]), or one of its flags that is unknown now or has no such
	// variant ([flag.View.With]). It is called before the request goes on; a panic is
	// logged. Nil ignores it in silence, since anybody can send anything.
	OnIgnored func(*http.Request, error)
}

// meant are headers that a token in a request, or the flags in a response, would break.
var meant = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control", "Connection", "Content-Encoding", "Content-Length",
	"Content-Security-Policy", "Content-Type", "Cookie", "Date", "Etag", "Expires", "Host", "Last-Modified", "Location", "Origin", "Range", "Referer",
	"Set-Cookie", "Strict-Transport-Security", "Trailer", "Transfer-Encoding", "Upgrade", "User-Agent", "Vary", "Www-Authenticate",
}

// Testers lets those who have a token see variants of their choice: nobody else does,
// flags that are killed stay off, and the token ends by itself. It is safe for
// concurrent use.
type Testers struct {
	key     []byte
	options TesterOptions
	header  string
}

// NewTesters returns testers whose tokens are signed with the key, by HMAC-SHA256. The
// key has at least 16 bytes, is random, and is for nothing else; whoever has it can make
// tokens. The error is everything that is wrong.
func NewTesters(key []byte, options TesterOptions) (*Testers, error) {
	var problems []error
	if len(key) < minKey {
		problems = append(problems, fmt.Errorf("key: found %d bytes, want at least %d", len(key), minKey))
	}
	options.Name = cmp.Or(options.Name, "Guidon-Overrides")
	if err := (&http.Cookie{Name: options.Name}).Valid(); err != nil {
		problems = append(problems, fmt.Errorf("name: found %q, want a name for a header and a cookie, such as Guidon-Overrides", options.Name))
	}
	header := http.CanonicalHeaderKey(options.Name)
	if slices.Contains(meant, header) {
		problems = append(problems, fmt.Errorf("name: found %q, which means something else in HTTP, want a name of its own, such as Guidon-Overrides", options.Name))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("flaghttp: testers: %w", err)
	}
	return &Testers{slices.Clone(key), options, header}, nil
}

// Middleware gives a request the variants that its token names. It stands inside
// [Middleware], and it does not matter whether a guard's middleware is inside or outside
// of it: requests with a token count on neither side. The token is the request's header
// or, if there is none, its cookie.
//
// The response to a request whose token counts has a header that names the flags and
// variants, as a URL's query would ("cart-limit=large&new-checkout=on"), those included
// that are killed, and may be stored by nobody, whatever the handler says of that. All
// others say that they vary by the header. What is wrong with a token is ignored: the
// request goes on as any other, or with what is right.
func (t *Testers) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", t.header)
		view, overridden := t.view(r)
		if len(overridden) == 0 {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set(t.header, overridden.Encode())
		private := &unstored{ResponseWriter: w}
		next.ServeHTTP(private, r.WithContext(flag.NewContext(r.Context(), view)))
		private.begin()
	})
}

// view returns the request's view with what its token overrides, if anything.
func (t *Testers) view(r *http.Request) (*flag.View, url.Values) {
	token := t.token(r)
	if token == "" {
		return nil, nil
	}
	variants, err := t.open(token, time.Now())
	if err != nil {
		t.ignored(r, err)
		return nil, nil
	}
	view, overridden := flag.FromContext(r.Context()), url.Values{}
	if view == nil {
		t.ignored(r, errNoView)
		return nil, nil
	}
	for _, key := range slices.Sorted(maps.Keys(variants)) {
		with, err := view.With(key, variants[key])
		if err != nil {
			t.ignored(r, err)
			continue
		}
		view = with
		overridden.Set(key, variants[key])
	}
	return view, overridden
}

// token is the request's, or empty.
func (t *Testers) token(r *http.Request) string {
	if token := r.Header.Get(t.header); token != "" {
		return token
	}
	for _, line := range r.Header["Cookie"] {
		if strings.Contains(line, t.options.Name) { // most requests have none
			if cookie, err := r.Cookie(t.options.Name); err == nil {
				return cookie.Value
			}
		}
	}
	return ""
}

// ignored contains panics: the request goes on.
func (t *Testers) ignored(r *http.Request, err error) {
	defer func() {
		if p := recover(); p != nil {
			slog.Default().Error("flaghttp: OnIgnored panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	if t.options.OnIgnored != nil {
		t.options.OnIgnored(r, err)
	}
}
