package flag_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/stretchr/testify/require"
)

// TestBucketingVectors holds the compatibility promise: the vectors were made by
// an implementation in another language, from the specification alone.
func TestBucketingVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/bucketing.json")
	require.NoError(t, err)
	var vectors []struct {
		Salt    string
		Purpose bucket.Purpose
		Unit    string
		Slot    int32
	}
	require.NoError(t, json.Unmarshal(data, &vectors))
	require.GreaterOrEqual(t, len(vectors), 500)
	on, rule := flag.Bool("vector", false), flag.Bool("vector-rule", false)
	everybody := flag.Condition{All: []flag.Condition{}}
	for _, v := range vectors {
		if got := bucket.Slot(bucket.Unit(v.Unit), bucket.Lane(v.Salt, v.Purpose)); got != v.Slot {
			t.Errorf("salt %q, purpose %s, unit %.40q: got slot %d, want %d", v.Salt, v.Purpose, v.Unit, got, v.Slot)
		}
		if v.Purpose != bucket.Ramp || v.Unit == "" || v.Salt == "" {
			continue
		}
		// The same through a document: in at one slot more, out at the slot itself.
		for _, extra := range []flag.Share{0, 1} {
			ramp := &flag.Ramp{Share: flag.Share(v.Slot) + extra}
			store := documentOf(t, map[string]flag.FeatureFlag{
				"vector":      {Ramp: ramp, Salt: v.Salt},
				"vector-rule": {Rules: []flag.Rule{{If: everybody, Ramp: ramp}}, Salt: v.Salt},
			})
			subject := flag.For(v.Unit)
			d := on.Decide(store, &subject)
			require.Equal(t, flag.ReasonRamp, d.Reason)
			require.Equal(t, v.Slot, d.Slot)
			require.Equal(t, extra == 1, d.Value)
			require.Equal(t, extra == 1, rule.Value(store, &subject))
		}
	}
}

func TestIntegersAreTheirDecimalText(t *testing.T) {
	on := flag.Bool("vector", false)
	store := documentOf(t, map[string]flag.FeatureFlag{"vector": {Ramp: &flag.Ramp{Share: flag.All}}})
	for _, n := range []int64{0, 42, -1, 1<<63 - 1, -1 << 63} {
		number, text := flag.ForInt(n), flag.For(fmt.Sprint(n))
		require.Equal(t, on.Decide(store, &text), on.Decide(store, &number))
	}
}

// TestRampsAreMonotone: raising a ramp never takes the flag from anybody, and its
// size is what it says.
func TestRampsAreMonotone(t *testing.T) {
	const units = 20_000
	on := flag.Bool("monotone", false)
	for _, salt := range []string{"a", "b", "new-checkout"} {
		in := make([]bool, units)
		for _, share := range []flag.Share{0, 0.1 * flag.Percent, flag.Percent, 10 * flag.Percent, 50 * flag.Percent, flag.All} {
			store := documentOf(t, map[string]flag.FeatureFlag{"monotone": {Salt: salt, Ramp: &flag.Ramp{Share: share}}})
			count := 0
			for u := range units {
				subject := flag.ForInt(int64(u))
				now := on.Value(store, &subject)
				if in[u] && !now {
					t.Fatalf("salt %q: unit %d lost the flag at %v", salt, u, share)
				}
				if in[u] = now; now {
					count++
				}
			}
			want := float64(units) * float64(share) / float64(flag.All)
			require.InDelta(t, want, count, 5*sqrt(want)+1, "salt %q at %v", salt, share)
		}
	}
}

// TestFlagsAreIndependent: who is in one flag says nothing about another.
func TestFlagsAreIndependent(t *testing.T) {
	const units = 50_000
	names := []string{"new-checkout", "new-search", "newsearch", "a", "b", "checkout-v2", "checkout-v3"}
	slots := func(name string) []int32 {
		out, lane := make([]int32, units), bucket.Lane(name, bucket.Ramp)
		for u := range out {
			out[u] = bucket.Slot(bucket.Unit(fmt.Sprint("user-", u)), lane)
		}
		return out
	}
	for i, a := range names {
		for _, b := range names[i+1:] {
			one, two, both := slots(a), slots(b), 0.0
			for u := range one {
				if one[u] < 10_000 && two[u] < 10_000 {
					both++
				}
			}
			want := units * 0.1 * 0.1
			require.InDelta(t, want, both, 4.5*sqrt(want), "%s and %s", a, b)
		}
	}
}
