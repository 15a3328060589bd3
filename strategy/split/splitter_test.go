package split_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/split"
)

func TestFirstHasEverything(t *testing.T) {
	s := newSplitter(t, sticky, says("1"), says("2"))
	require.Equal(t, 1000, count(s, "1", 1000))
	require.Equal(t, []split.Weight{{"1", strategy.All}}, s.Weights())
}

// Whoever a version has, it keeps as its share grows; as it falls, the last go first.
func TestUnitsStay(t *testing.T) {
	s := newSplitter(t, sticky, says("1"), says("2"))
	const users = 1500
	had := map[string]bool{}
	shares := []strategy.Share{0, 1, 1 * pc, 10 * pc, 50 * pc, strategy.All - 1, strategy.All}
	for _, share := range shares {
		require.NoError(t, s.SetWeights(split.Weight{"2", share}, split.Weight{"1", strategy.All - share}))
		for i := range users {
			is := of(s, user(i)) == "2"
			require.False(t, had[user(i)] && !is, "%s is sent away at %v", user(i), share)
			had[user(i)] = is
		}
	}
	for _, share := range slices.Backward(shares) {
		require.NoError(t, s.SetWeights(split.Weight{"2", share}, split.Weight{"1", strategy.All - share}))
		for i := range users {
			is := of(s, user(i)) == "2"
			require.False(t, is && !had[user(i)], "%s comes back at %v", user(i), share)
			had[user(i)] = is
		}
	}
}

// Shares of several versions are what they say, with units and without.
func TestShares(t *testing.T) {
	const n = 20_000
	for name, o := range map[string]split.Options{"units": sticky, "random": {}, "nobody named": {Unit: func(*http.Request) string { return "" }}} {
		t.Run(name, func(t *testing.T) {
			s := newSplitter(t, o, says("1"), says("2"), says("3"), says("4"))
			require.NoError(t, s.SetWeights(split.Weight{"3", 10 * pc}, split.Weight{"4", 0}, split.Weight{"1", 60 * pc}, split.Weight{"2", 30 * pc}))
			got := map[string]int{}
			for i := range n {
				got[of(s, user(i))]++
			}
			for version, want := range map[string]int{"1": 60, "2": 30, "3": 10, "4": 0} {
				require.InDelta(t, want*n/100, got[version], n/40.0, version) // 7 standard deviations
			}
		})
	}
}

func TestPins(t *testing.T) {
	s := newSplitter(t, split.Options{Pin: func(r *http.Request) string {
		if v := split.PinCookie("version")(r); v != "" {
			return v
		}
		return split.PinHeader("version")(r)
	}}, says("1"), says("2"))
	require.Equal(t, "2", ask(s, "GET", nil, "Version", "2").Body.String())
	require.Equal(t, "2", ask(s, "GET", nil, "Cookie", "a=b; version=2").Body.String())
	require.Equal(t, "2", ask(s, "GET", nil, "Cookie", `version="2";a=b`).Body.String())
	for _, none := range []string{"a=b", "a=b; versions=2", "version; a=2", "a=version=2", ";;="} {
		require.Equal(t, "1", ask(s, "GET", nil, "Cookie", none).Body.String(), none)
	}
	require.Equal(t, "1", ask(s, "GET", nil, "Version", "none such").Body.String(), "who asks for what is not there is one of all")
	require.Equal(t, "1", ask(s, "GET", nil).Body.String())
	require.NoError(t, s.Remove(t.Context(), "2"))
	require.Equal(t, "1", ask(s, "GET", nil, "Version", "2").Body.String())
}

func TestNobodyServes(t *testing.T) {
	var told []split.Outcome
	s := newSplitter(t, split.Options{Outcome: func(o split.Outcome) { told = append(told, o) }})
	w := ask(s, "GET", nil)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Equal(t, "1", w.Header().Get("Retry-After"))
	require.Equal(t, http.StatusServiceUnavailable, told[0].Status)
	require.Empty(t, told[0].Backend)
	require.NoError(t, s.Add(says("1")))
	require.Equal(t, http.StatusServiceUnavailable, ask(s, "GET", nil).Code, "added with no traffic")
	require.NoError(t, s.SetWeights(split.Weight{"1", strategy.All}))
	require.Equal(t, "1", ask(s, "GET", nil).Body.String())
}

// A panic comes out as it went in, and the request is not in flight any more.
func TestPanics(t *testing.T) {
	boom := errors.New("boom")
	backend := served("1", func(http.ResponseWriter, *http.Request) { panic(boom) })
	var told []split.Outcome
	for name, o := range map[string]split.Options{
		"":             {},
		"told":         {Outcome: func(o split.Outcome) { told = append(told, o) }},
		"told, panics": {Outcome: func(o split.Outcome) { panic("the host's own") }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSplitter(t, o, backend)
			require.PanicsWithError(t, "boom", func() { ask(s, "GET", nil) })
			require.Zero(t, s.InFlight("1"))
		})
	}
	require.Len(t, told, 1)
	require.True(t, told[0].Panicked)
	require.Equal(t, 500, told[0].Status)

	s := newSplitter(t, split.Options{Outcome: func(split.Outcome) { panic("the host's own") }}, says("1"))
	require.Equal(t, "1", ask(s, "GET", nil).Body.String())
}

func TestNewRefuses(t *testing.T) {
	_, err := split.New(split.Options{Mirrors: -1, MirrorMethods: []string{""}}, says("1"), says("1"), split.Backend{Name: "2"}, split.Backend{Handler: http.NotFoundHandler()})
	require.EqualError(t, err, `split: mirrors -1, mirror body 0, mirror timeout 0s: want nothing negative
split: mirror methods: found "", want names like GET
split: backends[1]: found "1" again, want each once
split: backends[2]: "2" has no handler
split: backends[3]: found no name, want the version's`)
}

// nothing is a writer that costs nothing.
type nothing struct{}

func (nothing) Header() http.Header         { return nil }
func (nothing) Write(p []byte) (int, error) { return len(p), nil }
func (nothing) WriteHeader(int)             {}
func (nothing) Flush()                      {}

func TestAllocations(t *testing.T) {
	backend := func(name string) split.Backend {
		return served(name, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("User", "somebody")
	r.Header.Set("Version", "2")
	r.Header.Set("Cookie", `session=12345; version="2"`)
	for _, tt := range []struct {
		name string
		o    split.Options
		want float64
	}{
		{"random", split.Options{}, 0},
		{"sticky", split.Options{Unit: byUser}, 0},
		{"pinned", sticky, 0},
		{"pinned by a cookie", split.Options{Pin: split.PinCookie("version")}, 0},
		{"with outcomes", split.Options{Unit: byUser, Outcome: func(split.Outcome) {}}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSplitter(t, tt.o, backend("1"), backend("2"))
			require.NoError(t, s.SetWeights(split.Weight{"2", 50 * pc}, split.Weight{"1", 50 * pc}))
			for name, w := range map[string]http.ResponseWriter{"plain": struct{ http.ResponseWriter }{nothing{}}, "flushes": nothing{}, "HTTP/1": hijackable{nothing{}, nil}} {
				require.Equal(t, tt.want, testing.AllocsPerRun(1000, func() { s.ServeHTTP(w, r) }), name)
			}
		})
	}
}
