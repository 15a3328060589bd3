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
	kinds := []rollout.Kind{rollout.KindRequested, rollout.KindBegun, rollout.KindDone, rollout.KindFailed, rollout.KindWaiting, rollout.KindLooked, rollout.KindFinished, "strange"}
	f.Fuzz(func(t *testing.T, story []byte) {
		var m rollout.Machine
		now, turned, ends := noon, false, 0
		for i := 0; i+1 < len(story); i += 2 {
			what, where := story[i], story[i+1]
			before := m.State()
			r := rollout.Record{Kind: kinds[what%8], Step: int(where%16) - 1, Generation: int(where>>4)%4 - 1 + before.Generation, At: now, Until: now.Add(time.Duration(what) * time.Second)}
			if what&8 == 0 {
				r.Step, r.Generation = before.Step, before.Generation
			}
			if what&16 == 0 {
				r.Request = &rollout.Requested{Plan: p, Floor: strategy.Share(where)}
				r.Look = &rollout.Look{Verdict: health.Verdict{Call: health.Call(where % 3)}, Checkpoint: health.Checkpoint{Sample: health.Sample{Candidate: health.Side{Successes: uint64(i)}}}}
			}
			err := m.Apply(r)
			s := m.State()
			if err != nil {
				require.Equal(t, before, s, "a refused record changed the state")
			}
			require.True(t, s.Share >= 0 && s.Share <= strategy.All && s.Share <= s.Peak)
			require.False(t, before.Phase == rollout.Done && err == nil && r.Generation >= before.Generation, "a record came after the end")
			require.False(t, turned && (s.Phase == rollout.Forward || s.Phase == rollout.Waiting), "it went forward again")
			turned = turned || s.Phase == rollout.Back
			if s.Phase == rollout.Done && before.Phase != rollout.Done {
				ends++
				require.Equal(t, turned, s.Outcome == rollout.RolledBack)
			}
			_, _, _ = m.Next(now), s.String(), m.Next(now.Add(time.Hour))
			now = now.Add(time.Second)
		}
		require.LessOrEqual(t, ends, 1)
	})
}
