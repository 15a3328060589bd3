package flagtest_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// judged is a test whose failures are looked at.
type judged struct {
	testing.TB // its own methods are those of the test that looks
	mu         sync.Mutex
	failures   []string
	cleanups   []func()
}

func (j *judged) Helper() {}

func (j *judged) Cleanup(f func()) { j.cleanups = append(j.cleanups, f) }

func (j *judged) Errorf(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failures = append(j.failures, fmt.Sprintf(format, args...))
}

// over is how Fatalf leaves a test.
type over struct{}

func (j *judged) Fatalf(format string, args ...any) {
	j.Errorf(format, args...)
	panic(over{})
}

// judge returns the failures of a test.
func judge(t *testing.T, test func(t testing.TB)) []string {
	t.Helper()
	j := &judged{TB: t}
	func() {
		defer func() {
			if p := recover(); p != nil && p != (over{}) {
				panic(p)
			}
		}()
		test(j)
	}()
	for _, f := range slices.Backward(j.cleanups) { // as testing does
		f()
	}
	return j.failures
}

// load returns a store that serves the document.
func load(t testing.TB, document string) *flag.Store {
	t.Helper()
	store := flag.New(flag.Bytes([]byte(document)), flag.Options{})
	require.NoError(t, store.Load(t.Context()))
	return store
}
