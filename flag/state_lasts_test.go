package flag_test

import (
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestStateHasWhatIsTold: whoever is told of a change may take long, and the process may
// die meanwhile; the file has it by then.
func TestStateHasWhatIsTold(t *testing.T) {
	k := newKept(t, `{"flags": {"killed": {}, "put": {}}}`)
	told := 0
	k.Store = flag.New(k.src, flag.Options{State: k.path, OnChange: func(info flag.ChangeInfo) {
		next := flag.New(k.src, flag.Options{State: k.path})
		require.NoError(t, next.Load(t.Context()))
		status, err := next.Status(info.Key)
		require.NoError(t, err)
		require.True(t, status.Overlaid, "of %s %s", info.Op, info.Key)
		told++
	}})
	require.NoError(t, k.Load(t.Context()))
	require.NoError(t, k.Kill("killed", me))
	require.NoError(t, k.Put("put", flag.FeatureFlag{Serve: "on"}, me))
	require.Equal(t, 2, told)
}
