package prometheus_test

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout/prometheus"
)

// counts is a sample's: successes and failures of the candidate, and of the baseline.
func counts(s health.Sample) string {
	return fmt.Sprintf("%d %d, %d %d", s.Candidate.Successes, s.Candidate.Failures, s.Baseline.Successes, s.Baseline.Failures)
}

// step is a scrape, and a reading if anything is wanted of it.
type step struct {
	what  string
	after time.Duration // since the one before; zero is 15 s
	has   []any         // what is scraped: labels and value, alternating; the baseline stays as it was
	want  string        // the counts, or what the error says
}

func TestReaderCounts(t *testing.T) {
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"all that a counter can do", []step{
			{"notes", time.Minute, []any{ok42, 1000, bad42, 7}, "0 0, 0 0"},
			{"the same again is nothing", 0, []any{ok42, 1000, bad42, 7}, "0 0, 0 0"},
			{"", 0, []any{ok42, 1010, bad42, 7}, ""},
			{"what is new counts once", 0, []any{ok42, 1040, bad42, 9}, "40 2, 0 0"},
			{"a counter that begins counts from 0", 0, []any{ok42, 1040, bad42, 9, other, 5}, "45 2, 0 0"},
			{"one that is gone stays counted", 0, []any{ok42, 1050}, "55 2, 0 0"},
			{"and goes on where it was", 45 * time.Minute, []any{ok42, 1050, other, 6, bad42, 10}, "56 3, 0 0"},
			{"", 0, []any{ok42, 20}, ""},
			{"a restart begins at 0", 0, []any{ok42, 30}, "86 3, 0 0"},
			{"no code beside one is a failure", 0, []any{ok42, 30, ok41, 55, noCode, 2}, "86 3, 5 2"},
			{"as much as floats count", 0, []any{ok42, int64(1<<53 - 1), ok41, 55}, "9007199254741047 3, 5 2"},
		}},
		{"the server must have known the baseline for a while", []step{
			{"new", 45 * time.Second, []any{ok42, 1000}, "no samples for a whole 1m0s"},
			{"nothing counts yet", 0, []any{ok42, 2000, other, 70_000}, "0 0, 0 0"},
			{"", 0, []any{ok42, 2001, other, 70_000}, "1 0, 0 0"},
		}},
		{"nor has it after a gap", []step{
			{"", 0, []any{ok42, 1000}, ""},
			{"back", 61 * time.Second, []any{ok42, 1000}, "no samples for a whole 1m0s"},
			{"still new", 45 * time.Second, []any{ok42, 1000}, "no samples for a whole 1m0s"},
			{"nothing counts yet", 0, []any{ok42, 2000, other, 70_000}, "0 0, 0 0"},
		}},
		{"what was known in the hour before is not new", []step{
			{"", 0, []any{ok42, 1, other, 70_000}, ""},
			{"", 45 * time.Minute, []any{ok42, 1}, ""},
			{"notes", time.Minute, []any{ok42, 1}, "0 0, 0 0"},
			{"comes back", 0, []any{ok42, 1, other, 70_001}, "1 0, 0 0"},
		}},
		{"what came and went between two readings", []step{
			{"notes", time.Minute, []any{ok42, 1, other, 50}, "0 0, 0 0"},
			{"", 10 * time.Minute, []any{ok42, 1, bad42, 4000, other, 70}, ""},
			{"", 0, []any{ok42, 1, other, 5}, ""}, // a restart, and gone
			{"", 10 * time.Minute, []any{other, 7}, ""},
			{"reads", 10 * time.Minute, []any{ok42, 2}, "28 4000, 0 0"},
		}},
		{"an hour without a reading is a beginning", []step{
			{"notes", time.Minute, []any{ok42, 1}, "0 0, 0 0"},
			{"counts", 0, []any{ok42, 5}, "4 0, 0 0"},
			{"nobody knows", time.Hour + time.Second, []any{ok42, 2000}, "not read for 1h0m1s"},
			{"the server, too", 0, []any{ok42, 2000}, "no samples for a whole 1m0s"},
			{"notes", time.Minute, []any{ok42, 2000}, "0 0, 0 0"},
			{"counts", 0, []any{ok42, 2001}, "1 0, 0 0"},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := new(database)
				r := reader(t, d.answer)
				old := 50
				d.scrape(time.Now(), ok41, old)
				for _, step := range tt.steps {
					time.Sleep(cmp.Or(step.after, 15*time.Second))
					if d.scrape(time.Now(), step.has...); !slices.Contains(step.has, any(ok41)) {
						d.scrape(time.Now(), ok41, old)
					}
					if step.want == "" {
						continue
					}
					s, err := r.Read(t.Context())
					if got := counts(s); err == nil && got != step.want || err != nil && !strings.Contains(err.Error(), step.want) {
						t.Errorf("%s: got %s and %v, want %s", step.what, got, err, step.want)
					}
				}
			})
		})
	}
}

// A replica of the server may be behind the one that answered before: that is no restart.
func TestReaderAsksReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := new(database)
		r := reader(t, d.answer)
		for i, want := range []string{"", "", "", "", "0 0, 0 0", "5 0, 0 0", "5 0, 0 0", "15 0, 0 0"} {
			d.scrape(time.Now(), ok42, 5*i, ok41, 50)
			if d.behind = 0; i == 6 {
				d.behind = 20 * time.Second
			}
			if want != "" {
				if got := counts(must(r.Read(t.Context()))); got != want {
					t.Errorf("%d: got %s, want %s", i, got, want)
				}
			}
			time.Sleep(15 * time.Second)
		}
	})
}

// A counter that the last hour does not have, although the last two minutes do, would be
// taken for a new one.
func TestReaderNeedsTheNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := new(database)
		d.scrape(time.Now(), ok41, 50, ok42, 50)
		time.Sleep(time.Minute)
		r := reader(t, func(r *http.Request) (int, string, error) {
			status, body, err := d.answer(r)
			if strings.Contains(body, "vector") {
				body = strings.ReplaceAll(body, `"version":"42",`, "")
			}
			return status, body, err
		})
		if _, err := r.Read(t.Context()); !errors.Is(err, prometheus.ErrMissing) || !strings.Contains(err.Error(), "last_over_time does not have the counter") {
			t.Errorf("got %v", err)
		}
	})
}

func TestReaderForgetsNoCounterAndIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := new(database)
		r := reader(t, d.answer)
		d.scrape(time.Now(), ok41, 10)
		for i := range 22 {
			for range 2 {
				time.Sleep(time.Minute)
				d.scrape(time.Now(), ok41, 10)
			}
			for j := range 49 {
				d.scrape(time.Now(), fmt.Sprintf(`"version":"42","code":"200","instance":"%d-%d"`, i, j), 1)
			}
			s, err := r.Read(t.Context())
			if full := errors.Is(err, prometheus.ErrMissing) && strings.Contains(err.Error(), "come and gone"); full != (i == 21) || !full && counts(s) != fmt.Sprintf("%d 0, 0 0", 49*i) {
				t.Errorf("reading %d: got %s and %v", i, counts(s), err)
			}
		}
		time.Sleep(time.Hour)
		d.scrape(time.Now(), ok41, 10, ok42, 10)
		time.Sleep(time.Minute)
		d.scrape(time.Now(), ok41, 10, ok42, 10)
		if s, err := r.Read(t.Context()); err != nil || counts(s) != "0 0, 0 0" {
			t.Errorf("beginning anew: got %v and %v", s, err)
		}
	})
}
