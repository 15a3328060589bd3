//go:build !linux && !darwin

package health

import (
	"errors"
	"fmt"
	"runtime"
)

func diskFree(string) (uint64, error) {
	return 0, fmt.Errorf("free space on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
