package rollout

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// lockName is a file in the journal's folder. Whoever writes the journal has it
// locked, where the system knows such locks, and has its number in it; a new
// writer takes the next number, and so the older one sees that its time is over,
// where there are no locks or they did not hold. It is not the journal itself,
// since that is renamed.
const lockName = "lock"

// numberDigits make the number overwrite the one before whole.
const numberDigits = 20

// takeLock keeps other writers out, or is ErrLocked.
func (j *FileJournal) takeLock() (err error) {
	if j.lock, err = j.disk.Open(filepath.Join(j.dir, lockName), os.O_RDWR|os.O_CREATE); err != nil {
		return err
	}
	if err := j.lock.Lock(); err != nil {
		return err
	}
	text, err := readAll(j.disk, filepath.Join(j.dir, lockName), numberDigits)
	if err != nil {
		return err
	}
	number, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil {
		number = 0 // a broken one is as none: the records know, too
	}
	return j.takeNumber(number + 1)
}

// takeNumber makes this the writer. The letters tell two apart that take the same
// number at the same instant.
func (j *FileJournal) takeNumber(number uint64) error {
	j.fence, j.mark = number, fmt.Appendf(nil, "%0*d %s\n", numberDigits, number, rand.Text())
	if _, err := j.lock.WriteAt(j.mark, 0); err != nil {
		return err
	}
	return j.lock.Sync()
}

// holds says that this is still the writer. The file is opened by its name, since
// one that was deleted keeps nobody out.
func (j *FileJournal) holds() error {
	text, err := readAll(j.disk, filepath.Join(j.dir, lockName), len(j.mark))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("the lock was taken away: %w", err)
	case err != nil:
		return err
	case !bytes.Equal(text, j.mark):
		return ErrFenced
	}
	return nil
}
