package flagtest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flagtest"
)

// table is a host's own source.
type table struct{ rows map[string]string }

// Read reads the newest row.
func (t table) Read(ctx context.Context) ([]byte, error) {
	document, ok := t.rows["flags"]
	if !ok {
		return nil, errors.New("the table has no flags")
	}
	return []byte(document), ctx.Err()
}

// A test of a host holds its own source to what a store expects.
func ExampleTestSource() {
	_ = func(t *testing.T) { // TestTable
		flagtest.TestSource(t, func(data []byte) (source flag.Source, put func(data []byte), breakIt func()) {
			rows := map[string]string{"flags": string(data)}
			put = func(data []byte) { rows["flags"] = string(data) }
			return table{rows}, put, func() { delete(rows, "flags") }
		})
	}
	// Output:
}

func TestExample(t *testing.T) {
	flagtest.TestSource(t, func(data []byte) (source flag.Source, put func(data []byte), breakIt func()) {
		rows := map[string]string{"flags": string(data)}
		put = func(data []byte) { rows["flags"] = string(data) }
		return table{rows}, put, func() { delete(rows, "flags") }
	})
}
