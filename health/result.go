package health

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Result is what one probe of a [Check] came to.
type Result struct {
	At   time.Time     `json:"at"`              // when the probe began
	Took time.Duration `json:"took"`            // in nanoseconds; of one that timed out, the timeout
	Kind Kind          `json:"kind"`            // what it came to
	Err  string        `json:"error,omitempty"` // what it said, at most 4 kB of UTF-8; of a panic with its stack
}

// Kind is what one probe came to.
type Kind uint8

// The kinds of a [Result]. The zero Kind is none.
const (
	Passed    Kind = iota + 1 // nil
	Warned                    // [Warn]: counts as passed
	Failed                    // any other error, a panic, or no answer in time
	WasFatal                  // [Fatal]: one is enough
	WasUnsure                 // [Unsure]: counts as nothing
)

var kindNames = [...]string{"none", "passed", "warned", "failed", "fatal", "unsure"}

// String is the name in lower case.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// MarshalText is String.
func (k Kind) MarshalText() ([]byte, error) {
	if int(k) >= len(kindNames) {
		return nil, fmt.Errorf("%w: %v", ErrInvalid, k)
	}
	return []byte(kindNames[k]), nil
}

// UnmarshalText reads what MarshalText wrote.
func (k *Kind) UnmarshalText(text []byte) error {
	i := slices.Index(kindNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("%w: kind %q, want one of %q", ErrInvalid, text, kindNames)
	}
	*k = Kind(i)
	return nil
}

func (k Kind) ok() bool { return k == Passed || k == Warned }

func (k Kind) bad() bool { return k == Failed || k == WasFatal }

// String is one line for people: of an error, its first.
func (r Result) String() string {
	text := fmt.Sprintf("%v after %s", r.Kind, short(r.Took))
	if first, _, _ := strings.Cut(r.Err, "\n"); first != "" {
		text += ": " + strings.Map(visible, first)
	}
	return text
}

// visible keeps what a stranger sent from moving a terminal's cursor.
func visible(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// resultOf reads a probe's error.
func resultOf(at time.Time, took time.Duration, err error) Result {
	r := Result{At: at, Took: max(took, 0), Kind: Passed}
	if err == nil {
		return r
	}
	switch {
	case errors.As(err, new(fatal)):
		r.Kind = WasFatal
	case errors.As(err, new(unsure)):
		r.Kind = WasUnsure
	case errors.As(err, new(warning)):
		r.Kind = Warned
	default:
		r.Kind = Failed
	}
	r.Err = cut(err.Error())
	return r
}

// maxErr bounds what is kept of an error, since it may hold what a stranger sent.
const maxErr = 4096

func cut(text string) string {
	const dots = "..."
	whole := len(text) <= maxErr
	text = strings.ToValidUTF8(text[:min(len(text), maxErr)], "\ufffd")
	if whole && len(text) <= maxErr {
		return text
	}
	// Again, since this may end within a rune.
	return strings.ToValidUTF8(text[:min(len(text), maxErr-len(dots))], "") + dots
}
