package flaghttp_test

import (
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/guidon-go/guidon/flag/flaghttp"
	"github.com/stretchr/testify/require"
)

// TestSourceRedirects: what goes with a request, headers of the host's own and the URL's
// query (as Referer) included, goes to no other host and port, and not in the clear if it
// was not so before; the client's own check is asked about the rest.
func TestSourceRedirects(t *testing.T) {
	given := errors.New("not there")
	for _, tt := range []struct {
		name, from, to string
		own            error // of the client's CheckRedirect, if it has one
		want           string
	}{
		{"another path", "https://flags/doc?secret", "/other", nil, ""},
		{"the same host by name", "https://flags/doc", "https://FLAGS/other", nil, ""},
		{"from http to https", "http://flags/doc", "https://flags/doc", nil, ""},
		{"in the clear as before", "http://flags/doc", "http://flags/other", nil, ""},
		{"another host", "https://flags/doc?secret", "https://evil/doc", nil, `redirected to host "evil", want "flags": the request's header and query are not for others`},
		{"a host below it", "https://flags/doc", "https://evil.flags/doc", nil, `redirected to host "evil.flags", want "flags": the request's header and query are not for others`},
		{"another port", "https://flags/doc", "https://flags:8443/doc", nil, `redirected to host "flags:8443", want "flags": the request's header and query are not for others`},
		{"another host with a user", "https://flags/doc", "https://me:secret@evil/?secret", nil, `redirected to host "evil", want "flags": the request's header and query are not for others`},
		{"from https to http", "https://flags/doc", "http://flags/doc", nil, "redirected from https to http, want https"},
		{"from http to what nobody knows", "http://flags/doc", "ftp://flags/doc", nil, "redirected from http to ftp, want https"},
		{"another host, which the client would refuse", "https://flags/doc", "https://evil/doc", given, `redirected to host "evil", want "flags": the request's header and query are not for others`},
		{"another path, which the client refuses", "https://flags/doc", "/other", given, "not there"},
		{"another path, at which the client stops", "https://flags/doc", "/other", http.ErrUseLastResponse, "status 302 Found, want 200"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			client := answered(func(w http.ResponseWriter, r *http.Request) {
				if asked++; asked == 1 {
					w.Header().Set("Location", tt.to)
					w.WriteHeader(http.StatusFound)
					return
				}
				io.WriteString(w, document)
			})
			if tt.own != nil {
				client.CheckRedirect = func(*http.Request, []*http.Request) error { return tt.own }
			}
			s := newSource(t, tt.from, flaghttp.SourceOptions{Client: client, Header: http.Header{"X-Api-Key": {"secret"}}})
			require.Equal(t, tt.own == nil, client.CheckRedirect == nil, "the client is copied")
			got, err := s.Read(t.Context())
			if tt.want != "" {
				require.EqualError(t, err, tt.want)
				require.Equal(t, 1, asked)
				return
			}
			require.NoError(t, err)
			require.Equal(t, document, string(got))
		})
	}
}

// TestSourceRedirectsBackInTheClear: a redirect that went to https does not go back.
func TestSourceRedirectsBackInTheClear(t *testing.T) {
	client := answered(func(w http.ResponseWriter, r *http.Request) {
		to := map[string]string{"http": "https://flags/doc", "https": "http://flags/doc"}[r.URL.Scheme]
		http.Redirect(w, r, to, http.StatusFound)
	})
	_, err := newSource(t, "http://flags/doc", flaghttp.SourceOptions{Client: client}).Read(t.Context())
	require.EqualError(t, err, "redirected from https to http, want https")
}
