package flag_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/flag"
)

// TestLoadInfoSays: in each case what serves then.
func TestLoadInfoSays(t *testing.T) {
	var infos []string
	src := &source{err: errors.New("away")}
	store := flag.New(src, flag.Options{OnLoad: func(info flag.LoadInfo) { infos = append(infos, fmt.Sprint(info.Revision > 0, " ", info)) }})
	for _, next := range []string{"", `{"flags": {"f": {}}}`, `{"flags": {"f": {"serve": "nobody"}}}`, `{`} {
		if next != "" {
			src.put(next, nil)
		}
		_ = store.Load(t.Context())
	}
	require.Equal(t, []string{
		"false there is no document, and callers' defaults serve", "true the document serves",
		"true some are quarantined and stay as they were", "true the document is refused, and the last good one goes on serving",
	}, infos)
}
