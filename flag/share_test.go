package flag_test

import (
	"encoding/json"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

func TestShareIsExact(t *testing.T) {
	tests := []struct {
		share flag.Share
		json  string
	}{
		{0, "0"},
		{0.001 * flag.Percent, "0.001"},
		{0.1 * flag.Percent, "0.1"},
		{33.333 * flag.Percent, "33.333"},
		{flag.All, "100"},
	}
	for _, tt := range tests {
		t.Run(tt.json, func(t *testing.T) {
			text, err := json.Marshal(tt.share)
			require.NoError(t, err)
			require.Equal(t, tt.json, string(text))
			require.Equal(t, tt.json+" %", tt.share.String())
			var back flag.Share
			require.NoError(t, json.Unmarshal(text, &back))
			require.Equal(t, tt.share, back)
		})
	}
	var share flag.Share
	require.EqualError(t, share.UnmarshalJSON([]byte("0.0005")), "0.0005 % is finer than 0.001 %, the smallest share")
}
