package rollout_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/guidon-go/guidon/rollout"
)

// manyStages is a pipeline of many stages, of which each needs the three before. The last one
// fails.
func manyStages(n int) (p rollout.Pipeline) {
	for i := range n {
		s := rollout.Stage{Name: fmt.Sprint("s", i), Do: noop, Undo: noop}
		for need := max(i-3, 0); need < i; need++ {
			s.Needs = append(s.Needs, fmt.Sprint("s", need))
		}
		p.Stages = append(p.Stages, s)
	}
	p.Stages[n-1].Do, p.Stages[n-1].Undo = refuses, nil
	return p
}

// BenchmarkRun is BenchmarkSchedule with an engine, a journal, and stages that run.
func BenchmarkRun(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := manyStages(n)
			for b.Loop() {
				if report := ran(b, &rollout.Memory{}, "1", p); report.Outcome != rollout.RolledBack {
					b.Fatal(report.State)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/stage")
		})
	}
}

// BenchmarkSchedule takes ten times as long for ten times as many stages.
func BenchmarkSchedule(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := manyStages(n)
			for b.Loop() {
				if err := p.Check(); err != nil {
					b.Fatal(err)
				}
				schedule(b, rollout.NewRun(p, rollout.Release{}))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/stage")
		})
	}
}

// schedule lets every stage be done but the last, and every one taken back.
func schedule(b *testing.B, asked rollout.RequestedRun) {
	var course rollout.Course
	apply := func(r rollout.Record) {
		if err := course.Apply(r); err != nil {
			b.Fatal(err)
		}
	}
	apply(rollout.Record{Kind: rollout.KindRequested, Run: &asked})
	last := asked.Stages[len(asked.Stages)-1].Name
	for {
		do, stage, _ := course.Next(time.Time{}, func(string) bool { return true })
		switch do {
		case "begin", "undo":
			apply(rollout.Record{Kind: rollout.KindBegun, Stage: stage, Attempt: 1})
			if stage == last {
				apply(rollout.Record{Kind: rollout.KindFailed, Stage: stage})
			} else {
				apply(rollout.Record{Kind: rollout.KindDone, Stage: stage})
			}
		case "finish":
			apply(rollout.Record{Kind: rollout.KindFinished})
			return
		default:
			b.Fatal(do)
		}
	}
}
