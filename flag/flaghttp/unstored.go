package flaghttp

import (
	"bufio"
	"net"
	"net/http"
	"strings"
)

// unstored lets nobody store a response, whatever its handler says of that: what one
// tester sees must not come out of a cache for everybody.
type unstored struct {
	http.ResponseWriter
	begun bool
}

// begin is called before the header is sent.
func (u *unstored) begin() {
	if u.begun {
		return
	}
	u.begun = true
	h := u.Header()
	for name := range h {
		// Those of single networks (CDN-Cache-Control and its like) win over the usual one,
		// and whoever writes into the map himself may write names in lower case.
		switch canonical := http.CanonicalHeaderKey(name); canonical {
		case "Surrogate-Control", "Edge-Control", "X-Accel-Expires", "Expires":
			delete(h, name)
		default:
			if strings.HasSuffix(canonical, "Cache-Control") {
				delete(h, name)
			}
		}
	}
	h.Set("Cache-Control", "private, no-store")
}

func (u *unstored) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols { // otherwise it is a hint before the answer
		u.begin()
	}
	u.ResponseWriter.WriteHeader(status)
}

func (u *unstored) Write(p []byte) (int, error) {
	u.begin()
	return u.ResponseWriter.Write(p)
}

// Flush is for handlers that look for an [http.Flusher].
func (u *unstored) Flush() { _ = u.FlushError() } // it has nowhere to report to

// FlushError is what http.ResponseController looks for first; a flush sends the header.
func (u *unstored) FlushError() error {
	u.begin()
	return http.NewResponseController(u.ResponseWriter).Flush()
}

// Hijack is for handlers that look for an [http.Hijacker]: it is an error where there
// is none.
func (u *unstored) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(u.ResponseWriter).Hijack()
}

// Unwrap is how http.ResponseController reaches the writer.
func (u *unstored) Unwrap() http.ResponseWriter { return u.ResponseWriter }
