package rollout_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// checkNotices: what engines told is what the journal tells, in order for each rollout,
// but for what a process that died could not tell; and each rollout, and each
// run of a pipeline, begins and ends once.
func checkNotices(s *stage) {
	var all []rollout.Notice
	began, over := map[string]int{}, map[string]int{}
	for n, err := range rollout.Notices(s.memory.Records()) {
		require.NoError(s, err)
		all = append(all, n)
		switch n.Kind {
		case rollout.NoticeBegan:
			began[n.Rollout]++
		case rollout.NoticeRollingBack:
			if n.TakesBack != "" {
				began[n.Rollout]++
			}
		case rollout.NoticeOver:
			over[n.Rollout]++
			require.NotEqual(s, rollout.Unfinished, n.Outcome)
		}
	}
	for status, err := range s.engine.History() {
		require.NoError(s, err)
		require.Equal(s, []int{1, 1}, []int{began[status.ID], over[status.ID]}, "notices of %s", status.ID)
	}
	for _, r := range records(s, s.memory) {
		if r.Run == nil {
			continue
		}
		report, err := s.engine.Report(r.Rollout)
		require.NoError(s, err)
		ended := 0
		if report.Outcome != rollout.Unfinished {
			ended = 1
		}
		require.Equal(s, []int{1, ended}, []int{began[r.Rollout], over[r.Rollout]}, "notices of the run %s", r.Rollout)
	}
	told := slices.Clone(s.notices)
	slices.SortStableFunc(told, func(a, b rollout.Notice) int { return cmp.Compare(a.Seq, b.Seq) })
	if !s.crashed {
		require.Equal(s, all, told)
		return
	}
	for _, n := range told {
		require.Contains(s, all, n)
	}
}

// TestNotices: a journal that begins with a checkpoint tells of what is not over, and
// knows what people may still say something of.
func TestNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := &rollout.Memory{CheckpointEvery: 1}
		engine := newEngine(t, memory)
		for _, id := range []string{"1", "2"} {
			_, err := engine.Deploy(t.Context(), rollout.Request{ID: id, Release: rel(id), Plan: toFifty, Target: harmless()})
			require.NoError(t, err)
		}
		plan := strategy.Plan{Steps: []strategy.Step{strategy.Hold{For: time.Hour}}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := engine.Deploy(ctx, rollout.Request{ID: "3", Release: rel("3"), Plan: plan, Target: harmless()})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		for _, id := range []string{"2", "1"} {
			require.NoError(t, engine.Act(t.Context(), id, rollout.Act{Kind: rollout.FailedLater, Actor: "ann", Reason: "invoices are wrong"}))
		}
		all := records(t, memory)
		checkpoint := len(all) // the one before the acts
		for acts := 0; acts < 2 || all[checkpoint].Checkpoint == nil; {
			if checkpoint--; all[checkpoint].Act != nil {
				acts++
			}
		}
		for begin, want := range map[int][]string{
			0:            {"1 began", "1 over", "2 began", "2 over", "3 began", "2 failed_later"},
			checkpoint:   {"3 began", "2 failed_later"},
			len(all) - 1: {"3 began"},
		} {
			var told []string
			for n, err := range rollout.Notices(sequence(all[begin:], nil)) {
				require.NoError(t, err)
				told = append(told, n.Rollout+" "+string(n.Kind))
			}
			require.Equal(t, want, told)
		}
	})
}

// TestNoticesOfRunsOverCheckpoints: wherever a journal begins, a run of a pipeline that is
// over is told no more, and one that is not is told from its beginning.
func TestNoticesOfRunsOverCheckpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := &rollout.Memory{CheckpointEvery: 1}
		engine := newEngine(t, memory)
		for id, do := range map[string]rollout.Action{
			"1": func(context.Context, *rollout.StageRun) error { return nil },
			"2": func(context.Context, *rollout.StageRun) error { return errors.New("no") },
			"3": func(ctx context.Context, _ *rollout.StageRun) error { <-ctx.Done(); return ctx.Err() },
		} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := engine.Run(ctx, rollout.RunRequest{ID: id}, rollout.Pipeline{Name: "pipeline " + id, Stages: []rollout.Stage{{Name: "a", Do: do}}})
			require.Equal(t, id == "3", err != nil)
			cancel()
		}
		all := records(t, memory)
		for begin, r := range all {
			if begin > 0 && r.Checkpoint == nil {
				continue
			}
			last := map[string]rollout.NoticeKind{}
			for n, err := range rollout.Notices(sequence(all[begin:], nil)) {
				require.NoError(t, err)
				if last[n.Rollout] == "" {
					require.Equal(t, rollout.NoticeBegan, n.Kind)
				}
				last[n.Rollout] = n.Kind
			}
			require.Equal(t, rollout.NoticeBegan, last["3"])
			delete(last, "3")
			for id, kind := range last {
				require.Equal(t, rollout.NoticeOver, kind, id)
			}
		}
	})
}

// TestNoticesEndInErrors: what cannot be read, and what cannot follow.
func TestNoticesEndInErrors(t *testing.T) {
	broken := errors.New("broken")
	for _, err := range rollout.Notices(sequence(nil, broken)) {
		require.ErrorIs(t, err, broken)
	}
	for _, err := range rollout.Notices(sequence([]rollout.Record{{Kind: rollout.KindBegun, Rollout: "r", Seq: 7}}, nil)) {
		require.ErrorIs(t, err, rollout.ErrCorrupt)
		require.ErrorContains(t, err, "record 7")
	}
}

// TestLogNotices: one line each, and how loud it is.
func TestLogNotices(t *testing.T) {
	tests := map[rollout.NoticeKind]slog.Level{
		rollout.NoticeBegan: slog.LevelInfo, rollout.NoticeFrozen: slog.LevelInfo, rollout.NoticeActed: slog.LevelInfo,
		rollout.NoticeRollingBack: slog.LevelWarn, rollout.NoticeReported: slog.LevelWarn, rollout.NoticeFailedLater: slog.LevelWarn,
		rollout.NoticeOver: slog.LevelWarn, rollout.NoticeHeld: slog.LevelError, rollout.NoticeFailing: slog.LevelError,
	}
	for kind, want := range tests {
		var b bytes.Buffer
		rollout.LogNotices(slog.New(slog.NewJSONHandler(&b, nil)))(rollout.Notice{Kind: kind, Rollout: "r", Outcome: rollout.RolledBack})
		var line struct {
			Level   slog.Level
			Msg     string
			Kind    rollout.NoticeKind
			Rollout string
			Service *string
		}
		require.NoError(t, json.Unmarshal(b.Bytes(), &line))
		require.Equal(t, want, line.Level, kind)
		require.Equal(t, kind, line.Kind)
		require.Equal(t, "r", line.Rollout)
		require.Greater(t, len(line.Msg), len("rollout: "))
		require.Nil(t, line.Service, "what is empty is left out")
		require.Equal(t, 1, strings.Count(b.String(), "\n"))
	}
	var b bytes.Buffer
	tell := rollout.LogNotices(slog.New(slog.NewTextHandler(&b, nil)))
	tell(rollout.Notice{Kind: rollout.NoticeOver, Outcome: rollout.Succeeded})
	tell(rollout.Notice{Kind: rollout.NoticePaused, Person: true})
	require.Contains(t, b.String(), "level=INFO")
	require.Contains(t, b.String(), "level=WARN")
}

// TestNoticesThatNeedAPerson: of a run as of a rollout they say so, and are no mere
// information; and what is left as it is does not go back.
func TestNoticesThatNeedAPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drop := rollout.Stage{Name: "drop", NoReturn: "it is dropped", Do: refuses}
		stuck := rollout.Stage{Name: "stuck", Do: func(context.Context, *rollout.StageRun) error { return nil }, Undo: func(context.Context, *rollout.StageRun) error { return rollout.ErrNoWayBack }}
		for name, test := range map[string]struct {
			pipeline rollout.Pipeline
			kinds    []rollout.NoticeKind
			line     string // of the one that needs a person
		}{
			"frozen": {line(drop), []rollout.NoticeKind{rollout.NoticeBegan, rollout.NoticeFrozen, rollout.NoticeActed, rollout.NoticeOver},
				`level=WARN msg="rollout: is frozen, and waits for a person"`},
			"stuck": {line(stuck, rollout.Stage{Name: "check", Do: refuses}), []rollout.NoticeKind{rollout.NoticeBegan, rollout.NoticeRollingBack, rollout.NoticeFailing, rollout.NoticeActed, rollout.NoticeOver},
				`level=ERROR msg="rollout: could not be taken back, and waits for a person"`},
		} {
			var kinds []rollout.NoticeKind
			var log bytes.Buffer
			tell := rollout.LogNotices(slog.New(slog.NewTextHandler(&log, nil)))
			engine, err := rollout.New(&rollout.Memory{}, rollout.Options{OnNotice: func(n rollout.Notice) {
				if kinds = append(kinds, n.Kind); n.Person {
					tell(n)
				}
			}})
			require.NoError(t, err)
			go func() {
				time.Sleep(time.Hour)
				_ = engine.Act(t.Context(), "1", rollout.Act{Kind: rollout.Abort, Actor: "ann"})
			}()
			_, err = engine.Run(t.Context(), rollout.RunRequest{ID: "1"}, test.pipeline)
			require.NoError(t, err)
			synctest.Wait()
			require.Equal(t, test.kinds, kinds, name)
			require.Contains(t, log.String(), test.line, name)
			require.Equal(t, 2, strings.Count(log.String(), "\n"), "%s: this, and that it was left", name)
		}
	})
	for n, want := range map[*rollout.Notice]string{
		{Kind: rollout.NoticeFailing, Until: time.Unix(0, 0).UTC()}:  "r could not be taken back, and is tried again, at 1970-01-01 00:00:00",
		{Kind: rollout.NoticeHeld, Until: time.Unix(0, 0).UTC()}:     "r waits to go back, asked again at 1970-01-01 00:00:00",
		{Kind: rollout.NoticeApproval, Until: time.Unix(0, 0).UTC()}: "r needs approval, by 1970-01-01 00:00:00",
		{Kind: rollout.NoticeFrozen, Until: time.Unix(0, 0).UTC()}:   "r is frozen, until 1970-01-01 00:00:00",
	} {
		n.Rollout = "r"
		require.Equal(t, want, n.String())
	}
}

// TestNoticesAreShort: a reason is one line of some length, whatever a gate says.
func TestNoticesAreShort(t *testing.T) {
	var notices []rollout.Notice
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{OnNotice: func(n rollout.Notice) { notices = append(notices, n) }})
	require.NoError(t, err)
	target := harmless()
	target.stuckAt = 50_000
	request := rollout.Request{ID: "r", Plan: toFifty, Target: target, Reason: strings.Repeat("ü\n", 1<<20)}
	_, err = engine.Deploy(t.Context(), request)
	require.NoError(t, err)
	require.NotEmpty(t, notices)
	for _, n := range notices {
		require.Less(t, len(n.Reason), 2000)
		require.NotContains(t, n.String(), "\n")
		require.True(t, strings.ToValidUTF8(n.Reason, "?") == n.Reason)
	}
}

// TestOnNoticePanics: that harms no rollout, and keeps no record from being told.
func TestOnNoticePanics(t *testing.T) {
	told := 0
	memory := &rollout.Memory{}
	engine, err := rollout.New(memory, rollout.Options{
		OnRecord: func(rollout.Record) { told++ }, OnNotice: func(rollout.Notice) { panic("boo") },
	})
	require.NoError(t, err)
	outcome, err := engine.Deploy(t.Context(), rollout.Request{ID: "r", Plan: toFifty, Target: harmless()})
	require.NoError(t, err)
	require.Equal(t, rollout.Succeeded, outcome)
	require.Len(t, records(t, memory), told)
}
