package rollout

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"maps"
	"slices"
)

// rotate begins a new part of the journal with a checkpoint, if it is time to. It
// fails to nobody's harm: the journal only gets longer.
func (e *Engine) rotate(ctx context.Context) {
	journal, ok := e.journal.(Checkpointer)
	if !ok || !journal.Full() || !e.quiet(ctx) {
		return
	}
	defer e.noisy()
	e.mu.Lock()
	seq := e.last + 1
	e.mu.Unlock()
	checkpoint, err := summary(journal)
	if err == nil {
		asking, cancel := e.clock.within(ctx, slowestCheckpoint, nil)
		_, err = journal.Checkpoint(asking, Record{Kind: KindCheckpoint, Seq: seq, At: e.clock.now(), Actor: actor, Checkpoint: checkpoint})
		cancel()
	}
	switch {
	case err == nil:
		e.mu.Lock()
		e.last = seq
		e.mu.Unlock()
	case ctx.Err() == nil && !errors.Is(err, ErrFenced):
		slog.Default().Error("rollout: the journal gets no checkpoint, and goes on without", "error", err)
	}
}

// quiet keeps records out of the journal until noisy is called. It says whether it
// does: one at a time can.
func (e *Engine) quiet(ctx context.Context) bool {
	e.mu.Lock()
	if e.hush != nil {
		e.mu.Unlock()
		return false
	}
	e.hush = make(chan struct{})
	for e.pending > 0 {
		e.idle = make(chan struct{})
		idle := e.idle
		e.mu.Unlock()
		select {
		case <-idle:
		case <-ctx.Done():
			e.noisy()
			return false
		}
		e.mu.Lock()
	}
	e.mu.Unlock()
	return true
}

func (e *Engine) noisy() {
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.hush)
	e.hush = nil
}

// enter waits until a record may be appended, and leave says that it was.
func (e *Engine) enter(ctx context.Context) error {
	for {
		e.mu.Lock()
		hush := e.hush
		if hush == nil {
			e.pending++
			e.mu.Unlock()
			return nil
		}
		e.mu.Unlock()
		select {
		case <-hush:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// leave ends an append, and says whether somebody else has appended, too.
func (e *Engine) leave(r Record, err error) (foreign bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	foreign = err == nil && r.Seq > e.last+e.pending
	e.pending--
	if err == nil && !foreign {
		e.last = max(e.last, r.Seq)
	}
	if e.pending == 0 && e.idle != nil {
		close(e.idle)
		e.idle = nil
	}
	return foreign
}

// summary is the checkpoint of a journal as it is.
func summary(journal Checkpointer) (*Checkpoint, error) {
	var checkpoint Checkpoint
	live, records := map[string]*run{}, map[string][]Record{}
	plans := map[lane][]int{} // where the good ones of a lane are, as Engine.end has them: their plans are the ways back
	forget := func(at int) { checkpoint.Ended[at].Request.Plan.Steps = nil }
	end := func(ended Ended) {
		if ended.Run != nil {
			asked := *ended.Run
			asked.Stages = nil
			ended.Run = &asked
			checkpoint.Ended = append(checkpoint.Ended, ended)
			return
		}
		request := *ended.Request
		ended.Request = &request
		l := request.lane()
		switch {
		case ended.Outcome == Succeeded:
			plans[l] = append(plans[l], len(checkpoint.Ended))
			if len(plans[l]) > keepGood {
				forget(plans[l][0])
				plans[l] = plans[l][1:]
			}
		case ended.Outcome == RolledBack && request.TakesBack != "": // its way back is used up
			plans[l] = slices.DeleteFunc(plans[l], func(at int) bool {
				taken := checkpoint.Ended[at].ID == request.TakesBack
				if taken {
					forget(at)
				}
				return taken
			})
		}
		if ended.Outcome != Succeeded {
			request.Plan.Steps = nil
		}
		checkpoint.Ended = append(checkpoint.Ended, ended)
	}
	follow := func(r Record) error {
		one := live[r.Rollout]
		if one == nil && r.Kind != KindRequested { // it failed later
			for i := range checkpoint.Ended {
				if checkpoint.Ended[i].ID == r.Rollout {
					checkpoint.Ended[i].FailedLater = true
				}
			}
			return nil
		}
		if one == nil {
			one = newRun(r.Rollout)
			live[r.Rollout] = one
		}
		if err := one.apply(r); err != nil {
			return err
		}
		records[r.Rollout] = append(records[r.Rollout], r)
		if one.isOver() {
			end(one.over())
			delete(live, r.Rollout)
			delete(records, r.Rollout)
		}
		return nil
	}
	for r, err := range journal.Recent() {
		if err != nil {
			return nil, err
		}
		all := []Record{r}
		if r.Kind == KindCheckpoint {
			for _, ended := range r.Checkpoint.Ended {
				end(ended)
			}
			all = r.Checkpoint.Live
		}
		for _, r := range all {
			if err := follow(r); err != nil {
				return nil, err
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(records)) {
		checkpoint.Live = append(checkpoint.Live, records[id]...)
	}
	slices.SortStableFunc(checkpoint.Live, func(a, b Record) int { return int(int64(a.Seq) - int64(b.Seq)) })
	return &checkpoint, nil
}

// over is what a checkpoint keeps of a rollout that is over.
func (r *run) over() Ended {
	if c := r.course; c != nil {
		return Ended{ID: r.id, Outcome: c.outcome, Reason: c.reason, Actor: c.actor, Started: c.started, At: c.ended, Pipeline: c.name, Run: &c.asked}
	}
	s := r.machine.State()
	return Ended{ID: r.id, Parent: r.parent, Outcome: s.Outcome, Share: s.Share, Peak: s.Peak, Automatic: s.Automatic, FailedLater: s.FailedLater, Reason: s.Reason, Actor: s.Actor, Started: r.started, Since: s.Since, At: r.ended, Request: &r.request}
}

// run is a rollout as a checkpoint has it.
func (e Ended) run() *run {
	r := newRun(e.ID)
	if e.Run != nil {
		r.course = &course{name: e.Pipeline, asked: *e.Run, phase: Done, outcome: e.Outcome, reason: e.Reason, actor: e.Actor, started: e.Started, ended: e.At, at: e.At}
		return r
	}
	r.request, r.started, r.ended, r.parent = *e.Request, e.Started, e.At, e.Parent
	r.machine.route = &route{Requested: r.request}
	r.machine.state = State{Phase: Done, Outcome: e.Outcome, Share: e.Share, Peak: e.Peak, Since: e.Since, Automatic: e.Automatic, Reason: e.Reason, Actor: e.Actor, FailedLater: e.FailedLater}
	return r
}

// recent yields what an engine has to know: from the newest checkpoint on, if there
// is one.
func recent(journal Journal) iter.Seq2[Record, error] {
	if c, ok := journal.(Checkpointer); ok {
		return c.Recent()
	}
	return journal.Records()
}
