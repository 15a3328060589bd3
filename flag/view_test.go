package flag_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
	"github.com/stretchr/testify/require"
)

// TestViewIsOneSnapshot: what changes during a request does not change the request.
func TestViewIsOneSnapshot(t *testing.T) {
	store := load(t, `{"flags": {"snapshot": {"serve": "on"}}}`)
	on := flag.Bool("snapshot", false)
	before := store.View(flag.For("u"))
	require.NoError(t, store.Kill("snapshot", flag.Change{Actor: "me", Reason: "test"}))
	require.True(t, on.From(before))
	require.False(t, on.From(store.View(flag.For("u"))))
	require.Equal(t, "u", subjectKey(before))
}

func subjectKey(v *flag.View) string { s := v.Subject(); return s.Key() }

func TestExposureIsSeenOnce(t *testing.T) {
	store := load(t, `{"flags": {"watched": {}, "other": {}}}`)
	watched, other := flag.Bool("watched", false), flag.Bool("other", false)
	view := store.View(flag.For("u"))
	one, two := watched.Watch(view), other.Watch(view)
	ctx := flag.NewContext(t.Context(), view)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() { watched.On(ctx) })
	}
	wait.Wait()
	require.True(t, one.Seen())
	require.False(t, two.Seen())
}

// TestWatchesAtOnce: no watch of a view takes the place of another.
func TestWatchesAtOnce(t *testing.T) {
	store := load(t, `{"flags": {"watched": {}}}`)
	watched := flag.Bool("watched", false)
	view := store.View(flag.For("u"))
	watches := make([][]*flag.Exposure, 4)
	var wait sync.WaitGroup
	for i := range watches {
		wait.Go(func() {
			for range 50_000 {
				watches[i] = append(watches[i], watched.Watch(view))
			}
		})
	}
	wait.Wait()
	watched.From(view)
	for _, mine := range watches {
		for _, e := range mine {
			if !e.Seen() {
				t.Fatal("a watch was lost")
			}
		}
	}
}

func TestMiddleware(t *testing.T) {
	store := load(t, `{"flags": {"served": {"rules": [{"if": {"attr": "country", "eq": "SE"}, "serve": "on"}]}}}`)
	served := flag.Bool("served", false)
	asked := 0
	who := func(r *http.Request) flag.Subject {
		asked++
		return flag.For(r.Header.Get("X-User"), country.Is(r.Header.Get("X-Country")))
	}
	handler := flaghttp.Middleware(store, who)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if served.On(r.Context()) {
			w.WriteHeader(http.StatusAccepted)
		}
	}))
	server := httptest.NewServer(handler)
	defer server.Close()
	for place, want := range map[string]int{"SE": http.StatusAccepted, "NO": http.StatusOK} {
		r, err := http.NewRequest(http.MethodGet, server.URL, nil)
		require.NoError(t, err)
		r.Header.Set("X-Country", place)
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, want, response.StatusCode)
	}
	require.Equal(t, 2, asked)
}

func TestMiddlewareAllocations(t *testing.T) {
	store := load(t, `{"flags": {}}`)
	handler := flaghttp.Middleware(store, func(*http.Request) flag.Subject { return flag.For("u", country.Is("SE")) })(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { handler.ServeHTTP(w, r) }), 3.0)
}

// TestContexts: each context of a view finds it, and what the context around it carries.
func TestContexts(t *testing.T) {
	type key struct{}
	view := load(t, `{"flags": {}}`).View(flag.For("u"))
	one := flag.NewContext(context.WithValue(t.Context(), key{}, 1), view)
	two := flag.NewContext(context.WithValue(t.Context(), key{}, 2), view)
	for i, ctx := range []context.Context{one, two} {
		require.Same(t, view, flag.FromContext(ctx))
		require.Equal(t, i+1, ctx.Value(key{}))
	}
	require.Nil(t, flag.FromContext(flag.NewContext(one, nil)))
	ctx, cancel := context.WithCancel(one)
	cancel()
	require.ErrorIs(t, ctx.Err(), context.Canceled)
	require.NoError(t, one.Err())
}

// TestOf: a view is of the store that made it, also after that serves something else.
func TestOf(t *testing.T) {
	mine, other := load(t, `{"flags": {"f": {}}}`), load(t, `{"flags": {"f": {}}}`)
	view := mine.View(flag.For("anna"))
	require.NoError(t, mine.Kill("f", me))
	for _, v := range []*flag.View{view, view.At(time.Now()), mine.Snapshot().View(flag.Subject{})} {
		require.True(t, v.Of(mine))
		require.False(t, v.Of(other))
		require.False(t, v.Of(nil))
	}
	set, err := flag.Compile(flag.Document{})
	require.NoError(t, err)
	require.False(t, set.View(flag.Subject{}).Of(mine))
	require.False(t, (*flag.View)(nil).Of(mine))
	require.False(t, (*flag.Store)(nil).View(flag.Subject{}).Of(nil), "no store has made it")
}
