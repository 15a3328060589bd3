package percent_test

import (
	"strings"
	"testing"

	"github.com/guidon-go/guidon/internal/percent"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	tests := []struct {
		literal string
		want    int32
		problem string
	}{
		{"0", 0, ""},
		{"100", percent.Full, ""},
		{"100.000", percent.Full, ""},
		{"0.1", 100, ""},
		{"0.001", 1, ""},
		{"33.3330000", 33_333, ""},
		{"0.0005", 0, "0.0005 % is finer than 0.001 %, the smallest share"},
		{"100.001", 0, "found 100.001, want a percentage from 0 to 100"},
		{"-1", 0, "found -1, want a percentage from 0 to 100"},
		{"-0", 0, "found -0, want a percentage from 0 to 100"},
		{"1e1", 0, "found 1e1, want a percentage as a plain decimal"},
		{"99999999999999999999", 0, "found 99999999999999999999, want a percentage from 0 to 100"},
		{strings.Repeat("9", 61), 0, "found " + strings.Repeat("9", 60) + "..., want a percentage from 0 to 100"},
		{"ten", 0, "found ten, want a percentage as a plain decimal"},
		{"", 0, "found , want a percentage as a plain decimal"},
	}
	for _, tt := range tests {
		t.Run(tt.literal, func(t *testing.T) {
			got, err := percent.Parse(tt.literal)
			if tt.problem != "" {
				require.EqualError(t, err, tt.problem)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestEverySlotSurvivesTheRoundTrip(t *testing.T) {
	for slots := range int32(percent.Full + 1) {
		got, err := percent.Parse(percent.Format(slots))
		if err != nil || got != slots {
			t.Fatalf("slots %d: got %d, %v through %q", slots, got, err, percent.Format(slots))
		}
	}
	require.Equal(t, "-12.5", percent.Format(-12_500))
}
