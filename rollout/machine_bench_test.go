package rollout_test

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// wholeRollout is every record of one rollout, as a journal has them: a good one with
// people in it, or one that its judge takes back at the second share.
func wholeRollout(t testing.TB, good bool) []rollout.Record {
	t.Helper()
	var m rollout.Machine
	memory, now, exposed := &rollout.Memory{}, noon, uint64(0)
	add := func(r rollout.Record) {
		s := m.State()
		r.Rollout, r.At, r.Step, r.Generation, r.From = "checkout-v2", now, s.Step, s.Generation, s.String()
		if r.Actor == "" {
			r.Actor = "engine"
		}
		require.NoError(t, m.Apply(r))
		r.To = m.State().String()
		_, err := memory.Append(t.Context(), r)
		require.NoError(t, err)
	}
	person := func(kind rollout.ActKind) {
		add(rollout.Record{Kind: rollout.KindActed, Actor: "ann", Reason: "lunch", Act: &rollout.Act{Kind: kind, Actor: "ann", Reason: "lunch"}})
	}
	add(rollout.Record{Kind: rollout.KindRequested, Request: &rollout.Requested{Service: "shop", Environment: "production", Plan: plan(t)}})
	for m.State().Phase != rollout.Done {
		switch next := m.Next(now); next.Do {
		case rollout.DoBegin:
			add(rollout.Record{Kind: rollout.KindBegun, Attempt: 1, Reason: next.Step.String(), Until: now.Add(time.Minute)})
			add(rollout.Record{Kind: rollout.KindDone, Attempt: 1, Reason: next.Step.String()})
		case rollout.DoHold:
			add(rollout.Record{Kind: rollout.KindWaiting, Reason: next.Step.String(), Until: now.Add(time.Minute)})
			if good {
				person(rollout.Pause)
				person(rollout.Continue)
				add(rollout.Record{Kind: rollout.KindFrozen, Reason: "freeze: nights", Until: now.Add(2 * time.Minute)})
			}
		case rollout.DoWait:
			now = next.At
		case rollout.DoWatch:
			exposed += 20
			verdict := health.Verdict{Reason: "3 of 20 on the new side failed, and 2 of 20 on the old one: chance alone does as much"}
			if !good && m.State().Share > 5*strategy.Percent {
				verdict.Call = health.Fail
			}
			add(rollout.Record{Kind: rollout.KindLooked, Actor: "judge errors", Reason: verdict.Reason, Look: &rollout.Look{
				Watch: "errors", Verdict: verdict, State: health.State(`{"log_e":1.5,"peak":2.5}`),
				Checkpoint: health.Checkpoint{Sample: health.Sample{Candidate: health.Side{Successes: exposed, Failures: 3}, Baseline: health.Side{Successes: exposed}}},
			}})
		case rollout.DoAdvance:
			add(rollout.Record{Kind: rollout.KindDone, Reason: "held 1m0s at 5 %, no harm seen"})
		case rollout.DoFinish:
			add(rollout.Record{Kind: rollout.KindFinished, Reason: "every step was taken and no judge saw harm"})
		}
	}
	return records(t, memory)
}

// otherTransitions are those that no whole rollout has, each after others.
func otherTransitions(t testing.TB) [][]rollout.Record {
	good := wholeRollout(t, true)
	begin := good[:slices.IndexFunc(good, func(r rollout.Record) bool { return r.Kind == rollout.KindWaiting })+1]
	s := begin[len(begin)-1]
	one := func(kind rollout.Kind) rollout.Record {
		return rollout.Record{Kind: kind, Step: s.Step, At: s.At, Until: s.At.Add(time.Second), Reason: "so", Actor: "engine"}
	}
	act := func(kind rollout.ActKind) rollout.Record {
		r := one(rollout.KindActed)
		r.Act = &rollout.Act{Kind: kind, Actor: "ann"}
		return r
	}
	back := one(rollout.KindHeld)
	back.Step, back.Generation = 0, 1
	return [][]rollout.Record{
		append(slices.Clip(begin), one(rollout.KindFailed), back),
		append(slices.Clip(begin), one(rollout.KindReplaced)),
		append(slices.Clip(begin), one(rollout.KindPaused)),
		append(slices.Clip(begin), act(rollout.Abort)),
		append(slices.Clip(begin), act(rollout.Promote)),
	}
}

// TestTransitionsAllocateNothing: no record but the request, which is compiled.
func TestTransitionsAllocateNothing(t *testing.T) {
	seen := map[rollout.Kind]bool{}
	for _, records := range append(otherTransitions(t), wholeRollout(t, true), wholeRollout(t, false)) {
		var m rollout.Machine
		for _, r := range records {
			before := m
			if err := m.Apply(r); err != nil {
				t.Fatalf("%v: %v", r, err)
			}
			if seen[r.Kind] = true; r.Kind == rollout.KindRequested {
				continue
			}
			var sink rollout.Machine
			if n := testing.AllocsPerRun(100, func() {
				sink = before
				_ = sink.Apply(r)
				_ = sink.Next(r.At)
			}); n != 0 {
				t.Errorf("%v allocates %v times", r, n)
			}
		}
	}
	require.Len(t, seen, 12, "every kind but the checkpoint's")
}

// BenchmarkMachine compares a transition with the SHA-256 of its record's line: each
// operation is one whole rollout, its request included in neither.
func BenchmarkMachine(b *testing.B) {
	for name, good := range map[string]bool{"good": true, "failed": false} {
		records := wholeRollout(b, good)
		var begin rollout.Machine
		require.NoError(b, begin.Apply(records[0]))
		records = records[1:]
		var lines [][]byte
		for _, r := range records {
			line, err := json.Marshal(r)
			require.NoError(b, err)
			lines = append(lines, line)
		}
		perRecord := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/record")
		}
		b.Run(name+"/apply", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m := begin
				for _, r := range records {
					if err := m.Apply(r); err != nil {
						b.Fatal(err)
					}
				}
			}
			perRecord(b)
		})
		b.Run(name+"/next", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, r := range records {
					begin.Next(r.At)
				}
			}
			perRecord(b)
		})
		b.Run(name+"/sha256", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, line := range lines {
					sha256.Sum256(line)
				}
			}
			perRecord(b)
		})
	}
}
