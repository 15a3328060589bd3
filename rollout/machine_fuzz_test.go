package rollout_test

import (
	"testing"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// FuzzMachine plays any records in any order: the machine never panics, never
// allows more than the plan does, never moves forward once it has turned round,
// and is over at most once.
func FuzzMachine(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 2, 0, 1, 1, 2, 1, 4, 2, 5, 2, 2, 2})
	f.Add([]byte{0, 0, 1, 0, 3, 0, 6, 0})
	p := plan(f)
	kinds := []rollout.Kind{rollout.KindRequested, rollout.KindBegun, rollout.KindDone, rollout.KindFailed, rollout.KindWaiting, rollout.KindLooked, rollout.KindFinished, "strange",
		rollout.KindActed, rollout.KindPaused, rollout.KindFrozen, rollout.KindHeld, rollout.KindReplaced, rollout.KindActed, rollout.KindActed, rollout.KindActed}
	acts := []rollout.ActKind{rollout.Pause, rollout.Continue, rollout.Approve, rollout.Abort, rollout.Promote, rollout.RollBack, rollout.FailedLater, "strange"}
	f.Fuzz(func(t *testing.T, story []byte) {
		var m rollout.Machine
		now, turned, replaced, ends, floor := noon, false, false, 0, strategy.Share(0)
		for i := 0; i+1 < len(story); i += 2 {
			what, where := story[i], story[i+1]
			before := m.State()
			r := rollout.Record{Kind: kinds[what%16], Step: int(where%16) - 1, Generation: int(where>>4)%4 - 1 + before.Generation, At: now, Until: now.Add(time.Duration(what) * time.Second)}
			if what&32 == 0 {
				r.Step, r.Generation = before.Step, before.Generation
			}
			if what&64 == 0 {
				r.Request = &rollout.Requested{Plan: p, Floor: strategy.Share(where)}
				r.Act = &rollout.Act{Kind: acts[where%8], Actor: "ann"}
				r.Look = &rollout.Look{Watch: "errors", Verdict: health.Verdict{Call: health.Call(where % 3)}, Checkpoint: health.Checkpoint{Sample: health.Sample{Candidate: health.Side{Successes: uint64(i)}}}}
			}
			err := m.Apply(r)
			if err == nil && before.Phase == rollout.Pending && r.Request != nil {
				floor = r.Request.Floor
			}
			if err == nil && r.Kind == rollout.KindReplaced && r.Generation == before.Generation && before.Phase != rollout.Back {
				replaced = true
			}
			s := m.State()
			if err != nil {
				require.Equal(t, before, s, "a refused record changed the state")
			}
			require.True(t, s.Share >= 0 && s.Share <= strategy.All && s.Share <= s.Peak)
			if before.Phase == rollout.Done && err == nil && r.Generation >= before.Generation {
				require.True(t, s.FailedLater && !before.FailedLater, "a record came after the end")
			}
			if back := s.Phase == rollout.Back; before.Phase == rollout.Back && (s.Phase == rollout.Forward || s.Phase == rollout.Waiting) {
				require.True(t, s.Forced, "it went forward again by itself")
				turned = false
			} else {
				turned = turned || back
			}
			if s.Phase == rollout.Done && before.Phase != rollout.Done {
				ends++
				require.Equal(t, turned, s.Outcome != rollout.Succeeded)
				require.Equal(t, s.Outcome == rollout.Cancelled, turned && s.Peak <= floor && !replaced)
			}
			_, _, _ = m.Next(now), s.String(), m.Next(now.Add(time.Hour))
			now = now.Add(time.Second)
		}
		require.LessOrEqual(t, ends, 1)
	})
}
