//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package rollout

import "os"

// lockFile does nothing where there is no flock.
func lockFile(*os.File) error { return nil }

// syncDir does nothing where folders cannot be synced.
func syncDir(string) error { return nil }
