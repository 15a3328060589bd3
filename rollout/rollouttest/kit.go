package rollouttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"reflect"
	"time"

	"github.com/guidon-go/guidon/rollout"
)

// T is the part of [testing.TB] that the kit needs. It must be safe for concurrent
// use, as that is.
type T interface {
	Helper()                           // marks a function whose line is not the one to report
	Errorf(format string, args ...any) // reports an error and goes on
}

// kit tries one rule in an empty place.
type kit struct {
	t    T
	rule string
	open func() (rollout.Journal, error)
}

// fail reports and returns false, for what cannot go on.
func (k *kit) fail(format string, args ...any) bool {
	k.t.Helper()
	k.t.Errorf("%s: %s", k.rule, fmt.Sprintf(format, args...))
	return false
}

// opened is the journal, or nil after an error.
func (k *kit) opened() rollout.Journal {
	k.t.Helper()
	j, err := k.open()
	if err != nil {
		k.fail("the journal does not open: %v", err)
		return nil
	}
	return j
}

// closed lets go of the journal, if it holds anything.
func (k *kit) closed(j rollout.Journal) {
	k.t.Helper()
	if c, ok := j.(io.Closer); ok {
		if err := c.Close(); err != nil {
			k.fail("it does not close: %v", err)
		}
	}
}

// noon is when everything happens.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// record is one with text that has to be kept as it is.
func record(name string) rollout.Record {
	return rollout.Record{Kind: rollout.KindBegun, Rollout: name, Reason: "<é&\n\u2028>", Actor: "somebody", At: noon, Until: noon.Add(time.Nanosecond)}
}

// read collects records, or fails.
func (k *kit) read(records iter.Seq2[rollout.Record, error]) (all []rollout.Record, ok bool) {
	k.t.Helper()
	for r, err := range records {
		if err != nil {
			return all, k.fail("reading fails after %d records: %v", len(all), err)
		}
		all = append(all, r)
	}
	return all, true
}

// same says that two lists of records are equal, as JSON.
func (k *kit) same(got, want []rollout.Record) bool {
	k.t.Helper()
	for i := range min(len(got), len(want)) {
		g, err := json.Marshal(got[i])
		if err != nil {
			return k.fail("record %d cannot be written as JSON: %v", i+1, err)
		}
		if w, err := json.Marshal(want[i]); err != nil || !bytes.Equal(g, w) {
			return k.fail("record %d is read as\n%s\nand Append returned\n%s", i+1, g, w)
		}
	}
	if len(got) != len(want) {
		return k.fail("%d records are read, and %d were acknowledged", len(got), len(want))
	}
	return true
}

// isSame says that two journals are one value.
func isSame(a, b rollout.Journal) bool {
	return reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.TypeOf(a).Comparable() && a == b
}
