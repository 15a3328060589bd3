package main_test

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRun runs the program as a process of its own, as it starts itself again.
func TestRun(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("fleets are on Linux only")
	}
	program := filepath.Join(t.TempDir(), "deploy")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	out, err = exec.Command(program).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Regexp(t, `v2: succeeded, and v2 serves`, string(out))
	require.Regexp(t, `v3: rolled back, and v2 serves`, string(out))
	require.Regexp(t, `v3 answered \d+ requests, \d+ of them wrong; lost: 0\n$`, string(out))
}
