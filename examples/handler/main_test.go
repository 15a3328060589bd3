package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRun runs the program as a process of its own.
func TestRun(t *testing.T) {
	program := filepath.Join(t.TempDir(), "handler.exe")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	got, err := exec.Command(program).CombinedOutput()
	require.NoError(t, err, "%s", got)
	want, err := os.ReadFile("testdata/output.txt")
	require.NoError(t, err)
	require.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), string(got))
}
