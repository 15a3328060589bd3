package split_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/split"
)

// shadow is a version that gets copies, and what it got.
type shadow struct {
	mu     sync.Mutex
	copies []*http.Request
	bodies []string
	do     http.HandlerFunc
}

func (s *shadow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		body = []byte("error: " + err.Error())
	}
	s.mu.Lock()
	s.copies, s.bodies = append(s.copies, r), append(s.bodies, string(body))
	s.mu.Unlock()
	if s.do != nil {
		s.do(w, r)
	}
}

// mirrored is a splitter whose old version answers, and whose new one gets copies of
// everything. What became of requests is in told.
func mirrored(t *testing.T, o split.Options, old http.HandlerFunc, do http.HandlerFunc) (s *split.Splitter, sh *shadow, told func() []split.Outcome) {
	sh = &shadow{do: do}
	var mu sync.Mutex
	var all []split.Outcome
	o.Outcome = func(o split.Outcome) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, o)
	}
	s = newSplitter(t, o, served("1", old), split.Backend{Name: "2", Handler: sh})
	require.NoError(t, s.Prepare(t.Context(), "1", "2"))
	require.NoError(t, s.Mirror(t.Context(), strategy.All))
	return s, sh, func() []split.Outcome {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

var posts = split.Options{MirrorMethods: []string{http.MethodPost}, MirrorBody: 10, Unit: byUser}

func readAll(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, _ = w.Write(body)
}

type key struct{}

func TestCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, sh, told := mirrored(t, sticky, func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("User", "somebody else") // the copy was made before
			_, _ = io.WriteString(w, "1")
		}, func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Second)
			w.WriteHeader(http.StatusInternalServerError)
		})
		began := time.Now()
		require.Equal(t, "1", of(s, "somebody"))
		require.Equal(t, began, time.Now(), "nobody waits for a copy")
		synctest.Wait()
		require.Equal(t, 1, s.InFlight("2"))
		require.NoError(t, s.Drain(t.Context(), "2"))
		require.Equal(t, time.Second, time.Since(began))

		require.Len(t, sh.copies, 1)
		require.Equal(t, "1", sh.copies[0].Header.Get(split.MirrorHeader))
		require.Equal(t, "somebody", sh.copies[0].Header.Get("User"))
		require.Equal(t, split.Copies{Begun: 1}, s.Copies())
		first, second := told()[0], told()[1]
		require.False(t, first.Mirrored)
		require.True(t, second.Mirrored)
		require.Equal(t, "2", second.Backend)
		require.Equal(t, 500, second.Status)
		require.Equal(t, time.Second, second.Latency)
		require.Equal(t, first.Unit, second.Unit)
		require.Equal(t, first.Slot, second.Slot)

		for _, headers := range [][]string{{"Version", "2"}, {"Connection", "Upgrade", "Upgrade", "websocket"}} {
			ask(s, "GET", nil, headers...)
		}
		ask(s, "POST", nil)
		synctest.Wait()
		require.Equal(t, split.Copies{Begun: 1}, s.Copies(), "served by it, changing its protocol, or with effects")

		require.NoError(t, s.Mirror(t.Context(), 0))
		ask(s, "GET", nil)
		require.Equal(t, split.Copies{Begun: 1}, s.Copies())
	})
}

func TestCopiesShare(t *testing.T) {
	s, _, _ := mirrored(t, split.Options{Mirrors: 20_000}, func(http.ResponseWriter, *http.Request) {}, nil)
	require.NoError(t, s.Mirror(t.Context(), 25*pc))
	for range 10_000 {
		ask(s, "GET", nil)
	}
	require.InDelta(t, 2500, s.Copies().Begun, 350) // 8 standard deviations
}

// A body is copied as it is read: nobody reads it twice, and what is too long, or is not
// read, is not copied.
func TestCopiesBodies(t *testing.T) {
	one := posts
	one.Mirrors = 1
	unread := func(http.ResponseWriter, *http.Request) {}
	exactly := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadFull(r.Body, make([]byte, r.ContentLength))
	}
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		body    io.Reader
		want    split.Copies
		got     string // by the copy
		answer  string
	}{
		{"short", readAll, strings.NewReader("0123456789"), split.Copies{Begun: 1}, "0123456789", "0123456789"},
		{"empty", readAll, strings.NewReader(""), split.Copies{Begun: 1}, "", ""},
		{"of no known length", readAll, iotest.OneByteReader(strings.NewReader("01234")), split.Copies{Begun: 1}, "01234", "01234"},
		{"empty, of no known length", readAll, iotest.OneByteReader(strings.NewReader("")), split.Copies{Begun: 1}, "", ""},
		{"not beyond its length", exactly, strings.NewReader("0123"), split.Copies{Begun: 1}, "0123", ""},
		{"long", readAll, strings.NewReader("0123456789a"), split.Copies{Large: 1}, "", "0123456789a"},
		{"long, of no known length", readAll, iotest.OneByteReader(strings.NewReader("0123456789a")), split.Copies{Large: 1}, "", "0123456789a"},
		{"unread", unread, strings.NewReader("0"), split.Copies{Unread: 1}, "", ""},
		{"long and unread", unread, strings.NewReader("0123456789a"), split.Copies{Large: 1}, "", ""},
		{"broken", readAll, io.MultiReader(strings.NewReader("01"), iotest.ErrReader(errors.New("broken"))), split.Copies{Unread: 1}, "", "broken\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, sh, _ := mirrored(t, one, tt.handler, nil)
				require.Equal(t, tt.answer, ask(s, "POST", tt.body).Body.String())
				synctest.Wait()
				require.Equal(t, tt.want, s.Copies())
				require.Len(t, sh.copies, int(tt.want.Begun))
				if tt.want.Begun > 0 {
					require.Equal(t, tt.got, sh.bodies[0])
					require.EqualValues(t, len(tt.got), sh.copies[0].ContentLength)
				}
				require.Zero(t, s.InFlight("2"))
				ask(s, "POST", nil)
				synctest.Wait()
				require.Equal(t, tt.want.Begun+1, s.Copies().Begun, "its place is free again")
			})
		})
	}
}

// A request that was about to be copied when its version was removed is not.
func TestCopiesRemovedOnTheWay(t *testing.T) {
	var s *split.Splitter
	removed, asked := false, 0
	s = newSplitter(t, split.Options{Pin: func(*http.Request) string {
		// Routes were read, and nothing is counted yet.
		if asked++; asked == 1 {
			require.NoError(t, s.Mirror(t.Context(), 0))
			require.NoError(t, s.Remove(t.Context(), "2"))
			removed = true
		}
		return ""
	}}, says("1"), says("2"))
	require.NoError(t, s.Prepare(t.Context(), "1", "2"))
	require.NoError(t, s.Mirror(t.Context(), strategy.All))
	require.Equal(t, "1", ask(s, "GET", nil).Body.String())
	require.True(t, removed)
	require.Zero(t, s.Copies())
}

// So many at a time and not one more; a slow copy harms nobody, and its time is limited.
func TestCopiesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, told := mirrored(t, split.Options{Mirrors: 3, MirrorTimeout: time.Minute}, func(http.ResponseWriter, *http.Request) {},
			func(w http.ResponseWriter, r *http.Request) {
				for { // a stream that ends when nobody takes it
					if _, err := io.WriteString(w, "x"); err != nil {
						return
					}
					w.(http.Flusher).Flush()
					time.Sleep(7 * time.Second)
				}
			})
		began := time.Now()
		for range 5 {
			ask(s, "GET", nil)
		}
		require.Equal(t, split.Copies{Begun: 3, Busy: 2}, s.Copies())
		require.NoError(t, s.Drain(t.Context(), "2"))
		require.Equal(t, 63*time.Second, time.Since(began))
		last := told()[len(told())-1]
		require.ErrorIs(t, last.Err, context.DeadlineExceeded)
		ask(s, "GET", nil)
		require.Equal(t, split.Copies{Begun: 4, Busy: 2}, s.Copies())
	})
}

func TestCopiesPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, told := mirrored(t, split.Options{}, func(http.ResponseWriter, *http.Request) {}, func(http.ResponseWriter, *http.Request) {
			time.Sleep(time.Second) // so that the copy is told of last
			panic("boom")
		})
		ask(s, "GET", nil)
		require.NoError(t, s.Drain(t.Context(), "2"))
		require.True(t, told()[1].Panicked)
		require.Equal(t, 500, told()[1].Status)
	})
}

// A copy has neither the values of its request's context, but for the server's, nor its
// end.
func TestCopiesContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, values := &http.Server{}, []any{"never asked"}
		s, _, _ := mirrored(t, split.Options{}, func(http.ResponseWriter, *http.Request) {}, func(_ http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
				values = []any{ctx.Value(key{}), ctx.Value(http.ServerContextKey)}
			}
		})
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), http.ServerContextKey, server))
		r, err := http.NewRequestWithContext(context.WithValue(ctx, key{}, "of this request"), "GET", "/", nil)
		require.NoError(t, err)
		s.ServeHTTP(nothing{}, r)
		cancel()
		require.NoError(t, s.Drain(t.Context(), "2"))
		require.Equal(t, []any{nil, server}, values)
	})
}

// Close ends what is under way and leaves nothing behind; requests are served as before.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, sh, told := mirrored(t, posts, readAll, func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			time.Sleep(time.Minute) // slow to give up
		})
		ask(s, "POST", strings.NewReader("one"))
		reader, writer := io.Pipe()
		half := make(chan string)
		go func() { half <- ask(s, "POST", reader).Body.String() }()
		_, err := writer.Write([]byte("two"))
		require.NoError(t, err)
		synctest.Wait()

		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err = s.Close(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.EqualError(t, err, "split: close: 1 copies have not ended: context deadline exceeded")
		require.NoError(t, s.Close(t.Context()))
		require.Equal(t, time.Minute, time.Since(began))
		require.ErrorIs(t, told()[1].Err, context.Canceled)

		require.NoError(t, writer.Close())
		require.Equal(t, "two", <-half)
		require.Equal(t, "three", ask(s, "POST", bytes.NewBufferString("three")).Body.String())
		synctest.Wait()
		require.Len(t, sh.copies, 1, "nothing is copied any more")
		require.Zero(t, s.InFlight("2"))
		require.ErrorContains(t, s.Mirror(t.Context(), pc), "it is closed")
		require.NoError(t, s.Mirror(t.Context(), 0))
	})
}
