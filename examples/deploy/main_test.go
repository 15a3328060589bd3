package main_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// build makes the program a process of its own, as it starts itself again.
func build(t *testing.T) string {
	if runtime.GOOS != "linux" {
		t.Skip("fleets are on Linux only")
	}
	program := filepath.Join(t.TempDir(), "deploy")
	out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

// TestStopped: no child and no file is left of a tool that is asked to end.
func TestStopped(t *testing.T) {
	program, folder := build(t), t.TempDir()
	for _, moment := range []string{"blue-green", "done: shift from 0 % to 100 %"} {
		cmd := exec.Command(program)
		cmd.Env = append(os.Environ(), "TMPDIR="+folder)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(out)
		for lines.Scan() && !strings.Contains(lines.Text(), moment) {
		}
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		_, err = io.Copy(io.Discard, out)
		require.NoError(t, err)
		require.Error(t, cmd.Wait())
		left, err := filepath.Glob(filepath.Join(folder, "*"))
		require.NoError(t, err)
		require.Empty(t, left)
		names, err := filepath.Glob("/proc/[0-9]*/exe")
		require.NoError(t, err)
		for _, name := range names {
			of, _ := os.Readlink(name)
			require.NotEqual(t, program, of, "%s still runs", name)
		}
	}
}

func TestRun(t *testing.T) {
	out, err := exec.Command(build(t)).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Regexp(t, `v2: succeeded, and v2 serves`, string(out))
	require.Regexp(t, `v3: rolled back, and v2 serves`, string(out))
	require.Regexp(t, `v3 answered \d+ requests, \d+ of them wrong; lost: 0\n$`, string(out))
}
