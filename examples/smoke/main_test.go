package main_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRun runs the program as a process of its own, once as it is and once broken.
func TestRun(t *testing.T) {
	program := filepath.Join(t.TempDir(), "smoke.exe")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, tt := range []struct {
		args   []string
		golden string
		code   int
	}{
		{nil, "healthy.txt", 0},
		{[]string{"-broken"}, "broken.txt", 1},
	} {
		got, err := exec.Command(program, tt.args...).CombinedOutput()
		var exit *exec.ExitError
		if tt.code == 0 {
			require.NoError(t, err, "%s", got)
		} else {
			require.True(t, errors.As(err, &exit), "%v: %s", err, got)
			require.Equal(t, tt.code, exit.ExitCode(), "%s", got)
		}
		want, err := os.ReadFile(filepath.Join("testdata", tt.golden))
		require.NoError(t, err)
		require.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), string(got))
	}
}
