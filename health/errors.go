package health

import (
	"errors"
	"fmt"
	"strings"
)

// ErrInvalid is wrapped by every error that says a value cannot be used as it
// is: a setting out of range, a checkpoint that does not fit.
var ErrInvalid = errors.New("invalid")

// complaints collects what is wrong with settings, to tell all of it at once.
type complaints []string

func (c *complaints) add(format string, args ...any) {
	*c = append(*c, fmt.Sprintf(format, args...))
}

// alpha checks a bound on a probability of error; zero means the usual one.
func (c *complaints) alpha(name string, alpha float64) {
	// Written so that NaN is refused.
	if alpha != 0 && !(alpha > 0 && alpha < 1) {
		c.add("%s is %v, want between 0 and 1", name, alpha)
	}
}

// err is nil if there are none.
func (c complaints) err() error {
	if len(c) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrInvalid, strings.Join(c, "; "))
}
