package process_test

import (
	"os"
	"testing"

	"github.com/guidon-go/guidon/strategy/process"
	"github.com/stretchr/testify/require"
)

// TestEnvironFromTheFirstMoment: a process has its environment as soon as it has begun,
// although the system shows none while it becomes its program.
func TestEnvironFromTheFirstMoment(t *testing.T) {
	for n := range 300 {
		p, err := os.StartProcess("/bin/sleep", []string{"sleep", "60"}, &os.ProcAttr{Env: []string{"MARK=1"}})
		require.NoError(t, err)
		found, err := process.Environ(p.Pid)
		require.NoError(t, p.Kill())
		_, waited := p.Wait()
		require.NoError(t, waited)
		require.NoError(t, err)
		require.Equal(t, "MARK=1\x00", string(found), "the process %d", n+1)
	}
}
