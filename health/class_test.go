package health_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

func TestByStatus(t *testing.T) {
	for _, tt := range []struct {
		status int
		want   health.Class
	}{
		{200, health.Success},
		{101, health.Success},
		{304, health.Success},
		{404, health.Success},
		{499, health.Success},
		{500, health.Failure},
		{503, health.Failure},
		{999, health.Failure},
		{0, health.Failure},
		{-1, health.Failure},
	} {
		if got := health.ByStatus(tt.status); got != tt.want {
			t.Errorf("%d: got %v, want %v", tt.status, got, tt.want)
		}
	}
}

func TestClassZeroIsFailure(t *testing.T) {
	require.Equal(t, health.Failure, health.Outcome{}.Class)
	require.Equal(t, "failure", health.Class(0).String())
	require.Equal(t, "class(9)", health.Class(9).String())
}
