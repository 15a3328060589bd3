package process_test

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// stuck makes it impossible to write the state file, as a full disk does.
func (w *world) stuck(t testing.TB) (free func()) {
	t.Helper()
	require.NoError(t, os.Mkdir(w.options.State+".next", 0o700))
	return func() { require.NoError(t, os.Remove(w.options.State+".next")) }
}

// TestFullDisk: nothing more goes to the new version, but what it has is taken from it.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	require.NoError(t, w.fleet.Prepare(t.Context(), "v1", "v2"))
	require.NoError(t, w.fleet.Scale(t.Context(), 1, 1))
	require.NoError(t, w.fleet.Shift(t.Context(), 50*strategy.Percent))
	require.NoError(t, w.fleet.Mirror(t.Context(), 50*strategy.Percent))
	free := w.stuck(t)
	require.ErrorContains(t, w.fleet.Shift(t.Context(), strategy.All), "process: shift v2: the state file: ")
	require.ErrorContains(t, w.fleet.Mirror(t.Context(), strategy.All), "process: mirror v2: the state file: ")
	half := strategy.Observation{Share: 50 * strategy.Percent, Mirror: 50 * strategy.Percent, Old: 1, New: 1}
	require.Equal(t, half, w.observe(t))

	for range 2 { // it may be asked for again
		require.ErrorContains(t, w.fleet.Mirror(t.Context(), 0), "process: mirror v2: the state file: ")
		require.ErrorContains(t, w.fleet.Shift(t.Context(), 0), "process: shift v2: the state file: ")
	}
	require.Equal(t, strategy.Observation{Old: 1, New: 1}, w.observe(t))
	for range 20 {
		require.Equal(t, "v1", w.get(t, "/"))
	}
	w.reopen(t) // nobody could write down that it was taken back
	require.Equal(t, half, w.observe(t))
	require.Error(t, w.fleet.Mirror(t.Context(), 0))
	require.Error(t, w.fleet.Shift(t.Context(), 0))

	free()
	stop := w.run(t)
	for w.written(t) != 0 { // as soon as it can be
		<-time.After(time.Millisecond)
	}
	stop()
	w.reopen(t)
	require.Equal(t, strategy.Observation{Old: 1, New: 1}, w.observe(t))
}

// written is the share that the state file has.
func (w *world) written(t testing.TB) strategy.Share {
	t.Helper()
	text, err := os.ReadFile(w.options.State)
	require.NoError(t, err)
	var s struct{ Share strategy.Share }
	require.NoError(t, json.Unmarshal(text, &s))
	return s.Share
}
