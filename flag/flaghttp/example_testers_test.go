package flaghttp_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
)

// A tester gets a token, and with it the new page, which nobody has yet. Scripts send it
// as a header, browsers as a cookie.
func ExampleTesters() {
	newPage := flag.Bool("new-page", false)
	flags := flag.New(flag.Bytes([]byte(`{"flags": {"new-page": {}}}`)), flag.Options{})
	if err := flags.Load(context.Background()); err != nil {
		fmt.Println(err)
	}
	testers, err := flaghttp.NewTesters([]byte("a random key of 16 bytes or more"), flaghttp.TesterOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	who := func(r *http.Request) flag.Subject { return flag.For(r.Header.Get("X-User")) }
	server := httptest.NewServer(flaghttp.Middleware(flags, who)(testers.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "new page: ", newPage.On(r.Context()))
	}))))
	defer server.Close()

	token, err := testers.Sign(map[string]string{"new-page": "on"}, time.Now().Add(8*time.Hour))
	if err != nil {
		fmt.Println(err)
	}
	ask := func(as string, prepare func(*http.Request)) {
		r, _ := http.NewRequest(http.MethodGet, server.URL, nil)
		prepare(r)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		fmt.Printf("%s: %s %q %q\n", as, body, response.Header.Get("Guidon-Overrides"), response.Header.Get("Cache-Control"))
	}
	ask("a user", func(*http.Request) {})
	ask("a script", func(r *http.Request) { r.Header.Set("Guidon-Overrides", token) })
	ask("a browser", func(r *http.Request) {
		r.AddCookie(&http.Cookie{Name: "Guidon-Overrides", Value: token, HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode})
	})
	ask("a forger", func(r *http.Request) { r.Header.Set("Guidon-Overrides", token+"x") })
	// Output:
	// a user: new page: false "" ""
	// a script: new page: true "new-page=on" "private, no-store"
	// a browser: new page: true "new-page=on" "private, no-store"
	// a forger: new page: false "" ""
}
