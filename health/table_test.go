package health_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// What happens in a bucket is in its row, and nowhere else.
func TestTables(t *testing.T) {
	ms := time.Millisecond
	c := health.NewCohorts(health.CohortsOptions{Floor: 200, Slow: []time.Duration{50 * ms, 10 * ms}, Harm: 2})
	for range 3 {
		c.Record(health.Outcome{Slot: 777, Ramp: 100, Class: health.Success, Latency: ms}) // history
	}
	c.Record(health.Outcome{Slot: 777, Ramp: 200}) // history as well: nobody is exposed yet
	c.Record(health.Outcome{Slot: 777, Ramp: 300, Class: health.Success, Latency: 10 * ms})
	c.Record(health.Outcome{Slot: 777, Ramp: 300, Class: health.Success, Latency: 11 * ms})
	c.Record(health.Outcome{Slot: 777, Ramp: 300, Class: health.Success, Latency: 51 * ms})
	c.Record(health.Outcome{Slot: 777, Ramp: 300, Latency: 51 * ms})
	c.Record(health.Outcome{Slot: 799, Ramp: 300, Latency: ms})
	c.Record(health.Outcome{Unit: 2, Slot: 777, Ramp: 300, Latency: 11 * ms}) // slow, but not slower than the last
	c.Record(health.Outcome{Slot: 777, Ramp: 300, Class: health.Excluded})
	c.Record(health.Outcome{Slot: 250, Ramp: 350, Class: health.Success}) // cuts a bucket in two
	c.Record(health.Outcome{Slot: 777, Ramp: 300, Class: health.Success}) // late
	s := c.Snapshot()
	require.Len(t, s.Tables, 2)
	require.EqualValues(t, 200, s.Tables[0].Ramp)
	require.EqualValues(t, 300, s.Tables[1].Ramp)
	require.Equal(t, []uint32{3, 0, 0, 1, 0, 0, 0}, s.Tables[0].Row(7))
	require.Equal(t, []uint32{2, 1, 1, 1, 1, 1, 3}, s.Tables[1].Row(7))
	for _, table := range s.Tables {
		for bucket := range 1000 {
			if bucket != 7 {
				require.Equal(t, make([]uint32, 7), table.Row(bucket))
			}
		}
	}
	require.Equal(t, health.Side{Successes: 1}, withoutLatency(s).Candidate)
	require.Equal(t, health.Side{Successes: 4, Failures: 3}, withoutLatency(s).Baseline, "the history is no part of it")
	require.Equal(t, health.Coins{Firsts: []health.First{{Lo: 200, Ramp: 300, Baseline: 1}}, Units: 1}, s.Slow)
}

// Of a candidate's failures one in Harm is kept, also of one unit's; of the
// baseline's all. A unit is one coin, ever.
func TestKept(t *testing.T) {
	c := health.NewCohorts(health.CohortsOptions{Harm: 4})
	for range 4_000 {
		c.Record(health.Outcome{Unit: 1, Slot: 50, Ramp: 1_000})
		c.Record(health.Outcome{Unit: 2, Slot: 50_050, Ramp: 1_000})
	}
	c.Record(health.Outcome{Unit: 2, Slot: 50_050, Ramp: 2_000})
	s := c.Snapshot()
	require.InDelta(t, 1_000, s.Tables[0].Row(0)[2], 4*28)
	require.EqualValues(t, 4_000, s.Tables[0].Row(500)[2])
	require.Equal(t, health.Coins{Firsts: []health.First{{Ramp: 1_000, Candidate: 1, Baseline: 1}}, Units: 2}, s.Kept)
	cp := c.Checkpoint()
	require.NoError(t, health.NewCohorts(health.CohortsOptions{Harm: 4}).Restore(cp))
	cp.Kept = append(cp.Kept, health.Mark{Unit: 2, Ramp: 2_000})
	cp.Sample.Kept.Firsts = append(cp.Sample.Kept.Firsts, health.First{Ramp: 2_000, Baseline: 1})
	require.ErrorContains(t, health.NewCohorts(health.CohortsOptions{Harm: 4}).Restore(cp), "kept[2]: a ramp of 2000")
}

func TestCountsOverflow(t *testing.T) {
	most := health.Checkpoint{Tables: []health.Table{{Ramp: 100, Counts: health.Counts{1<<32 - 1}}}}
	_, err := most.After(most)
	require.ErrorIs(t, err, health.ErrInvalid)
	require.ErrorContains(t, err, "more than can be counted")
	_, err = most.After(health.Checkpoint{Tables: []health.Table{{Ramp: 100, Counts: health.Counts{1, 2}}}})
	require.ErrorContains(t, err, "tables of ramp 100 have 2 and 1 counts")
}

func TestTooManyRamps(t *testing.T) {
	c := health.NewCohorts(health.CohortsOptions{})
	for i := range int32(100) {
		c.Record(health.Outcome{Unit: uint64(i), Slot: 50_000, Ramp: (i + 1) * 100})
	}
	s := c.Snapshot()
	require.Len(t, s.Tables, 64)
	require.EqualValues(t, 100, s.Baseline.Failures, "everything else counts on")
	require.Equal(t, 100, s.Units)
}

func TestCountsText(t *testing.T) {
	for _, counts := range []health.Counts{{}, {0}, {7}, {0, 0, 5, 0, 1<<32 - 1, 0, 0, 0}} {
		data, err := json.Marshal(counts)
		require.NoError(t, err)
		var back health.Counts
		require.NoError(t, json.Unmarshal(data, &back))
		require.True(t, slices.Equal(counts, back), "%v: %v", counts, back)
	}
	for name, raw := range map[string][]byte{
		"nothing": {}, "too many": {0xff, 0xff, 0xff, 0x7f}, "cut short": {3, 1}, "run of none": {3, 0, 0}, "run too long": {3, 0, 4},
		"more than uint32": {1, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, "more than there are": {1, 1, 1}, "malformed": {1, 0x80},
	} {
		err := new(health.Counts).UnmarshalText([]byte(base64.StdEncoding.EncodeToString(raw)))
		require.ErrorIs(t, err, health.ErrInvalid, name)
	}
	require.ErrorIs(t, new(health.Counts).UnmarshalText([]byte("*")), health.ErrInvalid)
}

// In strict mode every step begins anew, with those who were not exposed when it
// began.
func TestStrictCoins(t *testing.T) {
	c := health.NewCohorts(health.CohortsOptions{Strict: 3})
	fail := func(unit uint64, slot, ramp int32) { c.Record(health.Outcome{Unit: unit, Slot: slot, Ramp: ramp}) }
	fail(1, 50, 100)
	fail(1, 50, 100)                                                      // known
	fail(2, 500, 100)                                                     // baseline
	c.Record(health.Outcome{Slot: 500, Ramp: 200, Class: health.Success}) // a step without a failure is a step
	fail(1, 50, 1_000)                                                    // exposed before the step began
	fail(2, 500, 1_000)                                                   // once more, in the candidate now
	fail(3, 150, 1_000)                                                   // exposed since the step before
	fail(2, 500, 1_000)                                                   // known
	fail(4, 500, 200)                                                     // late: its step is over
	fail(6, 50, 100)                                                      // the ramp comes back: what is known by now may have brought it
	fail(5, 5_000, 150)                                                   // cuts a bucket in two
	fail(6, 5_000, 300)                                                   // turns up after a later step
	require.Equal(t, health.Coins{Firsts: []health.First{
		{Lo: 0, Ramp: 100, Candidate: 1, Baseline: 1},
		{Lo: 200, Ramp: 1_000, Candidate: 1},
	}, Units: 2}, c.Snapshot().Coins)
	require.Len(t, c.Snapshot().Tables, 3)
	for _, table := range c.Snapshot().Tables[:2] {
		n := uint32(0)
		for _, x := range table.Counts {
			n += x
		}
		require.LessOrEqual(t, n, uint32(3), "a step that is over counts no more")
	}
	require.EqualValues(t, 11, c.Snapshot().Candidate.Failures+c.Snapshot().Baseline.Failures, "but in the totals")
}

func TestExpect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := health.NewCohorts(health.CohortsOptions{})
		expect := func(slot int32) func(health.Class, time.Duration) {
			return c.Expect(health.Outcome{Unit: uint64(slot), Slot: slot, Ramp: 10}, time.Minute)
		}
		in, out, never := expect(5), expect(50), expect(6)
		time.Sleep(59 * time.Second)
		in(health.Success, time.Second)
		in(health.Failure, time.Second) // it has come already
		require.Equal(t, health.Side{Successes: 1}, withoutLatency(c.Snapshot()).Candidate)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		s := withoutLatency(c.Snapshot())
		require.Equal(t, health.Side{Successes: 1, Failures: 1}, s.Candidate)
		require.Equal(t, health.Side{Failures: 1}, s.Baseline)
		never(health.Success, time.Hour) // too late
		out(health.Success, time.Hour)
		time.Sleep(time.Hour)
		require.Equal(t, s, withoutLatency(c.Snapshot()))
	})
}

// Whatever the text, it is refused or comes back.
func FuzzCounts(f *testing.F) {
	f.Add("AwAB")
	f.Add("AAAA")
	text, _ := health.Counts{1, 0, 0, 3}.MarshalText()
	f.Add(string(text))
	f.Fuzz(func(t *testing.T, text string) {
		var c health.Counts
		if c.UnmarshalText([]byte(text)) != nil {
			return
		}
		again, err := c.MarshalText()
		require.NoError(t, err)
		var back health.Counts
		require.NoError(t, back.UnmarshalText(again))
		require.Equal(t, c, back)
	})
}
