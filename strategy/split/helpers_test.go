package split_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/split"
)

const pc = strategy.Percent

// says is a backend that answers with its name.
func says(name string) split.Backend {
	return served(name, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
}

func served(name string, handler http.HandlerFunc) split.Backend {
	return split.Backend{Name: name, Handler: handler}
}

func newSplitter(t testing.TB, o split.Options, backends ...split.Backend) *split.Splitter {
	t.Helper()
	s, err := split.New(o, backends...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
	return s
}

// byUser takes the unit from a header, and the tester's wish from another.
func byUser(r *http.Request) string { return r.Header.Get("User") }

var sticky = split.Options{Unit: byUser, Pin: split.PinHeader("Version"), Salt: "salt"}

// ask sends a request, with headers in pairs, and returns the answer.
func ask(s http.Handler, method string, body io.Reader, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", body)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// of is the version that a user gets.
func of(s http.Handler, user string) string {
	return ask(s, http.MethodGet, nil, "User", user).Body.String()
}

func user(i int) string { return fmt.Sprint("user-", i) }

// having are those of n users who get a version.
func having(s http.Handler, version string, n int) (users []string) {
	for i := range n {
		if of(s, user(i)) == version {
			users = append(users, user(i))
		}
	}
	return users
}

func count(s http.Handler, version string, n int) int { return len(having(s, version, n)) }
