package flag

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// fault lets tests fail a step of writing a state.
type fault func(step string) error

const stateTemp = ".next" // how the names end under which a state is written

// readState reads a state.
func readState(path string) (remains, error) {
	// To open a pipe would wait for somebody who writes into it.
	if info, err := os.Stat(path); err != nil {
		return remains{}, err
	} else if err := regular(path, info); err != nil {
		return remains{}, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return remains{}, err
	}
	return unseal(data)
}

// behind is the file that a symbolic link leads to, which need not be there: that is
// replaced, and the link stays.
func behind(path string) (string, error) {
	for range 40 {
		to, err := os.Readlink(path)
		if err != nil {
			return path, nil // it is no link; whoever opens it will see what it is
		}
		if !filepath.IsAbs(to) {
			folder, err := filepath.EvalSymlinks(filepath.Dir(path)) // as .. is of that
			if err != nil {
				return "", err
			}
			to = filepath.Join(folder, to)
		}
		path = to
	}
	return "", fmt.Errorf("%s: found more than 40 symbolic links, one behind the other", path)
}

// removeTemps leaves alone what may be written now, by another store, and what no store
// has written.
func removeTemps(path string) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return // to write will fail, and say why
	}
	for _, entry := range entries {
		name := entry.Name()
		number, ours := strings.CutPrefix(strings.TrimSuffix(name, stateTemp), filepath.Base(path)+".")
		if _, err := strconv.ParseUint(number, 10, 64); err != nil || !ours || !strings.HasSuffix(name, stateTemp) {
			continue // os.CreateTemp puts a number there
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > time.Minute {
			_ = os.Remove(filepath.Join(filepath.Dir(path), name))
		}
	}
}

// setAside gives a damaged state another name, which it returns.
func setAside(path string) (string, error) {
	for i := 1; ; i++ {
		name := fmt.Sprintf("%s.damaged-%d", path, i)
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name, os.Rename(path, name)
		} else if err != nil {
			return "", err
		}
	}
}

// writeState replaces a state, so that whatever happens the old one is there or the new
// one: by a file of another name, which no other store writes into.
func writeState(path string, data []byte, fail fault) (err error) {
	if fail == nil {
		fail = func(string) error { return nil }
	}
	path, err = behind(path)
	if err = errors.Join(err, fail("create")); err != nil {
		return err
	}
	next, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*"+stateTemp) // with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(next.Name())
		}
	}()
	_, err = next.Write(data)
	err = errors.Join(err, fail("write"))
	if err == nil {
		err = errors.Join(fail("sync"), next.Sync())
	}
	if err = errors.Join(err, next.Close()); err != nil {
		return err
	}
	if err := errors.Join(fail("rename")); err != nil {
		return err
	}
	if err := os.Rename(next.Name(), path); err != nil {
		return err
	}
	return errors.Join(fail("sync folder"), syncFolder(filepath.Dir(path)))
}

// syncFolder makes a new name survive a crash of the machine, where folders can be
// synced.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" || runtime.GOOS == "plan9" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
