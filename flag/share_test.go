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

func TestParseShare(t *testing.T) {
	for text, want := range map[string]flag.Share{"0": 0, "0.1": 100, "1.001 %": 1001, " 33.333% ": 33_333, "100": flag.All} {
		share, err := flag.ParseShare(text)
		require.NoError(t, err, text)
		require.Equal(t, want, share, text)
	}
	for _, text := range []string{"", "%", "a", "-1", "100.001", "0.0005", "1e1", "1 2"} {
		_, err := flag.ParseShare(text)
		require.Error(t, err, text)
	}
}
