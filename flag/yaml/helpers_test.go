package yaml_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/flag"
)

// requireSame compares documents as JSON: a number is what it says, whatever its type.
func requireSame(t *testing.T, want, got flag.Document) {
	t.Helper()
	a, err := json.Marshal(want)
	require.NoError(t, err)
	b, err := json.Marshal(got)
	require.NoError(t, err)
	require.Equal(t, string(a), string(b))
}
