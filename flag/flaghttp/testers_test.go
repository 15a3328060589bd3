package flaghttp_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
	"github.com/stretchr/testify/require"
)

var (
	page   = flag.Bool("page", false)
	button = flag.String("button", "gray")
)

const shopFlags = `{"flags": {"page": {}, "button": {"variants": {"calm": "blue", "loud": "red"}, "serve": "calm"}}}`

var secret = []byte("sixteen bytes or")

// shop is a handler behind testers, and what they ignored.
type shop struct {
	t       testing.TB
	flags   *flag.Store
	testers *flaghttp.Testers
	handler http.Handler
	ignored []error
}

func newShop(t testing.TB, handle http.HandlerFunc) *shop {
	t.Helper()
	s := &shop{t: t, flags: flag.New(flag.Bytes([]byte(shopFlags)), flag.Options{OnChange: func(flag.ChangeInfo) {}})}
	require.NoError(t, s.flags.Load(t.Context()))
	var err error
	s.testers, err = flaghttp.NewTesters(secret, flaghttp.TesterOptions{OnIgnored: func(_ *http.Request, err error) { s.ignored = append(s.ignored, err) }})
	require.NoError(t, err)
	if handle == nil {
		handle = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=60")
			w.Header().Set("CDN-Cache-Control", "max-age=600")
			fmt.Fprint(w, page.On(r.Context()), " ", button.In(r.Context()))
		}
	}
	s.handler = flaghttp.Middleware(s.flags, nobody)(s.testers.Middleware(handle))
	return s
}

func (s *shop) sign(variants map[string]string) string {
	s.t.Helper()
	token, err := s.testers.Sign(variants, time.Now().Add(time.Hour))
	require.NoError(s.t, err)
	return token
}

func (s *shop) get(header, cookie string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if header != "" {
		r.Header.Set("Guidon-Overrides", header)
	}
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: "another", Value: "1"})
		r.AddCookie(&http.Cookie{Name: "Guidon-Overrides", Value: cookie})
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

func TestTesters(t *testing.T) {
	s := newShop(t, nil)
	plain := s.get("", "")
	require.Equal(t, "false blue", plain.Body.String())
	require.Equal(t, http.Header{"Vary": {"Guidon-Overrides"}, "Cache-Control": {"public, max-age=60"}, "Cdn-Cache-Control": {"max-age=600"}, "Content-Type": {"text/plain; charset=utf-8"}}, plain.Result().Header)

	both := s.sign(map[string]string{"page": "on", "button": "loud"})
	for _, w := range []*httptest.ResponseRecorder{s.get(both, ""), s.get("", both), s.get(both, "garbage")} {
		require.Equal(t, "true red", w.Body.String())
		require.Equal(t, http.Header{"Vary": {"Guidon-Overrides"}, "Cache-Control": {"private, no-store"}, "Guidon-Overrides": {"button=loud&page=on"}, "Content-Type": {"text/plain; charset=utf-8"}}, w.Result().Header)
	}
	require.Empty(t, s.ignored)
	require.Equal(t, "false blue", s.get("", "").Body.String(), "nobody else sees it")

	require.NoError(t, s.flags.Kill("page", flag.Change{Actor: "me", Reason: "test"}))
	require.Equal(t, "false red", s.get(both, "").Body.String(), "a kill wins")
}

// TestTestersIgnore: whatever is wrong with a token, the request goes on as any other, or
// with what is right, and the host is told.
func TestTestersIgnore(t *testing.T) {
	s := newShop(t, nil)
	good := s.sign(map[string]string{"page": "on"})
	other, err := flaghttp.NewTesters([]byte("another sixteen bytes"), flaghttp.TesterOptions{})
	require.NoError(t, err)
	stolen, err := other.Sign(map[string]string{"page": "on"}, time.Now().Add(time.Hour))
	require.NoError(t, err)
	named, err := flaghttp.NewTesters(secret, flaghttp.TesterOptions{Name: "Other-Overrides"})
	require.NoError(t, err)
	elsewhere, err := named.Sign(map[string]string{"page": "on"}, time.Now().Add(time.Hour))
	require.NoError(t, err)
	said, sum, _ := strings.Cut(good, ".")
	loud, _, _ := strings.Cut(s.sign(map[string]string{"button": "loud"}), ".")
	for name, token := range map[string]string{
		"another key":         stolen,
		"another name":        elsewhere,
		"another's signature": loud + "." + sum,
		"no signature":        said,
		"an empty signature":  said + ".",
		"half a signature":    good[:len(good)-1],
		"more behind it":      good + "A",
		"nothing signed":      "." + sum,
		"garbage":             "garbage",
		"dots":                "...",
		"JSON":                `{"variants":{"page":"on"},"until":99999999999}`,
		"much":                strings.Repeat("A", 1<<20),
		"just too much":       strings.Repeat("A", 3501),
		"another last letter": good[:len(good)-1] + string(good[len(good)-1]^1),
	} {
		t.Run(name, func(t *testing.T) {
			s.ignored = nil
			w := s.get(token, "")
			require.Equal(t, "false blue", w.Body.String())
			require.Empty(t, w.Header().Get("Guidon-Overrides"))
			require.Equal(t, "public, max-age=60", w.Header().Get("Cache-Control"))
			require.Len(t, s.ignored, 1)
			require.ErrorIs(t, s.ignored[0], flaghttp.ErrForged)
			require.NotContains(t, s.ignored[0].Error(), token)
		})
	}
	t.Run("some flags", func(t *testing.T) {
		s.ignored = nil
		w := s.get(s.sign(map[string]string{"page": "on", "gone": "on", "button": "pink"}), "")
		require.Equal(t, "true blue", w.Body.String())
		require.Equal(t, "page=on", w.Header().Get("Guidon-Overrides"))
		require.Len(t, s.ignored, 2)
		require.EqualError(t, s.ignored[0], `flag: with button: unknown variant "pink", want one of ["calm" "loud"]`)
		require.ErrorIs(t, s.ignored[1], flag.ErrNotFound)
	})
	t.Run("all flags", func(t *testing.T) {
		w := s.get(s.sign(map[string]string{"gone": "on"}), "")
		require.Equal(t, "public, max-age=60", w.Header().Get("Cache-Control"))
	})
	t.Run("no view", func(t *testing.T) {
		s.ignored = nil
		s.handler = s.testers.Middleware(http.NotFoundHandler())
		require.Equal(t, http.StatusNotFound, s.get(good, "").Code)
		require.Len(t, s.ignored, 1)
		require.ErrorContains(t, s.ignored[0], "no view of the flags")
	})
}

// TestTestersExpire: a token is good until its time, and not when it is sent again after
// that.
func TestTestersExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, nil)
		token := s.sign(map[string]string{"page": "on"})
		require.Equal(t, "true blue", s.get(token, "").Body.String())
		time.Sleep(time.Hour - time.Second)
		require.Equal(t, "true blue", s.get(token, "").Body.String())
		require.Empty(t, s.ignored)
		time.Sleep(time.Second)
		require.Equal(t, "false blue", s.get(token, "").Body.String())
		require.Equal(t, "false blue", s.get("", token).Body.String())
		require.Len(t, s.ignored, 2)
		require.ErrorIs(t, s.ignored[0], flaghttp.ErrExpired)
		require.EqualError(t, s.ignored[1], "the token has expired: 2000-01-01T01:00:00Z")
	})
}

// TestTokenStays: tokens that another version has signed go on being good.
func TestTokenStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		require.Equal(t, "eyJ2YXJpYW50cyI6eyJidXR0b24iOiJsb3VkIiwicGFnZSI6Im9uIn0sInVudGlsIjo5NDY2ODg0MDB9.aQ-u3whkoWSc2wW-jxiASfzrclXRUFWueyiTthBwHQ0", newShop(t, nil).sign(map[string]string{"page": "on", "button": "loud"}))
	})
}

// TestTestersHookPanics: the request goes on.
func TestTestersHookPanics(t *testing.T) {
	testers, err := flaghttp.NewTesters(secret, flaghttp.TesterOptions{Name: "X-Try", OnIgnored: func(*http.Request, error) { panic("boo") }})
	require.NoError(t, err)
	for _, testers := range []*flaghttp.Testers{testers, newShop(t, nil).testers} {
		r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
		r.Header.Set("X-Try", "garbage")
		testers.Middleware(http.NotFoundHandler()).ServeHTTP(w, r)
		require.Equal(t, http.StatusNotFound, w.Code)
	}
}

func TestTestersAreChecked(t *testing.T) {
	_, err := flaghttp.NewTesters(secret[1:], flaghttp.TesterOptions{Name: "two words"})
	require.EqualError(t, err, "flaghttp: testers: key: found 15 bytes, want at least 16\nname: found \"two words\", want a name for a header and a cookie, such as Guidon-Overrides")
	for _, name := range []string{"Cookie", "vary", "Set-Cookie", "content-length", "ETag"} {
		_, err := flaghttp.NewTesters(secret, flaghttp.TesterOptions{Name: name})
		require.EqualError(t, err, fmt.Sprintf("flaghttp: testers: name: found %q, which means something else in HTTP, want a name of its own, such as Guidon-Overrides", name))
	}
	mine := bytes.Clone(secret)
	testers, err := flaghttp.NewTesters(mine, flaghttp.TesterOptions{})
	require.NoError(t, err)
	clear(mine)
	s := newShop(t, nil)
	token, err := testers.Sign(map[string]string{"page": "on"}, time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, "true blue", s.get(token, "").Body.String(), "the key was copied")

	later, many := time.Now().Add(time.Hour), map[string]string{}
	for i := range 1000 {
		many[fmt.Sprint("flag-", i)] = "on"
	}
	past := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, tt := range []struct {
		variants map[string]string
		until    time.Time
		want     string
	}{
		{nil, past, "flaghttp: sign: variants: found none, want at least one\nuntil: found 2001-02-03T04:05:06Z, want a time to come"},
		{map[string]string{"page": "", "": "on"}, later, "flaghttp: sign: variants: found \"on\" for flag \"\", want both\nvariants: found \"\" for flag \"page\", want both"},
		{map[string]string{"page": "o\xff"}, later, "flaghttp: sign: variants: found \"o\\xff\" for flag \"page\", want UTF-8"},
		{many, later, "flaghttp: sign: variants: 1000 of them make 21275 bytes, want at most 3500"},
	} {
		token, err := testers.Sign(tt.variants, tt.until)
		require.EqualError(t, err, tt.want)
		require.Empty(t, token)
	}
}

// TestTestersAreNotStored: however a handler answers, nobody stores it, and the writer
// that it is given does what the server's does.
func TestTestersAreNotStored(t *testing.T) {
	public := func(w http.ResponseWriter) { w.Header().Set("Cache-Control", "public") }
	for name, handle := range map[string]http.HandlerFunc{
		"nothing": func(w http.ResponseWriter, _ *http.Request) { public(w) },
		"header":  func(w http.ResponseWriter, _ *http.Request) { public(w); w.WriteHeader(http.StatusOK) },
		"body":    func(w http.ResponseWriter, _ *http.Request) { public(w); fmt.Fprint(w, "x") },
		"hints": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			public(w)
			w.WriteHeader(http.StatusOK)
		},
		"flush":      func(w http.ResponseWriter, _ *http.Request) { public(w); w.(http.Flusher).Flush() },
		"controller": func(w http.ResponseWriter, _ *http.Request) { public(w); _ = http.NewResponseController(w).Flush() },
		"deadline": func(w http.ResponseWriter, _ *http.Request) {
			public(w)
			if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Hour)); err != nil {
				w.WriteHeader(http.StatusTeapot)
			}
		},
		"hijack": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			defer conn.Close()
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nCache-Control: private, no-store\r\nGuidon-Overrides: page=on\r\nContent-Length: 0\r\n\r\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, handle)
			server := httptest.NewServer(s.handler)
			defer server.Close()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
			require.NoError(t, err)
			r.Header.Set("Guidon-Overrides", s.sign(map[string]string{"page": "on"}))
			response, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			defer response.Body.Close()
			require.Equal(t, http.StatusOK, response.StatusCode)
			require.Equal(t, "private, no-store", response.Header.Get("Cache-Control"))
			require.Equal(t, "page=on", response.Header.Get("Guidon-Overrides"))
		})
	}
	recorder := httptest.NewRecorder()
	s := newShop(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _, err := w.(http.Hijacker).Hijack()
		if !errors.Is(err, http.ErrNotSupported) {
			t.Error(err)
		}
	})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Guidon-Overrides", s.sign(map[string]string{"page": "on"}))
	s.handler.ServeHTTP(recorder, r)
}

// TestTestersAreStoredByNoNetwork: what single networks and servers go by instead of
// Cache-Control is not sent, however the handler spells it.
func TestTestersAreStoredByNoNetwork(t *testing.T) {
	s := newShop(t, func(w http.ResponseWriter, _ *http.Request) {
		for _, name := range []string{
			"Cache-Control", "cache-control", "CDN-Cache-Control", "cdn-cache-control", "Cloudflare-CDN-Cache-Control", "Surrogate-Control", "surrogate-control",
			"Edge-Control", "edge-control", "X-Accel-Expires", "x-accel-expires", "Expires", "expires",
		} {
			w.Header()[name] = []string{"max-age=600"}
		}
		w.Header().Set("X-Other", "stays")
		w.WriteHeader(http.StatusNoContent)
	})
	require.Equal(t, http.Header{"Vary": {"Guidon-Overrides"}, "Cache-Control": {"private, no-store"}, "Guidon-Overrides": {"page=on"}, "X-Other": {"stays"}},
		s.get(s.sign(map[string]string{"page": "on"}), "").Result().Header)
}

// TestTestersCost: who has no token pays for no more than the response's header.
func TestTestersCost(t *testing.T) {
	s := newShop(t, func(http.ResponseWriter, *http.Request) {})
	bare := flaghttp.Middleware(s.flags, nobody)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	allocations := func(handler http.Handler) float64 {
		r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
		r.Header.Set("Cookie", "session=1; theme=dark")
		return testing.AllocsPerRun(1000, func() { clear(w.Header()); handler.ServeHTTP(w, r) })
	}
	require.LessOrEqual(t, allocations(s.handler), allocations(bare)+1)
}

// FuzzToken: no token that was not signed gives anything, whatever it is.
func FuzzToken(f *testing.F) {
	s := newShop(f, nil)
	good := s.sign(map[string]string{"page": "on"})
	f.Add(good[:len(good)-2])
	f.Add("a.b")
	f.Fuzz(func(t *testing.T, token string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Guidon-Overrides"] = []string{token}
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if w.Body.String() != "false blue" && token != good {
			t.Errorf("%q gives %s", token, w.Body)
		}
	})
}
