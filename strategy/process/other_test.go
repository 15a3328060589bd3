//go:build !linux

package process_test

import (
	"errors"
	"os/exec"
	"testing"

	"github.com/guidon-go/guidon/strategy/process"
)

func TestUnsupported(t *testing.T) {
	_, err := process.Open(process.Options{State: "state.json", Command: func(string) *exec.Cmd { return nil }, Serving: "v1"})
	if !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v, want errors.ErrUnsupported", err)
	}
}
