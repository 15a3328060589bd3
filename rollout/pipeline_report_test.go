package rollout_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// told is a report with a bit of everything.
func told(t *testing.T) (report rollout.Report) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		takes := func(d time.Duration, then error) rollout.Action {
			return func(_ context.Context, s *rollout.StageRun) error {
				fmt.Fprintf(s, "<b>%s</b> & \x00more\n", s.Stage)
				time.Sleep(d)
				return then
			}
		}
		memory := &rollout.Memory{}
		report = ran(t, memory, "<42>", rollout.Pipeline{Name: "ship", Stages: []rollout.Stage{
			{Name: "build", Do: func(_ context.Context, s *rollout.StageRun) error {
				time.Sleep(2 * time.Minute)
				if tries++; tries < 2 {
					return errors.New("registry: 503")
				}
				return image.Set(s, "shop:42")
			}, Retry: rollout.Retry{Attempts: 2, Wait: 30 * time.Second}},
			{Name: "lint & vet", Do: takes(40*time.Second, nil)},
			{Name: "expand", Needs: []string{"build", "lint & vet"}, Do: takes(time.Minute, nil), Undo: takes(20*time.Second, nil)},
			{Name: "backfill", Needs: []string{"expand"}, Do: takes(0, fmt.Errorf("%w: nothing to fill", rollout.ErrSkip))},
			{Name: "staging", Needs: []string{"expand"}, Do: takes(3*time.Minute, errors.New("5 % < 6 %\nof requests fail"))},
			{Name: "production", Needs: []string{"staging"}, Do: noop},
		}})
		again, err := newEngine(t, memory).Report("<42>")
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(report, again))
	})
	return report
}

// TestReportsAsPictures compares with files that a person has looked at, and that any
// reader of XML reads.
func TestReportsAsPictures(t *testing.T) {
	report := told(t)
	for name, write := range map[string]func(io.Writer) error{"report.svg": report.WriteSVG, "report.html": report.WriteHTML} {
		var b strings.Builder
		require.NoError(t, write(&b))
		path := "testdata/" + name
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), b.String()); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
		require.NotContains(t, b.String(), "<b>")
		text := b.String()
		decoder := xml.NewDecoder(strings.NewReader(text[strings.Index(text, "<svg"):]))
		for {
			token, err := decoder.Token()
			require.NoError(t, err)
			if end, ok := token.(xml.EndElement); ok && end.Name.Local == "svg" {
				break
			}
		}
	}
}

// TestReportsAsJSON have all that there is.
func TestReportsAsJSON(t *testing.T) {
	report := told(t)
	text, err := json.Marshal(report)
	require.NoError(t, err)
	var again rollout.Report
	require.NoError(t, json.Unmarshal(text, &again))
	require.Empty(t, cmp.Diff(report, again))
	require.Contains(t, string(text), `"status":"undone"`)
	var status rollout.StageStatus
	require.ErrorIs(t, status.UnmarshalText([]byte("wrong")), rollout.ErrInvalid)
	require.Equal(t, "StageStatus(77)", rollout.StageStatus(77).String())
}

func TestReportsAsText(t *testing.T) {
	want := `<42>: rolled back after 8m50s: staging failed: 5 % < 6 %; of requests fail
  build          4m30s  done, attempt 2
  lint & vet       40s  done
  expand          1m0s  undone
  backfill              skipped: nothing to fill
  staging         3m0s  failed: 5 % < 6 %; of requests fail
  production            pending`
	report := told(t)
	require.Empty(t, cmp.Diff(want, report.String()))
	require.EqualError(t, report.Err(), "rollout: run <42>: rolled back: staging failed: 5 % < 6 %\nof requests fail")
}

// TestReportsOfRunsUnderWay are the same as long as there is no new record.
func TestReportsOfRunsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newEngine(t, &rollout.Memory{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = engine.Run(t.Context(), rollout.RunRequest{ID: "1"}, line(rollout.Stage{Name: "a", Do: func(context.Context, *rollout.StageRun) error { time.Sleep(time.Hour); return nil }}))
		}()
		var before string
		for range 3 {
			time.Sleep(time.Minute)
			report, err := engine.Report("1")
			require.NoError(t, err)
			require.Equal(t, rollout.StageRunning, report.Stages[0].Status)
			var b strings.Builder
			require.NoError(t, report.WriteHTML(&b))
			require.True(t, before == "" || before == b.String())
			before = b.String()
			require.EqualError(t, report.Err(), "rollout: run 1: forward")
		}
		<-done
	})
}

// TestTimelinesHaveRoundTimes, of any length.
func TestTimelinesHaveRoundTimes(t *testing.T) {
	begun := time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC)
	for took, want := range map[time.Duration]string{
		0:                    "0s 1ms",
		7 * time.Millisecond: "0s 1ms 2ms 3ms 4ms 5ms 6ms 7ms",
		9 * time.Second:      "0s 2s 4s 6s 8s",
		3 * time.Hour:        "0s 30m0s 1h0m0s 1h30m0s 2h0m0s 2h30m0s 3h0m0s",
		30 * 24 * time.Hour:  "0s 96h0m0s 192h0m0s 288h0m0s 384h0m0s 480h0m0s 576h0m0s 672h0m0s",
		math.MaxInt64:        "0s 320256h0m0s 640512h0m0s 960768h0m0s 1281024h0m0s 1601280h0m0s 1921536h0m0s 2241792h0m0s",
	} {
		var b strings.Builder
		require.NoError(t, rollout.Report{Started: begun, At: begun.Add(took)}.WriteSVG(&b))
		var got []string
		for _, match := range regexp.MustCompile(`"middle">([^<]*)<`).FindAllStringSubmatch(b.String(), -1) {
			got = append(got, match[1])
		}
		require.Equal(t, want, strings.Join(got, " "))
	}
}

// TestReportsShowWhatTheySay: no text of a stage moves the cursor, hides what follows or
// turns it round.
func TestReportsShowWhatTheySay(t *testing.T) {
	const evil = "a\r\x1b[2J\u202eb\u0085\u2028\u2066c"
	report := ran(t, &rollout.Memory{}, evil, line(rollout.Stage{Name: evil + "\n  b  1s  done", Do: func(_ context.Context, s *rollout.StageRun) error {
		fmt.Fprint(s, evil)
		return errors.New(evil)
	}}))
	var svg, page strings.Builder
	require.NoError(t, report.WriteSVG(&svg))
	require.NoError(t, report.WriteHTML(&page))
	for _, text := range []string{report.String(), svg.String(), page.String()} {
		require.NotContains(t, text, "a\r")
		for _, bad := range "\r\x1b\u202e\u0085\u2028\u2066" {
			require.NotContains(t, text, string(bad))
		}
	}
	require.Len(t, strings.Split(report.String(), "\n"), 2)
}

// TestReportsAreValues: who changes one changes nothing else.
func TestReportsAreValues(t *testing.T) {
	engine := newEngine(t, &rollout.Memory{})
	_, err := engine.Run(t.Context(), rollout.RunRequest{ID: "1"}, line(
		rollout.Stage{Name: "a", Do: func(_ context.Context, s *rollout.StageRun) error { return image.Set(s, "good") }},
		rollout.Stage{Name: "b", Do: func(_ context.Context, s *rollout.StageRun) error {
			report, err := engine.Report("1")
			require.NoError(t, err)
			copy(report.Stages[0].Outputs["image"], `"evil"`)
			report.Stages[0].Outputs["image"] = []byte(`"evil"`)
			got, err := image.Get(s, "a")
			require.Equal(t, "good", got)
			return err
		}},
	))
	require.NoError(t, err)
}

// TestInnocentStages are told apart from the one that has failed.
func TestInnocentStages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := ran(t, &rollout.Memory{}, "1", rollout.Pipeline{Stages: []rollout.Stage{
			{Name: "culprit", Do: refuses},
			{Name: "innocent", Do: func(ctx context.Context, _ *rollout.StageRun) error { return sleep(ctx, time.Hour) }},
		}})
		require.Equal(t, "1: failed after 0s: culprit failed: no\n  culprit         0s  failed: no\n  innocent        0s  cut short: the run goes back", report.String())
		var b strings.Builder
		require.NoError(t, report.WriteSVG(&b))
		require.Equal(t, 1, strings.Count(b.String(), "#c0392b"), "one is red")
		require.Contains(t, b.String(), ">cut short<")
	})
}
