package health

import "errors"

// ErrInvalid is wrapped by every error that says a value cannot be used as it
// is: a setting out of range, a checkpoint that does not fit.
var ErrInvalid = errors.New("invalid")
