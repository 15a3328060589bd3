package verify_test

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

// paths redirects from /to/<status>/... to wherever its query says, and echoes the
// rest.
func paths() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.URL.Path, "/to/"); ok {
			w.Header().Set("Location", strings.ReplaceAll(r.URL.Query().Get("url"), "HOST", r.Host))
			w.WriteHeader(map[string]int{"301": 301, "302": 302, "303": 303, "307": 307, "308": 308, "304": 304, "300": 300}[rest])
			return
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, marshal(r.Method+" "+r.RequestURI+" "+string(body)+" "+r.Header.Get("Content-Type")+" "+r.Header.Get("Authorization")))
	})
}

func to(status, location string) string { return "/to/" + status + "?url=" + url.QueryEscape(location) }

func TestRedirects(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") }))
	defer elsewhere.Close()
	secret := http.Header{"Authorization": {"s3cret"}, "Content-Type": {"text/plain"}}
	tests := []struct {
		name string
		test verify.SmokeTest
		want string // the body, or what is wrong
	}{
		{"not followed", verify.SmokeTest{Endpoint: to("302", "/a"), ExpectedStatus: 302}, ""},
		{"to a path", verify.SmokeTest{Endpoint: to("302", "/a?b=%2F#c"), Redirects: 1}, "GET /a?b=%2F   "},
		{"to a name beside", verify.SmokeTest{Endpoint: to("302", "../x/./y"), Redirects: 1}, "GET /x/y   "},
		{"to a query", verify.SmokeTest{Endpoint: "/to/302?url=%2Fto%2F302%3Furl%3D%252Fz", Redirects: 2}, "GET /z   "},
		{"to the same host by name", verify.SmokeTest{Endpoint: to("301", "http://HOST/a"), Redirects: 1, Header: secret}, "GET /a  text/plain s3cret"},
		{"to the same host that was asked for", verify.SmokeTest{Endpoint: to("301", "http://shop.example/a"), Redirects: 1, Header: http.Header{"Host": {"shop.example"}}}, "GET /a   "},
		{"to the port of the scheme", verify.SmokeTest{Endpoint: to("301", "http://10.0.0.80:80/a"), Redirects: 1, Header: http.Header{"Host": {"10.0.0.80"}}}, "GET /a   "},
		{"from the port of the scheme", verify.SmokeTest{Endpoint: to("301", "http://shop.example/a"), Redirects: 1, Header: http.Header{"Host": {"shop.example:80"}}}, "GET /a   "},
		{"to a host that ends like a port", verify.SmokeTest{Endpoint: to("301", "http://10.0.0.80/a"), Redirects: 1, Header: http.Header{"Host": {"10.0.0."}}}, "redirect redirect: want one to a path of the same host, got one to http://10.0.0.80"},
		{"to the port of another scheme", verify.SmokeTest{Endpoint: to("301", "http://shop.example:443/a"), Redirects: 1, Header: http.Header{"Host": {"shop.example"}}}, "redirect redirect: want one to a path of the same host, got one to http://shop.example:443"},
		{"to no path", verify.SmokeTest{Endpoint: to("301", "http://HOST"), Redirects: 1}, "GET /   "},
		{"POST becomes GET", verify.SmokeTest{Method: "POST", Body: "x", Endpoint: to("302", "/a"), Redirects: 1, Header: secret}, "GET /a   s3cret"},
		{"PUT becomes GET by 303", verify.SmokeTest{Method: "PUT", Body: "x", Endpoint: to("303", "/a"), Redirects: 1, Header: secret}, "GET /a   s3cret"},
		{"PUT stays PUT by 302", verify.SmokeTest{Method: "PUT", Body: "x", Endpoint: to("302", "/a"), Redirects: 1}, "PUT /a x  "},
		{"POST stays POST by 307", verify.SmokeTest{Method: "POST", Body: "x", Endpoint: to("307", "/a"), Redirects: 1, Header: secret}, "POST /a x text/plain s3cret"},
		{"twice with a body", verify.SmokeTest{Method: "POST", Body: "x", Endpoint: to("308", to("307", "/a")), Redirects: 2}, "POST /a x  "},
		{"HEAD stays HEAD", verify.SmokeTest{Method: "HEAD", Endpoint: to("303", "/a"), Redirects: 1}, ""},
		{"304 leads nowhere", verify.SmokeTest{Endpoint: to("304", "/a"), ExpectedStatus: 304, Redirects: 1}, ""},
		{"300 is a choice", verify.SmokeTest{Endpoint: to("300", "/a"), ExpectedStatus: 300, Redirects: 1}, ""},
		{"nowhere", verify.SmokeTest{Endpoint: to("302", ""), ExpectedStatus: 302, Redirects: 1}, ""},

		{"one too many", verify.SmokeTest{Endpoint: to("302", to("302", "/a")), Redirects: 1}, "redirect redirect: want at most 1, got one more, to /a"},
		{"round and round", verify.SmokeTest{Endpoint: "/loop", Redirects: 10}, "redirect redirect: want at most 10, got one more, to /loop"},
		{"to another host", verify.SmokeTest{Endpoint: to("302", elsewhere.URL+"/?token=x"), Redirects: 1, Header: secret}, "redirect redirect: want one to a path of the same host, got one to " + elsewhere.URL},
		{"to another host by //", verify.SmokeTest{Endpoint: to("307", "//evil.example/"), Redirects: 1}, "redirect redirect: want one to a path of the same host, got one to http://evil.example"},
		{"to another port", verify.SmokeTest{Endpoint: to("302", "http://HOST:1/"), Redirects: 1}, "redirect redirect: want one to a path of the same host, got one to"},
		{"to a name and a password", verify.SmokeTest{Endpoint: to("302", "http://me:pw@evil.example/"), Redirects: 1}, "redirect redirect: want one to a path of the same host, got one to http://evil.example"},
		{"to another scheme", verify.SmokeTest{Endpoint: to("302", "javascript:alert(1)"), Redirects: 1}, "redirect redirect: want one to a path of the same host, got one to javascript://"},
		{"to nonsense", verify.SmokeTest{Endpoint: to("302", "://"), Redirects: 1}, "redirect redirect: want one to a path of the same host, got one to what is not a URL"},
	}
	mux := http.NewServeMux()
	mux.Handle("/", paths())
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	server := httptest.NewServer(mux)
	defer server.Close()
	for at, suite := range map[string]verify.Suite{"URL": {URL: server.URL}, "Handler": {Handler: mux}} {
		for _, tt := range tests {
			t.Run(at+" "+tt.name, func(t *testing.T) {
				if _, bad, _ := strings.Cut(tt.want, "redirect: "); bad == "" && tt.want != "" {
					tt.test.ExpectedResponse = tt.want
					tt.want = ""
				}
				suite.Tests = []verify.SmokeTest{tt.test}
				report := suite.Probe(t.Context())
				require.Empty(t, report.Problems)
				got := strings.Join(strs(report.Results[0].Mismatches), "\n")
				if tt.want == "" && got != "" || !strings.HasPrefix(got, tt.want) || strings.Contains(got, "\n") {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		}
	}
}

func TestEveryAttemptSendsTheSame(t *testing.T) {
	var types []string
	mux := http.NewServeMux()
	mux.HandleFunc("POST /order", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		types = append(types, r.Header.Get("Content-Type")+" "+string(body))
		http.Redirect(w, r, "/done", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /done", func(w http.ResponseWriter, r *http.Request) {
		if len(types) < 2 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	suite := verify.Suite{Handler: mux, Tests: []verify.SmokeTest{{
		Method: "POST", Endpoint: "/order", Body: "x", Header: http.Header{"Content-Type": {"text/plain"}},
		Redirects: 1, Retry: verify.Retry{Attempts: 2, Backoff: 1, AnyMethod: true},
	}}}
	require.NoError(t, suite.Check(t.Context()))
	require.Equal(t, []string{"text/plain x", "text/plain x"}, types)
}

func TestAnEncryptedRedirectOfAHandlerIsItsOwn(t *testing.T) {
	suite := verify.Suite{Handler: paths(), Tests: []verify.SmokeTest{{Endpoint: to("302", "https://HOST/a"), Redirects: 1, ExpectedResponse: "GET /a   "}}}
	require.NoError(t, suite.Check(t.Context()))
	server := httptest.NewServer(paths())
	defer server.Close()
	suite.URL, suite.Handler = server.URL, nil
	require.ErrorContains(t, suite.Check(t.Context()), "redirect: want one to a path of the same host, got one to https://")
}

func TestCookies(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		for _, c := range []*http.Cookie{
			{Name: "session", Value: "s1", Path: "/"}, {Name: "admin", Value: "a1", Path: "/admin"},
			{Name: "foreign", Value: "f", Domain: "evil.example", Path: "/"}, {Name: "old", Value: "o", Path: "/", MaxAge: -1},
		} {
			http.SetCookie(w, c)
		}
		w.Header().Set("Location", "/cookies")
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("/logout", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Path: "/", MaxAge: -1})
	})
	echo := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, marshal(r.Header.Get("Cookie")))
	}
	mux.HandleFunc("/cookies", echo)
	mux.HandleFunc("/admin/cookies", echo)
	server := httptest.NewServer(mux)
	defer server.Close()
	tests := func(session, admin, own, redirected string) []verify.SmokeTest {
		return []verify.SmokeTest{
			{Endpoint: "/login", ExpectedStatus: 302},
			{Endpoint: "/cookies", ExpectedResponse: session},
			{Endpoint: "/admin/cookies", ExpectedResponse: admin},
			{Endpoint: "/cookies", Header: http.Header{"Cookie": {"own=1"}}, ExpectedResponse: own},
			{Endpoint: "/logout"},
			{Endpoint: "/cookies", ExpectedResponse: ""},
			{Endpoint: "/login", Redirects: 1, ExpectedResponse: redirected},
		}
	}
	for name, suite := range map[string]verify.Suite{"URL": {URL: server.URL}, "Handler": {Handler: mux}} {
		suite.Tests = tests("", "", "own=1", "")
		require.NoError(t, suite.Check(t.Context()), name)
		suite.Cookies = true
		suite.Tests = tests("session=s1", "admin=a1; session=s1", "own=1; session=s1", "session=s1")
		for range 2 { // each run has a jar of its own
			require.NoError(t, suite.Check(t.Context()), name)
		}
	}
}

func TestSecureCookiesOfAHandler(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "__Host-session", Value: "1", Secure: true, Path: "/"})
	})
	mux.HandleFunc("/cookies", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, marshal(r.Header["Cookie"])) })
	shop := http.Header{"Host": {"shop.example"}} // on a host of its own, a Secure cookie needs no TLS
	tests := []verify.SmokeTest{
		{Endpoint: "/login", Header: shop}, {Endpoint: "/cookies", Header: shop, ExpectedResponse: []string{"__Host-session=1"}},
		{Endpoint: "/cookies", ExpectedResponse: json.RawMessage("null")}, // which is another host
	}
	require.NoError(t, (&verify.Suite{Handler: mux, Cookies: true, Tests: tests}).Check(t.Context()))

	c, roots := certificate(t, nil)
	suite := verify.Suite{URL: secure(t, c, mux).URL, Cookies: true, Tests: tests, TLS: &tls.Config{RootCAs: roots}}
	require.NoError(t, suite.Check(t.Context()))

	plain := httptest.NewServer(mux)
	defer plain.Close()
	report := (&verify.Suite{URL: plain.URL, Cookies: true, Tests: tests}).Probe(t.Context())
	if diff := cmp.Diff([]string{`type $: want ["__Host-session=1"], got null`}, strs(report.Results[1].Mismatches)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
