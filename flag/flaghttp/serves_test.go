package flaghttp_test

import (
	"net/http"
	"runtime"
	"testing"
	"weak"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
	"github.com/stretchr/testify/require"
)

func nobody(*http.Request) flag.Subject { return flag.Subject{} }

func TestServes(t *testing.T) {
	one, other := flag.New(nil, flag.Options{}), flag.New(nil, flag.Options{})
	flaghttp.Middleware(one, nobody)
	flaghttp.Middleware(one, nobody)
	flaghttp.Middleware(nil, nobody)
	require.True(t, flaghttp.Serves(one))
	require.False(t, flaghttp.Serves(other))
	require.False(t, flaghttp.Serves(nil))
}

// TestServesKeepsNothing: to have asked for a middleware keeps no store alive.
func TestServesKeepsNothing(t *testing.T) {
	flags := flag.New(nil, flag.Options{})
	flaghttp.Middleware(flags, nobody)
	p := weak.Make(flags)
	for range 100 {
		if runtime.GC(); p.Value() == nil {
			return
		}
	}
	t.Fatal("the store is still there")
}
