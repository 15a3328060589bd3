package flagtest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
	"github.com/guidon-go/guidon/flag/flagtest"
	"github.com/stretchr/testify/require"
)

// TestBehindMiddleware: what is set in a request's context holds behind a middleware that
// makes its view, with everything else as the document says.
func TestBehindMiddleware(t *testing.T) {
	store := load(t, shop)
	serve := func(t testing.TB, request *http.Request) (got []any) {
		who := func(*http.Request) flag.Subject { return flag.For("staff") }
		handler := flaghttp.Middleware(store, who)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			got = []any{NewCheckout.On(r.Context()), CartLimit.In(r.Context()), Theme.In(r.Context())}
		}))
		handler.ServeHTTP(httptest.NewRecorder(), request)
		return got
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	bare := serve(t, request)
	require.Equal(t, []any{int64(100), "plain"}, bare[1:])
	off := !bare[0].(bool)
	ctx := flagtest.At(flagtest.With(flagtest.With(t.Context(), NewCheckout, !off), NewCheckout, off), monday)
	require.Equal(t, []any{off, int64(100), "black"}, serve(t, request.WithContext(ctx)))
	for name, each := range flagtest.Each(t, in(t, "somebody"), CartLimit) {
		require.Equal(t, map[string]int64{"small": 20, "large": 100, "old": 7}[name], serve(t, request.WithContext(each))[1])
	}
	require.Equal(t, []string{`read flags that it may not: "theme" (not named)`}, judge(t, func(t testing.TB) {
		serve(t, request.WithContext(flagtest.Only(t, ctx, NewCheckout, CartLimit)))
	}))
	require.Equal(t, bare, serve(t, request), "the next request is as before")
}
