package flaghttp_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
)

// A store follows a document on a server, asks only whether it has changed, and goes on
// with the last good one when the server is in trouble.
func ExampleNewSource() {
	broken := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch w.Header().Set("ETag", `"v1"`); {
		case broken:
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.Header.Get("If-None-Match") == `"v1"`:
			fmt.Println("the server: not modified")
			w.WriteHeader(http.StatusNotModified)
		default:
			fmt.Println("the server: the whole document")
			io.WriteString(w, `{"flags": {"new-search": {"serve": "on"}}}`)
		}
	}))
	defer server.Close()

	source, err := flaghttp.NewSource(server.URL+"/flags.json?token=secret", flaghttp.SourceOptions{})
	if err != nil {
		panic(err)
	}
	flags := flag.New(source, flag.Options{})
	ctx := context.Background() // a program would call flags.Run
	fmt.Println(flags.Load(ctx), flags.Load(ctx))
	broken = true
	fmt.Println(flags.Load(ctx) != nil)
	subject := flag.For("anybody")
	fmt.Println(flag.Bool("new-search", false).Value(flags, &subject))
	// Output:
	// the server: the whole document
	// the server: not modified
	// <nil> <nil>
	// true
	// true
}
