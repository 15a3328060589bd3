package process_test

import (
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/process"
	"github.com/guidon-go/guidon/strategy/split"
	"github.com/stretchr/testify/require"
)

// TestPin: testers of a version get it as long as it is to run, and what all get
// otherwise.
func TestPin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *process.Options) { o.Split.Pin = split.PinHeader("Version") })
	get := func(pin string) (int, string) {
		r, request := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
		request.Header.Set("Version", pin)
		w.fleet.ServeHTTP(r, request)
		return r.Code, r.Body.String()
	}
	gets := func(pin, want string) {
		t.Helper()
		code, version := get(pin)
		require.Equal(t, http.StatusOK, code)
		require.Equal(t, want, version)
	}
	require.NoError(t, w.fleet.Prepare(t.Context(), "v1", "v2"))
	gets("v2", "v1") // not scaled yet
	require.NoError(t, w.fleet.Scale(t.Context(), 1, 1))
	gets("v2", "v2")
	w.reopen(t)
	gets("v2", "v2")
	w.switchTo(t, "v1", "v2")
	gets("v1", "v2") // retired
	gets("v0", "v2")

	require.NoError(t, w.fleet.Prepare(t.Context(), "v2", "v3"))
	require.NoError(t, w.fleet.Scale(t.Context(), 1, 1))
	require.NoError(t, syscall.Kill(w.children("v3")[0], syscall.SIGKILL))
	w.sees(t, strategy.Observation{Old: 1})
	code, _ := get("v3")
	require.Equal(t, http.StatusServiceUnavailable, code) // a smoke test of it may not get another version
}
