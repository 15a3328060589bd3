package process_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/guidon-go/guidon/strategy/process"
	"github.com/guidon-go/guidon/strategy/split"
	"github.com/stretchr/testify/require"
)

// TestOptions: all that is wrong is said at once.
func TestOptions(t *testing.T) {
	t.Parallel()
	_, err := process.Open(process.Options{})
	require.EqualError(t, err, strings.Join([]string{
		"process: open a fleet: state: found none, want a file",
		"command: found none, want a function that returns the program of a version",
		"serving: found none, want the version to serve first",
	}, "\n"))
	state := filepath.Join(t.TempDir(), "state.json")
	options := process.Options{State: state, Command: func(string) *exec.Cmd { return nil }, Serving: "v1", Instances: -1, Inherit: true, Grace: -1}
	_, err = process.Open(options)
	require.EqualError(t, err, strings.Join([]string{
		"process: open " + state + ": instances: found -1, want no negative number",
		"inherit: found no path in ready, want one: a listener accepts connections before there is a child",
		"grace, within: found -1ns and 0s, want no negative time",
	}, "\n"))
	options = process.Options{State: state, Command: options.Command, Serving: "v1", Ready: "healthz"}
	_, err = process.Open(options)
	require.ErrorContains(t, err, `ready: found "healthz", want a path that begins with /`)
	options.Ready, options.Split = "/healthz", split.Options{Mirrors: -1}
	_, err = process.Open(options)
	require.ErrorContains(t, err, "mirrors -1")
	options.Split.Mirrors = 0
	fleet, err := process.Open(options) // whoever could not open it does not have it locked
	require.NoError(t, err)
	require.NoError(t, fleet.Close())
}
