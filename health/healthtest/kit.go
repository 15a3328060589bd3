package healthtest

import "fmt"

// T is the part of [testing.TB] that the kits need. It must be safe for concurrent use,
// as that is.
type T interface {
	Helper()                           // marks a function whose line is not the one to report
	Errorf(format string, args ...any) // reports an error and goes on
}

// ruleConcurrent is of both kits: at the same time as at different times.
const ruleConcurrent = "concurrent"

// kit reports each rule once, however often it is broken.
type kit struct {
	t      T
	broken map[string]bool
}

func newKit(t T) *kit { return &kit{t: t, broken: map[string]bool{}} }

func (k *kit) fail(rule, format string, args ...any) {
	k.t.Helper()
	if !k.broken[rule] {
		k.broken[rule] = true
		k.t.Errorf("%s: %s", rule, fmt.Sprintf(format, args...))
	}
}
