package flag_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestReviewOfWhatIsLaid: what was changed at run time long ago is found, each by itself
// and since it was done, and also where its flag is gone; so is a flag that the newest
// document has been wrong about for long.
func TestReviewOfWhatIsLaid(t *testing.T) {
	by := func(actor string) flag.Change { return flag.Change{Actor: actor, Reason: "of " + actor} }
	synctest.Test(t, func(t *testing.T) {
		src := &source{data: `{"flags": {"review-laid": {}, "review-gone": {}}}`}
		store := flag.New(src, flag.Options{Strict: true, NoCounts: true, OnChange: func(flag.ChangeInfo) {}})
		require.NoError(t, store.Load(t.Context()))
		require.NoError(t, store.Kill("review-laid", by("kim")))
		require.NoError(t, store.Kill("review-gone", by("kim")))
		src.put(`{"flags": {"review-laid": {}}}`, nil)
		require.NoError(t, store.Load(t.Context()))
		time.Sleep(10 * hours24)
		require.NoError(t, store.SetRamp("review-laid", flag.Ramp{Share: 1}, by("ron")))
		time.Sleep(10 * hours24)
		kill, ramp := "overlaid, 2000-01-01 00:00:00: kill by kim: of kim", "overlaid, 2000-01-11 00:00:00: ramp by ron: of ron"
		for days, want := range map[time.Duration][]string{25: nil, 15: {kill}, 10: {kill, ramp}} {
			review := store.Review(flag.ReviewOptions{Constant: days * hours24})
			got := slices.DeleteFunc(found(review, "review-laid"), func(line string) bool { return !strings.HasPrefix(line, "overlaid") })
			require.ElementsMatch(t, want, got, "%d days", days)
			if want == nil {
				require.Empty(t, found(review, "review-gone"))
			} else {
				require.Equal(t, []string{kill}, found(review, "review-gone"))
			}
		}
		require.Len(t, reviewed(store.Review(flag.ReviewOptions{}), "review-laid").Laid, 2)
		require.NoError(t, store.Clear("review-gone", me))
		require.Empty(t, reviewed(store.Review(flag.ReviewOptions{}), "review-gone"))
	})
}

func TestReviewOfQuarantine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &source{data: `{"flags": {"review-kept": {}}}`}
		start := func() *flag.Store {
			store := flag.New(src, flag.Options{NoCounts: true})
			_ = store.Load(t.Context())
			return store
		}
		store := start()
		require.Zero(t, reviewed(store.Review(flag.ReviewOptions{}), "review-kept").Quarantined)
		src.put(`{"flags": {"review-kept": {"serve": "nonsense"}}}`, nil)
		require.Error(t, store.Load(t.Context()))
		last := store.Review(flag.ReviewOptions{})
		for range 2 {
			text, err := json.Marshal(last)
			require.NoError(t, err)
			var known flag.Review
			require.NoError(t, json.Unmarshal(text, &known))
			time.Sleep(20 * hours24)
			last = start().Review(flag.ReviewOptions{Last: known})
		}
		require.Contains(t, found(last, "review-kept"), "quarantined, 2000-01-01 00:00:00: the newest document is wrong about it")
		src.put(`{"flags": {"review-kept": {}}}`, nil)
		require.Zero(t, reviewed(start().Review(flag.ReviewOptions{Last: last}), "review-kept").Quarantined)
	})
}

// TestReviewWithoutASource: a store that lives of what is put has nothing to clear of it.
func TestReviewWithoutASource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := flag.New(nil, flag.Options{NoCounts: true, OnChange: func(flag.ChangeInfo) {}})
		require.NoError(t, store.Create("review-made", flag.FeatureFlag{Ramp: &flag.Ramp{Share: 5}}, me))
		time.Sleep(100 * hours24)
		require.Equal(t, []string{"not declared, -:"}, found(store.Review(flag.ReviewOptions{}), "review-made"))
		require.NoError(t, store.Kill("review-made", me))
		time.Sleep(100 * hours24)
		require.Contains(t, found(store.Review(flag.ReviewOptions{}), "review-made"), "overlaid, 2000-04-10 00:00:00: kill by me: test")
	})
}
