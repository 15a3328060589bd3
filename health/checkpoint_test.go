package health_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

func throughJSON(t *testing.T, cp health.Checkpoint) health.Checkpoint {
	t.Helper()
	data, err := json.Marshal(cp)
	require.NoError(t, err)
	var back health.Checkpoint
	require.NoError(t, json.Unmarshal(data, &back))
	return back
}

// After a crash at any checkpoint, cohorts that were brought back count on exactly
// as if nothing had happened.
func TestRestoreEqualsUninterrupted(t *testing.T) {
	outcomes := traffic(5, 4_000, func(i int) int32 { return []int32{1_000, 10_000, 30_000, 60_000}[i/1_000] })
	outcomes[5].Slot = -1 // invalid
	for _, crash := range []int{0, 1, 700, 1_999, 3_500, 4_000} {
		whole := health.NewCohorts(health.CohortsOptions{})
		c := health.NewCohorts(health.CohortsOptions{})
		var journal []health.Checkpoint
		for i, o := range outcomes {
			if i%97 == 0 {
				journal = append(journal, throughJSON(t, c.Checkpoint()))
			}
			if i == crash {
				journal = append(journal, throughJSON(t, c.Checkpoint()))
				c = health.NewCohorts(health.CohortsOptions{})
				for n, cp := range journal {
					require.NoError(t, c.Restore(cp), "crash at %d, checkpoint %d", crash, n)
				}
				if diff := cmp.Diff(withoutLatency(whole.Snapshot()), withoutLatency(c.Snapshot())); diff != "" {
					t.Fatalf("crash at %d, restored: -want +got:\n%s", crash, diff)
				}
			}
			whole.Record(o)
			c.Record(o)
		}
		if diff := cmp.Diff(withoutLatency(whole.Snapshot()), withoutLatency(c.Snapshot())); diff != "" {
			t.Errorf("crash at %d, at the end: -want +got:\n%s", crash, diff)
		}
	}
}

// A checkpoint that was not written is made good by the next.
func TestCheckpointJoined(t *testing.T) {
	outcomes := traffic(6, 2_000, func(i int) int32 { return int32(i/500+1) * 10_000 })
	options := health.CohortsOptions{Slow: []time.Duration{900 * time.Millisecond}, Harm: 2}
	c := health.NewCohorts(options)
	var lost health.Checkpoint
	for i, o := range outcomes {
		c.Record(o)
		if i%300 == 0 {
			var err error
			lost, err = c.Checkpoint().After(lost)
			require.NoError(t, err)
		}
	}
	cp, err := c.Checkpoint().After(lost)
	require.NoError(t, err)
	back := health.NewCohorts(options)
	require.NoError(t, back.Restore(throughJSON(t, cp)))
	require.Equal(t, withoutLatency(c.Snapshot()), withoutLatency(back.Snapshot()))
	require.Empty(t, back.Checkpoint().Marks, "what came from the journal need not go there again")
}

func TestRestoreRefuses(t *testing.T) {
	// Two checkpoints: unit 1 found in the baseline at 10, then in the candidate.
	journal := func() (a, b health.Checkpoint) {
		c := health.NewCohorts(health.CohortsOptions{})
		c.Record(health.Outcome{Unit: 1, Slot: 50, Ramp: 10})
		c.Record(health.Outcome{Unit: 2, Slot: 5, Ramp: 10})
		a = c.Checkpoint()
		c.Record(health.Outcome{Unit: 1, Slot: 50, Ramp: 60})
		c.Record(health.Outcome{Unit: 3, Slot: 500, Ramp: 60})
		return a, c.Checkpoint()
	}
	a, b := journal()
	fresh := func() *health.Cohorts { return health.NewCohorts(health.CohortsOptions{}) }
	c := fresh()
	require.NoError(t, c.Restore(a))
	require.NoError(t, c.Restore(b))

	for _, tt := range []struct {
		name   string
		before func(*health.Cohorts)
		change func(*health.Checkpoint)
		want   string
	}{
		{"recorded already", func(c *health.Cohorts) { c.Record(health.Outcome{Ramp: 10, Class: health.Success}) }, nil, "outcomes were recorded already"},
		{"history recorded already", func(c *health.Cohorts) { c.Record(health.Outcome{Class: health.Success}) }, nil, "outcomes were recorded already"},
		{"more invalid than can be", nil, func(cp *health.Checkpoint) { cp.Sample.Invalid = 1 << 60 }, "invalid outcomes, after 0"},
		{"too many tables", nil, func(cp *health.Checkpoint) {
			for ramp := range int32(65) {
				cp.Tables = append(cp.Tables, health.Table{Ramp: ramp * 100, Counts: make(health.Counts, 3000)})
			}
		}, "65 tables, want at most 64"},
		{"newer first", func(c *health.Cohorts) { _ = c.Restore(a); _ = c.Restore(b) }, nil, "less than the checkpoint before"},
		{"one is missing", nil, func(cp *health.Checkpoint) { *cp = b }, "is a checkpoint missing?"},
		{"mark dropped", nil, func(cp *health.Checkpoint) { cp.Marks = cp.Marks[:1] }, "marks of 1 units, the sample has 2"},
		{"mark made up", nil, func(cp *health.Checkpoint) { cp.Marks = append(cp.Marks, health.Mark{Unit: 9, Ramp: 7}) }, "marks of 3 units"},
		{"mark on the other side", nil, func(cp *health.Checkpoint) { cp.Marks[0].Candidate = true }, "marks do not add up"},
		{"mark of nothing", nil, func(cp *health.Checkpoint) { cp.Marks[0].Ramp = 0 }, "marks[0]: a ramp of 0, after 0"},
		{"mark too far", nil, func(cp *health.Checkpoint) { cp.Marks[1].Ramp = 100_000 }, "marks[1]: a ramp of 100000"},
		{"mark goes back", nil, func(cp *health.Checkpoint) { cp.Marks = append(cp.Marks, health.Mark{Unit: 2, Ramp: 3}) }, "marks[2]: a ramp of 3, after 100000"},
		{"halved too often", nil, func(cp *health.Checkpoint) { cp.Sample.Halved = 65 }, "halved 65 times, after 0, want at most 64"},
		{"halved less than never", nil, func(cp *health.Checkpoint) { cp.Sample.Halved = -1 }, "halved -1 times, after 0"},
		{"slow outcome made up", nil, func(cp *health.Checkpoint) { cp.Slow = cp.Marks }, "slower of 2 units, the sample has 0"},
		{"kept failure made up", nil, func(cp *health.Checkpoint) { cp.Kept = cp.Marks }, "kept of 2 units, the sample has 0"},
		{"table of others", nil, func(cp *health.Checkpoint) { cp.Tables = []health.Table{{Ramp: 100, Counts: make(health.Counts, 9)}} }, "tables[0] has 9 counts, want 3000"},
		{"table of a ramp in between", nil, func(cp *health.Checkpoint) {
			cp.Tables = []health.Table{{Ramp: 150, Counts: make(health.Counts, 3000)}}
		}, "tables[0] is of ramp 150"},
		{"table of too much", nil, func(cp *health.Checkpoint) {
			cp.Tables = []health.Table{{Ramp: 100, Counts: append(make(health.Counts, 2999), 0)}}
			cp.Tables[0].Counts[0] = 3
		}, "tables count 3 outcomes, the sample has 2"},
		{"other options", nil, func(cp *health.Checkpoint) { cp.Sample.Options.Harm = 2 }, "counted with options"},
		{"units that tossed no coin", nil, func(cp *health.Checkpoint) { cp.Sample.Firsts[0].Baseline = 0 }, "marks do not add up"},
		{"more coins than failures", nil, func(cp *health.Checkpoint) { cp.Sample.Firsts[0].Candidate = 7 }, "more first failures than failures"},
		{"bias of 1", nil, func(cp *health.Checkpoint) { cp.Sample.Firsts[0].Ramp = 100_000 }, "marks do not add up"},
		{"bias of 0", nil, func(cp *health.Checkpoint) { cp.Sample.Firsts[0].Lo = 10 }, "marks do not add up"},
		{"twice the same", nil, func(cp *health.Checkpoint) { cp.Sample.Firsts = append(cp.Sample.Firsts, health.First{Ramp: 10}) }, "marks do not add up"},
		{"beyond counting", nil, func(cp *health.Checkpoint) { cp.Sample.Baseline.Successes = 1 << 60 }, "baseline counts more than 2^53"},
		{"of a rollout that began elsewhere", nil, func(cp *health.Checkpoint) { cp.Sample.Firsts[0].Lo = -1 }, "marks do not add up"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := fresh()
			if tt.before != nil {
				tt.before(c)
			}
			before := c.Snapshot()
			cp, _ := journal()
			if tt.change != nil {
				tt.change(&cp)
			}
			err := c.Restore(cp)
			require.ErrorIs(t, err, health.ErrInvalid)
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, before, c.Snapshot(), "changed although refused")
		})
	}
}

func TestRestoreOtherFloor(t *testing.T) {
	c := health.NewCohorts(health.CohortsOptions{})
	c.Record(health.Outcome{Unit: 1, Slot: 50, Ramp: 10})
	err := health.NewCohorts(health.CohortsOptions{Floor: 5}).Restore(c.Checkpoint())
	require.ErrorIs(t, err, health.ErrInvalid)
	require.ErrorContains(t, err, "counted with options")
}

func TestMarksText(t *testing.T) {
	marks := health.Marks{{Unit: 1, Ramp: 1_000}, {Unit: 1<<64 - 1, Ramp: 100_000, Candidate: true}}
	data, err := json.Marshal(marks)
	require.NoError(t, err)
	require.Equal(t, `"AAAAAAAAAAEAA+j//////////4GGoA=="`, string(data))
	var back health.Marks
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, marks, back)

	_, err = json.Marshal(health.Marks{{Ramp: -1}})
	require.ErrorIs(t, err, health.ErrInvalid)

	for _, tt := range []struct{ name, text, want string }{
		{"not base64", "%", "illegal base64"},
		{"cut short", "AAAA", "marks of 3 bytes, want a multiple of 11"},
		{"beyond the last slot", "AAAAAAAAAAH///8=", "a ramp of 8388607"},
		{"sloppy base64", "AAAAAAAAAAEAA+j//////////4GGoB==", "illegal base64"},
	} {
		err := new(health.Marks).UnmarshalText([]byte(tt.text))
		require.ErrorIs(t, err, health.ErrInvalid, tt.name)
		require.ErrorContains(t, err, tt.want, tt.name)
	}
}

// Whatever is in the journal, Restore does not panic, and what it takes it gives
// back.
func FuzzCheckpoint(f *testing.F) {
	c := health.NewCohorts(health.CohortsOptions{})
	for i, o := range traffic(9, 200, func(i int) int32 { return int32(i/50+1) * 10_000 }) {
		c.Record(o)
		if i%80 == 0 {
			data, err := json.Marshal(c.Checkpoint())
			require.NoError(f, err)
			f.Add(string(data))
		}
	}
	full := health.NewCohorts(health.CohortsOptions{MaxUnits: 3})
	for i := range uint64(40) {
		full.Record(health.Outcome{Unit: i, Slot: 5_000, Ramp: 1_000})
		if i%20 == 19 {
			data, err := json.Marshal(full.Checkpoint())
			require.NoError(f, err)
			f.Add(string(data))
		}
	}
	f.Add(`{"sample":{"candidate":{"successes":1},"firsts":[{"ramp":10,"candidate":1}]},"marks":"AAAA"}`)
	f.Add(`{"sample":{"baseline":{"failures":1},"firsts":[{"ramp":1000,"baseline":1}],"units":1},"marks":"AAAAAAAAAAEAA+g="}`)
	f.Fuzz(func(t *testing.T, text string) {
		var cp health.Checkpoint
		if json.NewDecoder(strings.NewReader(text)).Decode(&cp) != nil {
			return
		}
		c := health.NewCohorts(health.CohortsOptions{})
		if c.Restore(cp) != nil {
			require.Equal(t, health.NewCohorts(health.CohortsOptions{}).Snapshot(), c.Snapshot())
			return
		}
		got, want := c.Snapshot(), withoutLatency(cp.Sample)
		got.Tables, want.Tables, want.Elapsed = nil, nil, 0 // in the checkpoint, and with whoever took it
		for _, coins := range []*health.Coins{&want.Coins, &want.Slow, &want.Kept} {
			if len(coins.Firsts) == 0 {
				coins.Firsts = nil
			}
		}
		if len(want.Options.Slow) == 0 {
			want.Options.Slow = nil
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
		_ = c.Restore(cp)
		c.Record(health.Outcome{Unit: 1, Slot: 500, Ramp: 1_000})
		health.FirstFailure{}.Look(nil, c.Snapshot())
	})
}
