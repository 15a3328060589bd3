package verify_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

// nothingStays fails a test that leaves goroutines behind.
func nothingStays(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
			if time.Now().After(deadline) {
				stacks := make([]byte, 1<<16)
				t.Fatalf("goroutines stay behind:\n%s", stacks[:runtime.Stack(stacks, true)])
			}
		}
	})
}

// broken answers connections with a script each, and returns its URL.
func broken(t *testing.T, script func(net.Conn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			script(c)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

// request reads up to the empty line.
func request(c net.Conn) {
	var seen []byte
	b := make([]byte, 4096)
	for !bytes.Contains(seen, []byte("\r\n\r\n")) {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		seen = append(seen, b[:n]...)
	}
}

// forever writes until the other side has gone.
func forever(c net.Conn, head, text string) {
	request(c)
	_, err := io.WriteString(c, head)
	for err == nil {
		_, err = io.WriteString(c, text)
	}
}

func answer(text string) func(net.Conn) {
	return func(c net.Conn) {
		request(c)
		_, _ = io.WriteString(c, text)
	}
}

// gone waits until the client has.
func gone(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

func TestBrokenServers(t *testing.T) {
	nothingStays(t)
	const head = "HTTP/1.1 200 OK\r\n"
	tests := []struct {
		name   string
		script func(net.Conn)
		want   string // what the failure says
	}{
		{"10 GiB", func(c net.Conn) { forever(c, head+"Content-Length: 10737418240\r\n\r\n", strings.Repeat(" ", 1<<16)) }, "body: want at most 1048576 bytes, got more"},
		{"without a length", func(c net.Conn) { forever(c, head+"\r\n", strings.Repeat("[", 1<<16)) }, "body: want at most 1048576 bytes, got more"},
		{"endless chunks", func(c net.Conn) {
			forever(c, head+"Transfer-Encoding: chunked\r\n\r\n", strings.Repeat("1\r\n \r\n", 5000))
		}, "body: want at most 1048576 bytes, got more"},
		{"endless headers", func(c net.Conn) { forever(c, head, "X: "+strings.Repeat("y", 1000)+"\r\n") }, "request: want an answer, got none"},
		{"an endless header", func(c net.Conn) { forever(c, head+"X: ", strings.Repeat("y", 1<<16)) }, "request: want an answer, got none"},
		{"endless interim answers", func(c net.Conn) { forever(c, "", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n") }, "request: want an answer, got none"},
		{"endless extensions of a chunk", func(c net.Conn) {
			forever(c, head+"Transfer-Encoding: chunked\r\n\r\n1;", strings.Repeat("x", 1<<16))
		}, "body: want all of it, got a part"},
		{"endless trailers", func(c net.Conn) {
			forever(c, head+"Transfer-Encoding: chunked\r\n\r\n0\r\n", "X: "+strings.Repeat("y", 1000)+"\r\n")
		}, "body: want all of it, got a part"},
		{"slow drips of a header", func(c net.Conn) { request(c); _, _ = io.WriteString(c, head+"X: "); gone(c) }, "request: want an answer, got none: the test's 300ms are over"},
		{"slow drips of a body", func(c net.Conn) { request(c); _, _ = io.WriteString(c, head+"Content-Length: 9\r\n\r\n{"); gone(c) }, "body: want all of it, got a part: the test's 300ms are over"},
		{"never an answer", func(c net.Conn) { gone(c) }, "request: want an answer, got none: the test's 300ms are over"},
		{"interim answers only", func(c net.Conn) {
			request(c)
			_, _ = io.WriteString(c, "HTTP/1.1 103 Early Hints\r\n\r\n")
			gone(c)
		}, "request: want an answer, got none: the test's 300ms are over"},
		{"another protocol", func(c net.Conn) {
			request(c)
			_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			gone(c)
		}, "status: want 200, got 101"},
		{"no HTTP", answer("SSH-2.0-OpenSSH_9.9\r\n"), "request: want an answer, got none"},
		{"HTTP/0.9", answer("{}"), "request: want an answer, got none"},
		{"hostile bytes", answer("\x1b[31m\xff\x00\r\n\r\n"), "request: want an answer, got none"},
		{"nothing", func(net.Conn) {}, "request: want an answer, got none"},
		{"a wrong length", answer(head + "Content-Length: -1\r\n\r\n{}"), "request: want an answer, got none"},
		{"two lengths", answer(head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x"), "request: want an answer, got none"},
		{"a wrong chunk", answer(head + "Transfer-Encoding: chunked\r\n\r\nx\r\n{}\r\n"), "body: want all of it, got a part"},
		{"a short body", answer(head + "Content-Length: 9\r\n\r\n{}"), "body: want all of it, got a part: unexpected EOF"},
		{"invalid UTF-8", answer(head + "\r\n{\"a\":\"\xff\"}"), "(line 1, column 7): found invalid UTF-8 (byte 0xff), want UTF-8"},
		{"trailing data", answer(head + "\r\n{}{}"), "body: want JSON, got line 1, column 3: trailing data"},
		{"another content type", answer(head + "Content-Type: text/html\r\n\r\n<html>"), `body: want JSON, got line 1, column 1: found '<', want a value`},
		{"compression that nobody asked for", answer(head + "Content-Encoding: gzip\r\n\r\n" + zipped(`{}`)), `body: want JSON, got line 1, column 1`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			suite := verify.Suite{URL: "http://" + broken(t, tt.script), Tests: []verify.SmokeTest{
				{Endpoint: "/", ExpectedResponse: map[string]any{}, Timeout: 300 * time.Millisecond},
			}}
			if strings.Contains(tt.name, "endless") || strings.Contains(tt.name, "without") || strings.Contains(tt.name, "GiB") {
				suite.Tests[0].Timeout = 20 * time.Second // it must not be needed
			}
			report := suite.Probe(t.Context())
			require.Empty(t, report.Problems)
			got := report.Results[0]
			require.Equal(t, verify.Failed, got.State)
			require.Contains(t, got.String(), tt.want)
			require.NotContains(t, got.String(), "20s are over")
		})
	}
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

func TestConnectionsThatEndAnywhere(t *testing.T) {
	nothingStays(t)
	for _, whole := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n",
	} {
		for n := range len(whole) {
			for _, reset := range []bool{false, true} {
				suite := verify.Suite{Tests: []verify.SmokeTest{{Endpoint: "/"}}}
				suite.URL = "http://" + broken(t, func(c net.Conn) {
					request(c)
					_, _ = io.WriteString(c, whole[:n])
					if reset {
						_ = c.(*net.TCPConn).SetLinger(0)
					}
				})
				report := suite.Probe(t.Context())
				require.Equal(t, verify.Failed, report.Results[0].State, "after %d bytes of %q", n, whole)
				require.Equal(t, verify.KindTransport, report.Results[0].Mismatches[0].Kind)
			}
		}
	}
}

func TestHandshakesThatNeverEnd(t *testing.T) {
	nothingStays(t)
	for name, script := range map[string]func(net.Conn){
		"silence": gone,
		"an end":  func(net.Conn) {},
		"no TLS":  func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n"); gone(c) },
	} {
		suite := verify.Suite{URL: "https://" + broken(t, script), Tests: []verify.SmokeTest{{Endpoint: "/", Timeout: 200 * time.Millisecond}}}
		report := suite.Probe(t.Context())
		require.Equal(t, verify.Failed, report.Results[0].State, name)
		require.Contains(t, report.Results[0].String(), "request: want an answer, got none", name)
	}
}

func TestCompression(t *testing.T) {
	bomb := zipped(strings.Repeat(" ", 64<<20))
	mux := http.NewServeMux()
	serve := func(path, encoding, body string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", encoding)
			w.Header().Set("Asked", r.Header.Get("Accept-Encoding"))
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			_, _ = io.WriteString(w, body)
		})
	}
	serve("/gzip", "gzip", zipped(`{"a":1}`))
	serve("/bomb", "gzip", bomb)
	serve("/cut", "gzip", zipped(`{"a":1}`)[:20])
	serve("/not", "gzip", `{"a":1}`)
	serve("/tail", "gzip", zipped(`{"a":1}`)+"tail")
	serve("/other", "br", `{"a":1}`)
	serve("/none", "gzip", "")
	server := httptest.NewServer(mux)
	defer server.Close()
	asked := http.Header{"accept-encoding": {"br, GZIP;q=0.5"}}
	tests := []struct {
		test verify.SmokeTest
		want string
	}{
		{verify.SmokeTest{Endpoint: "/gzip", Header: asked}, ""},
		{verify.SmokeTest{Endpoint: "/gzip", Header: asked, Method: "HEAD"}, "body: want JSON, got line 1, column 1: found the end of the document, want a value"},
		{verify.SmokeTest{Endpoint: "/gzip"}, "body: want JSON"},
		{verify.SmokeTest{Endpoint: "/other", Header: asked}, ""},
		{verify.SmokeTest{Endpoint: "/bomb", Header: asked}, "body: want at most 1048576 bytes, got more"},
		{verify.SmokeTest{Endpoint: "/cut", Header: asked}, "body: want all of it, got a part: unexpected EOF"},
		{verify.SmokeTest{Endpoint: "/not", Header: asked}, "body: want all of it, got a part: unexpected EOF"},
		{verify.SmokeTest{Endpoint: "/tail", Header: asked}, "body: want all of it, got a part"},
		{verify.SmokeTest{Endpoint: "/none", Header: asked}, "body: want JSON, got line 1, column 1: found the end of the document, want a value"},
	}
	for name, suite := range map[string]verify.Suite{"URL": {URL: server.URL}, "Handler": {Handler: mux}} {
		for _, tt := range tests {
			tt.test.ExpectedResponse = map[string]any{"a": 1}
			suite.Tests = append(suite.Tests, tt.test)
		}
		report := suite.Probe(t.Context())
		require.Empty(t, report.Problems)
		for i, tt := range tests {
			if got := report.Results[i]; (got.State == verify.Passed) != (tt.want == "") || !strings.Contains(got.String(), tt.want) {
				t.Errorf("%s: %s: got %v, want %q", name, tt.test.Endpoint, got, tt.want)
			}
		}
	}
}

func TestBodyLimitOfASuite(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `"`+strings.Repeat("x", 2<<20)+`"`)
	})
	suite := verify.Suite{Handler: handler, Tests: []verify.SmokeTest{{Endpoint: "/", ExpectedResponse: strings.Repeat("x", 2<<20)}}}
	require.ErrorContains(t, suite.Check(t.Context()), "body: want at most 1048576 bytes, got more")
	suite.BodyLimit = 2<<20 + 2
	require.NoError(t, suite.Check(t.Context()))
	suite.BodyLimit--
	require.ErrorContains(t, suite.Check(t.Context()), "body: want at most 2097153 bytes, got more")
}

func TestPhases(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "x") })
	server := httptest.NewServer(handler)
	defer server.Close()
	plain := verify.Suite{URL: strings.Replace(server.URL, "127.0.0.1", "localhost", 1), Tests: []verify.SmokeTest{{Endpoint: "/"}, {Endpoint: "/"}}}
	for _, r := range plain.Probe(t.Context()).Results {
		if p := r.Phases; p.DNS <= 0 || p.Connect <= 0 || p.TLS != 0 || p.FirstByte < p.Connect || r.ResponseTime < p.FirstByte {
			t.Errorf("got %+v of %v", p, r.ResponseTime)
		}
	}
	inside := verify.Suite{Handler: handler, Tests: plain.Tests}
	for _, r := range inside.Probe(t.Context()).Results {
		if p := r.Phases; p.FirstByte <= 0 || r.ResponseTime < p.FirstByte || p != (verify.Phases{FirstByte: p.FirstByte}) {
			t.Errorf("got %+v of %v", p, r.ResponseTime)
		}
	}
}
