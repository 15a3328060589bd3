package flag_test

import (
	"sync"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestReadersShareASubject: evaluation writes nothing, so one subject and one view
// serve any number of goroutines while the flags change. The race detector is the
// judge.
func TestReadersShareASubject(t *testing.T) {
	store := load(t, `{"flags": {"shared": {"rules": [{"if": {"attr": "country", "eq": "SE"}, "serve": "on"}], "ramp": {"percent": 50}}}}`)
	shared := flag.Bool("shared", false)
	subject := flag.For("u", country.Is("NO"))
	view := store.View(subject)
	want := shared.From(view)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 2_000 {
				shared.Decide(store, &subject)
				if shared.From(view) != want {
					t.Error("a view changed its mind")
				}
			}
		})
	}
	for i := range 200 {
		require.NoError(t, store.SetRamp("shared", flag.Ramp{Share: flag.Share(i) * 100}, me))
	}
	wait.Wait()
}
