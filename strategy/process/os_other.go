//go:build !linux

package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// supported is why there are no fleets here.
func supported() error {
	return fmt.Errorf("children on %s, want linux: %w", runtime.GOOS, errors.ErrUnsupported)
}

// life is how a process stands.
type life int

const (
	gone life = iota
	ended
	alive
)

// What follows is never called: there is no fleet without supported.

func lockFile(*os.File) error { return supported() }

func unlockFile(*os.File) error { return supported() }

func syncDir(string) error { return supported() }

func boot() (string, error) { return "", supported() }

func look(int) (life, uint64, error) { return gone, 0, supported() }

func reserve(bool) (*os.File, string, error) { return nil, "", supported() }

func hungUp(syscall.Conn) bool { return false }

func launch(*exec.Cmd, *os.File, *os.File) (int, uint64, error) { return 0, 0, supported() }

func terminate(int) {}

func kill(int) {}

func reap(int) string { return "" }

func marked(string) ([]proc, error) { return nil, supported() }

func offspring(proc) []proc { return nil }

func end(proc) {}

func leader(proc) bool { return false }

func shorten(string, int64, int64) error { return supported() }
