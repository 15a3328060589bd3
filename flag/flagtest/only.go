package flagtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/guidon-go/guidon/flag"
)

// Keyed is a [flag.Ref] or a [flag.Switch] of any type.
type Keyed interface {
	Key() string // as [flag.Ref.Key]
}

// Only returns a context that fails the test, at its end, if any other flag than these
// was read through it, or through what is made from it. Without flags it is any that no
// code declares or, if there is a document in the context's view, that it does not have.
// The context it is made from stays as it is, and so escapes code that begins anew with
// [context.Background].
func Only(t testing.TB, ctx context.Context, flags ...Keyed) context.Context {
	t.Helper()
	var mu sync.Mutex
	read := map[string]bool{}
	view := flag.FromContext(ctx)
	t.Cleanup(func() {
		t.Helper()
		mu.Lock()
		keys := slices.Sorted(maps.Keys(read))
		mu.Unlock()
		var wrong []string
		for _, key := range keys {
			if why := forbidden(view, key, flags); why != "" {
				wrong = append(wrong, fmt.Sprintf("%q (%s)", key, why))
			}
		}
		if wrong != nil {
			t.Errorf("read flags that it may not: %s", strings.Join(wrong, ", "))
		}
	})
	note := func(key string) {
		mu.Lock()
		defer mu.Unlock()
		read[key] = true
	}
	return set(ctx, func(view *flag.View) *flag.View { return view.Tell(note) })
}

// forbidden says why a flag may not be read, or nothing.
func forbidden(view *flag.View, key string, flags []Keyed) string {
	if flags != nil {
		if !slices.ContainsFunc(flags, func(f Keyed) bool { return f.Key() == key }) {
			return "not named"
		}
		return ""
	}
	declared := false
	for d := range flag.Declared() {
		declared = declared || d.Key == key
	}
	switch {
	case !declared:
		return "not declared"
	case !has(view, key) && documented(view):
		return "not in the document"
	}
	return ""
}

// has says whether the view's document has a flag.
func has(view *flag.View, key string) bool {
	for range flag.ByKey[any](key, nil).Variants(view) {
		return true
	}
	return false
}

// documented says whether the view has a document, and evaluates nothing, of which an Only
// around this one would hear.
func documented(view *flag.View) bool {
	var none *flag.View
	_, without := none.With("", "")
	_, err := view.With("", "")
	return errors.Unwrap(err) != errors.Unwrap(without)
}
