package flaghttp_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
	"github.com/stretchr/testify/require"
)

// wire is a server without a socket, so that it can stand in a bubble.
type wire func(r *http.Request) (*http.Response, error)

func (f wire) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answered makes a wire of a handler.
func answered(handle http.HandlerFunc) *http.Client {
	return &http.Client{Transport: wire(func(r *http.Request) (*http.Response, error) {
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		w := httptest.NewRecorder()
		handle(w, r)
		return w.Result(), nil
	})}
}

func newSource(t *testing.T, address string, o flaghttp.SourceOptions) *flaghttp.Source {
	t.Helper()
	s, err := flaghttp.NewSource(address, o)
	require.NoError(t, err)
	return s
}

const document = `{"flags": {"fetched": {"serve": "on"}}}`

// TestSourceAsksWhetherItChanged: the copy is fetched again only when the server says
// that it is not what it has.
func TestSourceAsksWhetherItChanged(t *testing.T) {
	for name, tt := range map[string]struct{ header, asks string }{
		"ETag":          {"ETag", "If-None-Match"},
		"Last-Modified": {"Last-Modified", "If-Modified-Since"},
		"neither":       {"X-Version", "X-Nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			text, version, full := document, `W/"1"`, 0
			s := newSource(t, "http://flags/doc", flaghttp.SourceOptions{
				Header: http.Header{"Authorization": {"Bearer x"}},
				Client: answered(func(w http.ResponseWriter, r *http.Request) {
					if r.Header.Get("Authorization") != "Bearer x" || r.Method != http.MethodGet {
						t.Errorf("asked by %s with %v", r.Method, r.Header)
					}
					w.Header().Set(tt.header, version)
					if r.Header.Get(tt.asks) == version {
						w.WriteHeader(http.StatusNotModified)
						return
					}
					full++
					io.WriteString(w, text)
				}),
			})
			read := func(want string) {
				t.Helper()
				got, err := s.Read(t.Context())
				require.NoError(t, err)
				require.Equal(t, want, string(got))
				clear(got) // it is the caller's
			}
			for range 3 {
				read(document)
			}
			text, version = "{}", `W/"2"`
			for range 3 {
				read("{}")
			}
			if tt.header == "X-Version" {
				require.Equal(t, 6, full)
			} else {
				require.Equal(t, 2, full)
			}
		})
	}
}

// TestSourceForgetsValidators: what the last answer did not have is not asked about.
func TestSourceForgetsValidators(t *testing.T) {
	tags := []string{`"a"`, "", ""}
	var asked []string
	s := newSource(t, "http://flags", flaghttp.SourceOptions{Client: answered(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("If-None-Match"))
		if tag := tags[len(asked)-1]; tag != "" {
			w.Header().Set("ETag", tag)
		}
		io.WriteString(w, document)
	})})
	for range tags {
		_, err := s.Read(t.Context())
		require.NoError(t, err)
	}
	require.Equal(t, []string{"", `"a"`, ""}, asked)
}

// TestSourceFetchesHalfAnAnswerAgain: one that breaks off without a sign of it, as with
// HTTP/1.0 or behind a proxy, has the validators of the whole, which would never be fetched.
func TestSourceFetchesHalfAnAnswerAgain(t *testing.T) {
	for _, name := range []string{"ETag", "Last-Modified"} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			s := newSource(t, "http://flags", flaghttp.SourceOptions{Client: answered(func(w http.ResponseWriter, r *http.Request) {
				asked++
				w.Header().Set(name, `"1"`)
				switch {
				case r.Header.Get("If-None-Match")+r.Header.Get("If-Modified-Since") != "":
					w.WriteHeader(http.StatusNotModified)
				case asked == 1:
					io.WriteString(w, document[:len(document)-1])
				default:
					io.WriteString(w, document)
				}
			})})
			store := flag.New(s, flag.Options{})
			require.Error(t, store.Load(t.Context()))
			require.NoError(t, store.Load(t.Context()))
			require.NoError(t, store.Load(t.Context()))
			require.Equal(t, 3, asked)
		})
	}
}

func TestSourceSaysWhatIsWrong(t *testing.T) {
	secret := func(r *http.Request) error { return fmt.Errorf("cannot get %s", r.URL) }
	tests := []struct {
		name   string
		handle func(w http.ResponseWriter, r *http.Request)
		fail   func(r *http.Request) error
		want   string
	}{
		{"500", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "hunter2", 500) }, nil, "status 500 Internal Server Error, want 200"},
		{"404", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, nil, "status 404 Not Found, want 200"},
		{"no content", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, nil, "status 204 No Content, want 200"},
		{"a part", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(206) }, nil, "status 206 Partial Content, want 200"},
		{"304 without a copy", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }, nil, "status 304 (not modified), but there is no copy that it can be about"},
		{"HTML", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "Text/HTML; charset=utf-8")
			io.WriteString(w, document)
		}, nil, "found a page (text/html), want a document in JSON: is it a login, or a proxy?"},
		{"too long", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, document+document) }, nil, "found more than 40 bytes, which is the limit"},
		{"too long by its own account", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "41")
		}, nil, "found more than 40 bytes, which is the limit"},
		{"redirects for ever", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) }, nil, "stopped after 10 redirects"},
		{"redirects nowhere", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://hunter2:hunter2/%zz")
			w.WriteHeader(302)
		}, nil, "the request fails, for what cannot be said without its URL"},
		{"no network", nil, func(*http.Request) error { return errors.New("no route to host") }, "no route to host"},
		{"an error with the URL", nil, secret, "the request fails, for what cannot be said without its URL"},
		{"an error with the query", nil, func(r *http.Request) error { return errors.New("?" + r.URL.RawQuery) }, "the request fails, for what cannot be said without its URL"},
		{"an error with the password", nil, func(*http.Request) error { return errors.New("who is hunter2?") }, "the request fails, for what cannot be said without its URL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client := answered(tt.handle)
			if tt.fail != nil {
				client = &http.Client{Transport: wire(func(r *http.Request) (*http.Response, error) { return nil, tt.fail(r) })}
			}
			s := newSource(t, "https://me:hunter2@flags.example/doc?token=hunter2#hunter2", flaghttp.SourceOptions{Client: client, Limit: 40})
			require.Equal(t, "https://flags.example/doc", s.String())
			err := flag.New(s, flag.Options{}).Load(t.Context())
			require.EqualError(t, err, "flag: load https://flags.example/doc: "+tt.want)
		})
	}
}

func TestNewSourceChecks(t *testing.T) {
	for _, tt := range []struct {
		address string
		options flaghttp.SourceOptions
		want    string
	}{
		{"", flaghttp.SourceOptions{}, `the URL: found scheme "" and host "", want http or https, and a host`},
		{"localhost:8080/doc", flaghttp.SourceOptions{}, `the URL: found scheme "localhost" and host "", want http or https, and a host`},
		{"ftp://flags/doc", flaghttp.SourceOptions{}, `the URL: found scheme "ftp" and host "flags", want http or https, and a host`},
		{"http://me:hunter2/x@flags/doc", flaghttp.SourceOptions{}, `the URL: found none, want http or https, and a host`},
		{"http:///doc", flaghttp.SourceOptions{Timeout: -1, Limit: -2, Pause: -time.Second}, `the URL: found scheme "http" and host "", want http or https, and a host
Timeout: found -1ns, want zero or more
Limit: found -2, want zero or more
Pause: found -1s, want zero or more`},
	} {
		s, err := flaghttp.NewSource(tt.address, tt.options)
		require.EqualError(t, err, "flag: new source URL: "+tt.want)
		require.Nil(t, s)
	}
}

// TestSourceUnderRun: a store that runs over a server which comes and goes serves the
// last good document, says so once, and comes back by itself.
func TestSourceUnderRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text atomic.Value
		var broken atomic.Bool
		text.Store(document)
		s := newSource(t, "http://flags", flaghttp.SourceOptions{Client: answered(func(w http.ResponseWriter, _ *http.Request) {
			if broken.Load() {
				w.WriteHeader(500)
			}
			io.WriteString(w, text.Load().(string))
		})})
		var told []bool
		store := flag.New(s, flag.Options{OnLoad: func(info flag.LoadInfo) { told = append(told, info.Err == nil) }})
		require.NoError(t, store.Load(t.Context()))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- store.Run(ctx) }()
		fetched, subject := flag.Bool("fetched", false), flag.For("u")
		wait := func(on bool) {
			t.Helper()
			time.Sleep(2*time.Minute + time.Millisecond)
			synctest.Wait()
			require.Equal(t, on, fetched.Value(store, &subject))
			require.Equal(t, broken.Load(), store.Err() != nil)
		}
		wait(true)
		broken.Store(true)
		text.Store(`{"flags": {"fetched": {}}}`)
		wait(true)
		broken.Store(false)
		wait(false)
		cancel()
		require.NoError(t, <-done)
		require.Equal(t, []bool{true, false, true}, told)
	})
}

// TestSourceOverASocket: what only a real server can do.
func TestSourceOverASocket(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, document+strings.Repeat(" ", 2000))
	require.NoError(t, z.Close())
	hang := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/zipped", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(zipped.Bytes())
	})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/zipped", http.StatusFound) })
	mux.HandleFunc("/breaks", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, document)
	})
	mux.HandleFunc("/hangs", func(http.ResponseWriter, *http.Request) { <-hang })
	mux.HandleFunc("/user", func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		fmt.Fprint(w, user, " ", password, " ", r.URL.RawQuery)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	defer close(hang)
	long := int64(len(document) + 2000)
	for _, tt := range []struct {
		path  string
		limit int64
		want  string
		err   string
	}{
		{"/zipped", long, document, ""},
		{"/moved", long, document, ""},
		{"/zipped", long - 1, "", "found more than 2038 bytes, which is the limit"},
		{"/breaks", 0, "", "the answer breaks off after 39 bytes: unexpected EOF"},
		{"/breaks", 39, "", "found more than 39 bytes, which is the limit"},
		{"/hangs", 0, "", "no whole answer within 20ms: context deadline exceeded"},
		{"/user?q=1", 0, "me secret q=1", ""},
	} {
		t.Run(tt.path, func(t *testing.T) {
			o := flaghttp.SourceOptions{Limit: tt.limit}
			if tt.path == "/hangs" {
				o.Timeout = 20 * time.Millisecond
			}
			s := newSource(t, strings.Replace(server.URL, "http://", "http://me:secret@", 1)+tt.path, o)
			got, err := s.Read(t.Context())
			if tt.err != "" {
				require.EqualError(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, strings.TrimRight(string(got), " "))
		})
	}
	server.CloseClientConnections()
	server.Listener.Close()
	_, err := newSource(t, strings.Replace(server.URL, "http://", "http://me:secret@", 1)+"/zipped?secret", flaghttp.SourceOptions{}).Read(t.Context())
	require.ErrorContains(t, err, "refused")
	require.NotContains(t, err.Error(), "secret")
}
