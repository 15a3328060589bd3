package split

import "net/http"

// PinHeader pins a request to the backend that a header of it names. Anybody can send
// one: where that matters, take a function of your own, which asks who it is.
func PinHeader(name string) func(*http.Request) string {
	name = http.CanonicalHeaderKey(name)
	return func(r *http.Request) string { return r.Header.Get(name) }
}

// PinCookie is [PinHeader] for a cookie.
func PinCookie(name string) func(*http.Request) string {
	return func(r *http.Request) string {
		if c, err := r.Cookie(name); err == nil {
			return c.Value
		}
		return ""
	}
}
