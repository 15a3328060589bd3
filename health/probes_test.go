package health_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/stretchr/testify/require"
)

// TestHTTPProbe against a real server.
func TestHTTPProbe(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok":
			if r.Header.Get("Authorization") != "secret" || r.Method != http.MethodHead {
				w.WriteHeader(http.StatusForbidden)
			}
		case "/moved":
			http.Redirect(w, r, "/ok", http.StatusFound)
		case "/slow":
			<-r.Context().Done()
		case "/busy":
			w.WriteHeader(http.StatusTooManyRequests)
		default:
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte("a stranger's text"))
		}
	}))
	defer server.Close()
	options := health.HTTPOptions{Method: http.MethodHead, Header: http.Header{"Authorization": {"secret"}}}
	require.NoError(t, health.HTTP(server.URL+"/ok", options)(t.Context()))
	require.ErrorContains(t, health.HTTP(server.URL+"/ok", health.HTTPOptions{})(t.Context()), "status 403")
	require.ErrorContains(t, health.HTTP(server.URL+"/moved", options)(t.Context()), "status 302", "no redirect is followed")
	err := health.HTTP(server.URL+"/broken", health.HTTPOptions{})(t.Context())
	require.ErrorContains(t, err, "status 500")
	require.NotContains(t, err.Error(), "stranger")
	accept := health.HTTPOptions{Accept: func(status int) bool { return status == 500 }}
	require.NoError(t, health.HTTP(server.URL+"/broken", accept)(t.Context()))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, health.HTTP(server.URL+"/slow", health.HTTPOptions{})(ctx), context.DeadlineExceeded)
	require.Error(t, health.HTTP("http://bad url", health.HTTPOptions{})(t.Context()))

	m := monitor(t, health.MonitorOptions{}, health.Check{Name: "busy", Probe: health.HTTP(server.URL+"/busy", health.HTTPOptions{}), PassAfter: 1, Interval: 10 * time.Millisecond})
	defer run(t, m)()
	require.Eventually(t, func() bool { return status(m, "busy") == health.Degraded }, 10*time.Second, 5*time.Millisecond)
}

// TestOtherProbes against real listeners and files.
func TestOtherProbes(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, health.TCP(address)(t.Context()))
	require.NoError(t, listener.Close())
	require.Error(t, health.TCP(address)(t.Context()))

	require.NoError(t, health.DNS("localhost")(t.Context()))
	require.Error(t, health.DNS("no-such-host.invalid")(t.Context()))

	require.NoError(t, health.Disk(t.TempDir(), 1)(t.Context()))
	require.ErrorContains(t, health.Disk(t.TempDir(), 1<<62)(t.Context()), "want at least")
	require.Error(t, health.Disk("/no/such/place", 1)(t.Context()))

	require.ErrorIs(t, health.Ping(database{errDown})(t.Context()), errDown)
}

type database struct{ err error }

func (d database) PingContext(context.Context) error { return d.err }

func TestTLSProbe(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	address := server.Listener.Addr().String()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	config := &tls.Config{RootCAs: roots, ServerName: "example.com"}
	require.Error(t, health.TLS(address, 0, nil)(t.Context()), "nobody trusts it")
	require.NoError(t, health.TLS(address, 0, config)(t.Context()))
	left := time.Until(server.Certificate().NotAfter)
	require.ErrorContains(t, health.TLS(address, left+time.Hour, config)(t.Context()), "expires at")
}

// TestHandlers: liveness never depends on a check, readiness does, and details are for
// those who may see them.
func TestHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := monitor(t, health.MonitorOptions{},
			health.Check{Name: "db", Probe: script(nil, nil, errDown), Interval: time.Second},
			health.Check{Name: "mail", Probe: script(nil), Optional: true, Interval: time.Second})
		may := func(r *http.Request) bool { return r.Header.Get("X-May") != "" }
		ask := func(h http.Handler, method, may string) *httptest.ResponseRecorder {
			r, w := httptest.NewRequest(method, "/", nil), httptest.NewRecorder()
			r.Header.Set("X-May", may)
			h.ServeHTTP(w, r)
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			return w
		}
		require.Equal(t, 200, ask(m.Live(), "GET", "").Code)
		ready := ask(m.Ready(), "GET", "")
		require.Equal(t, 503, ready.Code)
		require.NotEmpty(t, ready.Header().Get("Retry-After"))
		require.Equal(t, 405, ask(m.Ready(), "POST", "").Code)

		defer run(t, m)()
		time.Sleep(11 * time.Second / 2)
		for time.Sleep(0); m.Report().Status == health.Unknown; time.Sleep(time.Second) {
		}
		time.Sleep(20 * time.Second)
		require.Equal(t, health.Unhealthy, m.Report().Status)
		require.Equal(t, 200, ask(m.Live(), "HEAD", "").Code)
		require.Equal(t, 503, ask(m.Ready(), "GET", "").Code)

		details := ask(m.Details(may), "GET", "yes")
		require.Equal(t, 503, details.Code)
		require.Equal(t, "application/health+json", details.Header().Get("Content-Type"))
		var out struct {
			Status string
			Checks map[string][]map[string]any
		}
		require.NoError(t, json.Unmarshal(details.Body.Bytes(), &out))
		require.Equal(t, "fail", out.Status)
		require.Equal(t, "fail", out.Checks["db:responseTime"][0]["status"])
		require.Contains(t, out.Checks["db:responseTime"][0]["output"], "down")
		require.Equal(t, "pass", out.Checks["mail:responseTime"][0]["status"])
		require.NotContains(t, ask(m.Details(may), "GET", "").Body.String(), "db")
		require.NotContains(t, ask(m.Details(nil), "GET", "yes").Body.String(), "db")
	})
}

func TestDraining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "db", Probe: script(nil), Interval: time.Second})
		defer run(t, m)()
		time.Sleep(10 * time.Second)
		w := httptest.NewRecorder()
		m.Ready().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		require.Equal(t, 200, w.Code)
		m.Drain()
		w = httptest.NewRecorder()
		m.Ready().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		require.Equal(t, 503, w.Code)
		require.True(t, strings.HasPrefix(w.Body.String(), "draining"))
	})
}

// TestProbesKeepSecrets: neither what is secret in a URL nor what a stranger answered is
// in an error.
func TestProbesKeepSecrets(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("stranger"))
	}))
	host := server.Listener.Addr().String()
	ask := func(url string) string {
		err := health.HTTP(url, health.HTTPOptions{})(t.Context())
		require.Error(t, err)
		for _, secret := range []string{"ada", "password", "token", "stranger"} {
			require.NotContains(t, err.Error(), secret)
		}
		return err.Error()
	}
	require.Equal(t, "GET http://"+host+"/ping: status 418", ask("http://ada:password@"+host+"/ping?key=token#token"))
	server.Close()
	require.Contains(t, ask("http://ada:password@"+host+"/ping?key=token"), "GET http://"+host+"/ping: ")
	ask("http://ada:password@bad host/?key=token")
	ask("http://ada:password@" + host + ":x/?key=token")
}

// TestDetailsHaveNoValueWithoutData, and say what the three words do not.
func TestDetailsHaveNoValueWithoutData(t *testing.T) {
	m := monitor(t, health.MonitorOptions{About: health.About{ReleaseID: "3.1.4"}}, health.Check{Name: "db", Probe: script(nil)})
	w := httptest.NewRecorder()
	m.Details(func(*http.Request) bool { return true }).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.JSONEq(t, `{
		"status": "fail", "releaseId": "3.1.4", "output": "unknown: 0 of 1 checks healthy",
		"checks": {"db:responseTime": [{"status": "fail", "output": "db: unknown"}]}
	}`, w.Body.String())
}

// TestHandlersOnAServer: HEAD has the headers of GET and no body, and what is not a read
// is refused.
func TestHandlersOnAServer(t *testing.T) {
	m := monitor(t, health.MonitorOptions{})
	for name, handler := range map[string]http.Handler{"live": m.Live(), "ready": m.Ready(), "details": m.Details(nil)} {
		server := httptest.NewServer(handler)
		get, err := http.Get(server.URL)
		require.NoError(t, err)
		head, err := http.Head(server.URL)
		require.NoError(t, err)
		require.Equal(t, get.StatusCode, head.StatusCode, name)
		require.Equal(t, get.Header.Get("Content-Type"), head.Header.Get("Content-Type"))
		require.Equal(t, get.Header.Get("Retry-After"), head.Header.Get("Retry-After"))
		body, err := io.ReadAll(head.Body)
		require.NoError(t, err)
		require.Empty(t, body)
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} {
			r, err := http.NewRequest(method, server.URL, nil)
			require.NoError(t, err)
			answer, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			require.Equal(t, http.StatusMethodNotAllowed, answer.StatusCode, "%s %s", name, method)
			require.Equal(t, "GET, HEAD", answer.Header.Get("Allow"))
			require.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
			_ = answer.Body.Close()
		}
		_, _ = get.Body.Close(), head.Body.Close()
		server.Close()
	}
}
