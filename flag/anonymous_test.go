package flag_test

import (
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestAnonymous: everybody is somebody else, ramps admit their share of them, rules
// see their facts, and one of them does not change sides.
func TestAnonymous(t *testing.T) {
	store := flag.New(flag.Bytes([]byte(`{"flags": {"anonymous-page": {
		"rules": [{"if": {"attr": "anonymous-beta", "eq": true}, "serve": "on"}], "ramp": {"percent": 30}}}}`)), flag.Options{})
	require.NoError(t, store.Load(t.Context()))
	page, beta := flag.Bool("anonymous-page", false), flag.Attr[bool]("anonymous-beta")
	const n = 10_000
	in, units := 0, map[uint64]bool{}
	for range n {
		subject := flag.Anonymous()
		d := page.Decide(store, &subject)
		require.Equal(t, flag.ReasonRamp, d.Reason)
		require.Equal(t, d.Value, page.Value(store, &subject))
		units[d.Unit] = true
		if d.Value {
			in++
		}
	}
	require.Len(t, units, n)
	require.InDelta(t, 0.3*n, in, 5*46) // five standard deviations
	tester := flag.Anonymous(beta.Is(true))
	require.Equal(t, flag.ReasonRule, page.Decide(store, &tester).Reason)
}
