package rollout

import (
	"context"
	"fmt"
)

// replace takes back whatever other rollout of the same flag is not over, whose
// process is gone: there is one at a time.
func (e *Engine) replace(ctx context.Context, by Request) error {
	for status := range e.All() {
		if status.Flag != by.guard.asked.Flag || status.ID == by.ID || status.State.Phase == Done {
			continue
		}
		e.mu.Lock()
		old := e.runs[status.ID]
		e.mu.Unlock()
		d := &driver{engine: e, run: old, request: Request{ID: old.id, Plan: old.request.Plan, Target: NewFlagTarget(by.guard.target.flags, by.guard.flag, old.request.Salt), StepTimeout: by.StepTimeout}}
		if status.State.Phase != Back {
			r := Record{Kind: KindReplaced, Step: status.State.Step, Actor: actor, Reason: fmt.Sprintf("rollout %q takes its place", by.ID)}
			if err := d.write(ctx, r); err != nil {
				return err
			}
		}
		if _, err := d.drive(ctx); err != nil {
			return err
		}
	}
	return nil
}
