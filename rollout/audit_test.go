package rollout_test

import (
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// sequence yields records, and then an error, if there is one.
func sequence(all []rollout.Record, err error) iter.Seq2[rollout.Record, error] {
	return func(yield func(rollout.Record, error) bool) {
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
		if err != nil {
			yield(rollout.Record{}, err)
		}
	}
}

func TestFilter(t *testing.T) {
	memory := &rollout.Memory{}
	minute := 0
	add := func(kind rollout.Kind, id, actor string, change func(r *rollout.Record)) {
		t.Helper()
		r := rollout.Record{Kind: kind, Rollout: id, Actor: actor, At: noon.Add(time.Duration(minute) * time.Minute)}
		if minute++; change != nil {
			change(&r)
		}
		write := memory.Append
		if kind == rollout.KindCheckpoint {
			write = memory.Checkpoint
		}
		_, err := write(t.Context(), r)
		require.NoError(t, err)
	}
	asked := func(service, environment, flag string) func(*rollout.Record) {
		return func(r *rollout.Record) {
			r.Request = &rollout.Requested{Service: service, Environment: environment, Flag: flag}
		}
	}
	over := func(o rollout.Outcome) func(*rollout.Record) { return func(r *rollout.Record) { r.To = o.String() } }
	add(rollout.KindRequested, "a", "ann", asked("shop", "production", "cart"))   // 1
	add(rollout.KindRequested, "b", "bob", asked("shop", "staging", ""))          // 2
	add(rollout.KindBegun, "a", "engine", nil)                                    // 3
	add(rollout.KindFinished, "b", "engine", over(rollout.RolledBack))            // 4
	add(rollout.KindFailed, "b", "ann", nil)                                      // 5: b is forgotten
	add(rollout.KindFinished, "a", "engine", over(rollout.Succeeded))             // 6
	add(rollout.KindFailed, "a", "ann", nil)                                      // 7: a is the last that succeeded
	add(rollout.KindRequested, "c", "ann", asked("shop", "production", "cart"))   // 8
	add(rollout.KindFinished, "c", "engine", over(rollout.Succeeded))             // 9
	add(rollout.KindFailed, "a", "ann", nil)                                      // 10: c is
	add(rollout.KindRequested, "d", "ann", asked("bank", "production", "ledger")) // 11
	var all []rollout.Record
	all = append(all, records(t, memory)...)
	add(rollout.KindCheckpoint, "", "engine", func(r *rollout.Record) { // 12
		r.Checkpoint = &rollout.Checkpoint{Live: all[10:11], Ended: []rollout.Ended{
			{ID: "b", Outcome: rollout.RolledBack}, {ID: "c", Outcome: rollout.Succeeded, Request: all[7].Request},
		}}
	})
	add(rollout.KindBegun, "d", "engine", nil)                                  // 13
	add(rollout.KindFailed, "c", "ann", nil)                                    // 14
	add(rollout.KindRequested, "e", "zed", asked("shop", "production", "cart")) // 15
	add(rollout.KindFinished, "e", "zed", over(rollout.Succeeded))              // 16
	add(rollout.KindFailed, "c", "zed", nil)                                    // 17: e is

	for _, tt := range []struct {
		name   string
		filter rollout.Filter
		recent bool
		want   []uint64
	}{
		{"everything", rollout.Filter{}, false, []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}},
		{"rollout", rollout.Filter{Rollout: "b"}, false, []uint64{2, 4, 5}},
		{"service", rollout.Filter{Service: "shop"}, false, []uint64{1, 2, 3, 4, 6, 7, 8, 9, 14, 15, 16}},
		{"environment", rollout.Filter{Environment: "production"}, false, []uint64{1, 3, 6, 7, 8, 9, 11, 13, 14, 15, 16}},
		{"flag", rollout.Filter{Flag: "ledger"}, false, []uint64{11, 13}},
		{"actor", rollout.Filter{Actor: "ann"}, false, []uint64{1, 5, 7, 8, 10, 11, 14}},
		{"kinds", rollout.Filter{Kinds: []rollout.Kind{rollout.KindFinished, rollout.KindCheckpoint}}, false, []uint64{4, 6, 9, 12, 16}},
		{"from", rollout.Filter{From: noon.Add(12 * time.Minute)}, false, []uint64{13, 14, 15, 16, 17}},
		{"to", rollout.Filter{To: noon.Add(2 * time.Minute)}, false, []uint64{1, 2}},
		{"all of them", rollout.Filter{Rollout: "c", Service: "shop", Environment: "production", Flag: "cart", Actor: "ann", Kinds: []rollout.Kind{rollout.KindFailed}, From: noon, To: noon.Add(time.Hour)}, false, []uint64{14}},
		{"since a checkpoint", rollout.Filter{Environment: "production"}, true, []uint64{13, 14, 15, 16}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := memory.Records()
			if tt.recent {
				in = memory.Recent()
			}
			var got []uint64
			for r, err := range tt.filter.Of(in) {
				require.NoError(t, err)
				got = append(got, r.Seq)
			}
			require.Equal(t, tt.want, got)
		})
	}
	n := 0
	for _, err := range (rollout.Filter{Rollout: "none"}).Of(sequence(all, errCrash)) {
		require.ErrorIs(t, err, errCrash)
		n++
	}
	require.Equal(t, 1, n)
	for range (rollout.Filter{}).Of(memory.Records()) {
		break
	}
}

// TestVerify: whatever is changed is found, with its place.
func TestVerify(t *testing.T) {
	memory := &rollout.Memory{}
	begun(t, memory, "a", "b")
	mark(t, memory)
	begun(t, memory, "c")
	resealed := func(r rollout.Record, before ...string) rollout.Record {
		m := &rollout.Memory{}
		begun(t, m, before...)
		r, err := m.Append(t.Context(), r)
		require.NoError(t, err)
		return r
	}
	for _, tt := range []struct {
		name   string
		change func(all []rollout.Record) []rollout.Record
		want   string
	}{
		{"nothing", func(all []rollout.Record) []rollout.Record { return all }, ""},
		{"from a checkpoint", func(all []rollout.Record) []rollout.Record { return all[2:] }, ""},
		{"from elsewhere", func(all []rollout.Record) []rollout.Record { return all[1:] }, "found record 2, want 1"},
		{"a word", func(all []rollout.Record) []rollout.Record { all[1].Rollout = "x"; return all }, "record 2 does not agree with its checksum"},
		{"a sum", func(all []rollout.Record) []rollout.Record { all[3].Sum = ""; return all }, "record 4 does not agree with its checksum"},
		{"one is missing", func(all []rollout.Record) []rollout.Record { return append(all[:1], all[2:]...) }, "found record 3, want 2"},
		{"two change places", func(all []rollout.Record) []rollout.Record { all[0], all[1] = all[1], all[0]; return all }, "found record 2, want 1"},
		{"one of another journal", func(all []rollout.Record) []rollout.Record { all[1] = resealed(all[1], "x"); return all }, "record 2 does not follow the record before it"},
		{"a version", func(all []rollout.Record) []rollout.Record { all[1].Version = 2; return all }, "unknown version: record 2 has version 2, want 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := rollout.Verify(sequence(tt.change(records(t, memory)), nil))
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			if tt.name == "a version" {
				require.ErrorIs(t, err, rollout.ErrVersion)
			} else {
				require.ErrorIs(t, err, rollout.ErrCorrupt)
			}
		})
	}
	require.ErrorIs(t, rollout.Verify(sequence(records(t, memory), errCrash)), errCrash)
}

func TestLines(t *testing.T) {
	_, journal := segments(t)
	want := records(t, journal)
	var text strings.Builder
	require.NoError(t, rollout.WriteLines(&text, journal.Records()))
	var got []rollout.Record
	for r, err := range rollout.ReadLines(strings.NewReader(text.String())) {
		require.NoError(t, err)
		got = append(got, r)
	}
	require.Equal(t, want, got)

	lines := strings.SplitAfter(text.String(), "\n")
	for _, tt := range []struct{ name, text, want string }{
		{"altered", strings.Replace(text.String(), `"rollout":"b"`, `"rollout":"x"`, 1), fmt.Sprintf("at byte %d: record 2 does not agree with its checksum", len(lines[0]))},
		{"without one", lines[0] + lines[2], fmt.Sprintf("at byte %d: found record 3, want 2", len(lines[0]))},
		{"cut off", text.String()[:len(text.String())-1], fmt.Sprintf("at byte %d: an incomplete record", len(text.String())-len(lines[5]))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var last error
			for _, err := range rollout.ReadLines(strings.NewReader(tt.text)) {
				last = err
			}
			require.ErrorIs(t, last, rollout.ErrCorrupt)
			require.ErrorContains(t, last, tt.want)
		})
	}
	want[1].Rollout = "x"
	require.ErrorIs(t, rollout.WriteLines(&text, sequence(want, nil)), rollout.ErrCorrupt)
	require.ErrorIs(t, rollout.WriteLines(&text, sequence(nil, errCrash)), errCrash)
	require.ErrorIs(t, rollout.WriteLines(fullWriter{}, journal.Records()), errCrash)
}

type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, errCrash }
