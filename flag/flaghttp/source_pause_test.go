package flaghttp_test

import (
	"context"
	"io"
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag/flaghttp"
	"github.com/stretchr/testify/require"
)

// TestSourceBacksOff: a server that fails is asked less and less, but never forgotten,
// and the error stays the same meanwhile.
func TestSourceBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken, asked, longest := true, 0, time.Duration(0)
		last := time.Now()
		s := newSource(t, "http://flags", flaghttp.SourceOptions{Client: answered(func(w http.ResponseWriter, _ *http.Request) {
			asked++
			longest, last = max(longest, time.Since(last)), time.Now()
			if broken {
				w.WriteHeader(500)
			}
		})})
		_, first := s.Read(t.Context())
		require.Error(t, first)
		time.Sleep(time.Second + 1)
		_, _ = s.Read(t.Context())
		require.Equal(t, 2, asked, "after one failure the pause is at most a second")
		for range 36_000 {
			time.Sleep(100 * time.Millisecond)
			_, err := s.Read(t.Context())
			require.EqualError(t, err, first.Error())
		}
		// A pause is half a minute on average: in an hour there are 120, give or take.
		require.Greater(t, asked, 60)
		require.Less(t, asked, 300)
		require.LessOrEqual(t, longest, time.Minute+100*time.Millisecond)
		require.Greater(t, longest, 30*time.Second)
		broken = false
		time.Sleep(time.Minute + 1)
		before := asked
		for range 10 {
			_, err := s.Read(t.Context())
			require.NoError(t, err)
		}
		require.Equal(t, before+10, asked, "who answers is asked whenever somebody reads")
		broken = true
		_, _ = s.Read(t.Context())
		time.Sleep(time.Second + 1)
		_, _ = s.Read(t.Context())
		require.Equal(t, before+12, asked, "it begins anew")
	})
}

// TestSourceLongestPause: whatever a Duration can be is a pause, Retry-After included.
func TestSourceLongestPause(t *testing.T) {
	for _, longest := range []time.Duration{1, math.MaxInt64} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			s := newSource(t, "http://flags", flaghttp.SourceOptions{Pause: longest, Client: answered(func(w http.ResponseWriter, _ *http.Request) {
				asked++
				w.Header().Set("Retry-After", "3600")
				w.WriteHeader(503)
			})})
			for range 25 {
				_, err := s.Read(t.Context())
				require.Error(t, err)
				before := asked
				_, err = s.Read(t.Context())
				require.Error(t, err)
				require.Equal(t, before, asked, "it pauses")
				time.Sleep(1<<20*time.Second + time.Hour)
			}
			require.Greater(t, asked, 20)
		})
	}
}

func TestSourceHeedsRetryAfter(t *testing.T) {
	tests := []struct {
		name  string
		after func() string
		least time.Duration
	}{
		{"seconds", func() string { return "300" }, 300 * time.Second},
		{"a date", func() string { return time.Now().Add(300 * time.Second).UTC().Format(http.TimeFormat) }, 300 * time.Second},
		{"for ever", func() string { return "4000000000" }, time.Hour},
		{"a date too late", func() string { return "Fri, 31 Dec 9999 23:59:59 GMT" }, time.Hour},
		{"a date that is over", func() string { return "Mon, 02 Jan 1995 15:04:05 GMT" }, 0},
		{"nonsense", func() string { return "-7 o'clock" }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				s := newSource(t, "http://flags", flaghttp.SourceOptions{Client: answered(func(w http.ResponseWriter, _ *http.Request) {
					asked++
					w.Header().Set("Retry-After", tt.after())
					w.WriteHeader(503)
				})})
				_, err := s.Read(t.Context())
				require.Error(t, err)
				if tt.least > 0 {
					time.Sleep(tt.least - 1)
					_, err = s.Read(t.Context())
					require.Error(t, err)
					require.Equal(t, 1, asked)
				}
				time.Sleep(time.Second + 2)
				_, err = s.Read(t.Context())
				require.Error(t, err)
				require.Equal(t, 2, asked)
			})
		})
	}
}

// TestSourceWaitsNoLonger: a server that never answers, or never ends its answer, fails
// after the timeout; whoever gives up earlier learns nothing about the server.
func TestSourceWaitsNoLonger(t *testing.T) {
	never := wire(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	trickle := wire(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, ContentLength: -1, Body: io.NopCloser(readFunc(func(p []byte) (int, error) {
			select {
			case <-r.Context().Done():
				return 0, r.Context().Err()
			case <-time.After(time.Second):
				p[0] = ' '
				return 1, nil
			}
		}))}, nil
	})
	for name, transport := range map[string]wire{"never": never, "slowly": trickle} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSource(t, "http://flags", flaghttp.SourceOptions{Client: &http.Client{Transport: transport}})
				for range 2 { // which is no failure of the server, so there is no pause
					ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
					began := time.Now()
					_, err := s.Read(ctx)
					require.Equal(t, context.DeadlineExceeded, err)
					require.Equal(t, 3*time.Second, time.Since(began))
					_, err = s.Read(ctx)
					require.Equal(t, context.DeadlineExceeded, err)
					cancel()
				}
				began := time.Now()
				_, err := s.Read(t.Context())
				require.EqualError(t, err, "no whole answer within 10s: context deadline exceeded")
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, 10*time.Second, time.Since(began))
			})
		})
	}
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }
