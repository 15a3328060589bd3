//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package rollout

import (
	"errors"
	"os"
	"syscall"
)

// lockFile keeps other processes out until the file is closed or the process is
// gone, however it went.
func lockFile(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}

// syncDir makes a new file's name survive a crash.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
