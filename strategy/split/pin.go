package split

import (
	"net/http"
	"strings"
)

// PinHeader pins a request to the backend that a header of it names. Anybody can send
// one: where that matters, take a function of your own, which asks who it is.
func PinHeader(name string) func(*http.Request) string {
	name = http.CanonicalHeaderKey(name)
	return func(r *http.Request) string { return r.Header.Get(name) }
}

// PinCookie is [PinHeader] for a cookie.
func PinCookie(name string) func(*http.Request) string {
	return func(r *http.Request) string {
		for _, line := range r.Header["Cookie"] { // Request.Cookie allocates
			for part, more := "", line; more != ""; {
				part, more, _ = strings.Cut(more, ";")
				if key, value, _ := strings.Cut(strings.TrimSpace(part), "="); key == name && name != "" {
					return strings.Trim(value, `"`)
				}
			}
		}
		return ""
	}
}
