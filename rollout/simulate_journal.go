package rollout

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/strategy"
)

// ledger is the journal of a simulation. It has every record, but for looks after which
// another one of the same judge comes before anything else does: they say nothing that
// the later one does not say, so that they are kept in the chain of sums alone.
type ledger struct {
	end     chain
	records []Record
	all     bool  // somebody may have to restore cohorts, for which every look counts
	looks   []int // those of the records, ascending, that the next look of their judge replaces
}

// follows begins the journal with what there is to come back to: the good releases of a
// host's engine.
func (l *ledger) follows(host *Engine, at time.Time) error {
	host.mu.Lock()
	var ended []Ended
	for of, track := range host.lanes {
		if n := len(track.good); n > 0 {
			q := &Requested{Service: of.service, Environment: of.environment, Flag: of.flag, Release: track.good[n-1].release}
			ended = append(ended, Ended{ID: track.good[n-1].id, Outcome: Succeeded, Share: strategy.All, Peak: strategy.All, Started: at, At: at, Request: q})
		}
	}
	for of, release := range host.shipped {
		q := &RequestedRun{Service: of.service, Environment: of.environment, Release: release}
		ended = append(ended, Ended{ID: fmt.Sprintf("%s of %v", of.pipeline, release), Outcome: Succeeded, Started: at, At: at, Pipeline: of.pipeline, Run: q})
	}
	host.mu.Unlock()
	if len(ended) == 0 {
		return nil
	}
	slices.SortFunc(ended, func(a, b Ended) int { return strings.Compare(a.place(), b.place()) })
	_, err := l.add(Record{Kind: KindCheckpoint, At: at, Actor: actor, Checkpoint: &Checkpoint{Ended: ended}})
	return err
}

// place is what it was about, in the order of which a journal begins.
func (e Ended) place() string {
	if e.Run != nil {
		return strings.Join([]string{e.Run.Service, e.Run.Environment, e.Pipeline}, "\x00")
	}
	return strings.Join([]string{e.Request.Service, e.Request.Environment, e.Request.Flag}, "\x00")
}

// add writes a record.
func (l *ledger) add(r Record) (Record, error) {
	r, _, err := l.end.seal(r)
	if err != nil {
		return r, &Error{"append", "journal", err}
	}
	if !l.all {
		l.replace(r)
	}
	l.records = append(l.records, r)
	return r, nil
}

// replace forgets the look that a record replaces, if any, before it is added.
func (l *ledger) replace(r Record) {
	if !r.idle() {
		l.looks = slices.DeleteFunc(l.looks, func(i int) bool { return l.records[i].Rollout == r.Rollout })
		return
	}
	at := slices.IndexFunc(l.looks, func(i int) bool {
		return l.records[i].Rollout == r.Rollout && l.records[i].Look.Watch == r.Look.Watch
	})
	if at >= 0 {
		old := l.looks[at]
		l.records = slices.Delete(l.records, old, old+1)
		l.looks = slices.Delete(l.looks, at, at+1)
		for i := at; i < len(l.looks); i++ {
			l.looks[i]--
		}
	}
	l.looks = append(l.looks, len(l.records))
}

// idle is a look after which everything stands where it stood.
func (r Record) idle() bool {
	return r.Look != nil && r.From == r.To && r.Look.Verdict.Call != health.Fail
}

// pen is the journal as one process has it.
type pen struct{ process *process }

var (
	errFull = errors.New("no space left on device")
	errDied = fmt.Errorf("the process is gone: %w", ErrFenced)
)

func (p pen) Append(ctx context.Context, r Record) (Record, error) {
	s := p.process.scene
	s.mu.Lock()
	defer s.mu.Unlock()
	_, full := s.meets(FaultJournalFull, "")
	switch {
	case ctx.Err() != nil:
		return r, ctx.Err()
	case p.process.dead:
		return r, errDied
	case full:
		return r, &Error{"append", "journal", errFull}
	}
	r, err := s.ledger.add(r)
	if err == nil {
		s.wrote(r)
	}
	return r, err
}

func (p pen) Records() iter.Seq2[Record, error] {
	s := p.process.scene
	s.mu.Lock()
	records := slices.Clone(s.ledger.records)
	s.mu.Unlock()
	return func(yield func(Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}
