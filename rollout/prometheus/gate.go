package prometheus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
)

// Gate says yes when the judge passes the candidate, and no when it fails it, and reads
// until then. Missing data is neither: when the context ends first, the gate cannot
// tell ([rollout.ErrInconclusive]), so give the request a StepTimeout that is long
// enough, and the judge a Pass that it can say: health.Comparison{PassRatio: 2}, for
// example. Each call begins anew: only requests from then on count, and nothing of what
// the judge has seen is kept, so that each step of a plan that asks it is judged by its
// own traffic.
func (r *Reader) Gate(judge health.Judge) rollout.Gate {
	return func(ctx context.Context) error {
		t := tally{r: r}
		for {
			verdict, err := t.look(ctx, judge)
			switch {
			case err != nil:
			case verdict.Call == health.Fail:
				return errors.New(verdict.String())
			case verdict.Call == health.Pass:
				return nil
			default:
				err = errors.New(verdict.String())
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%w: %w: %w", rollout.ErrInconclusive, ctx.Err(), err)
			case <-time.After(r.o.Every):
			}
		}
	}
}

// Alarm says no once the judge has failed the candidate, cannot tell when data is
// missing ([rollout.ErrInconclusive]), and says yes otherwise: it is for
// [rollout.Request] Alarms, which are asked again and again, and no evidence that all is
// well. It reads once in ReaderOptions.Every, and in between repeats what it said. It
// counts from its first call on, so make one for each rollout.
//
// A reading runs in a goroutine, one at a time, which ends within ReaderOptions.Timeout
// even if the context of the caller ends earlier: that caller cannot tell, and the next
// one finds the answer.
func (r *Reader) Alarm(judge health.Judge) rollout.Gate {
	t := tally{r: r}
	var mu sync.Mutex
	newest := &answer{done: make(chan struct{})}
	close(newest.done)
	return func(ctx context.Context) error {
		mu.Lock()
		a := newest
		if a.over() && time.Since(a.began) >= r.o.Every {
			a = &answer{began: time.Now(), done: make(chan struct{}), err: rollout.ErrInconclusive}
			newest = a
			go func() {
				defer close(a.done)
				contained("an alarm", func() { a.err = t.alarm(context.WithoutCancel(ctx), judge) })
			}()
		}
		mu.Unlock()
		select {
		case <-a.done:
			return a.err
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", rollout.ErrInconclusive, ctx.Err())
		}
	}
}

// alarm is what an alarm says of a new reading.
func (t *tally) alarm(ctx context.Context, judge health.Judge) error {
	verdict, err := t.look(ctx, judge)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", rollout.ErrInconclusive, err)
	case verdict.Call == health.Fail:
		return errors.New(verdict.String())
	case verdict.Missing != health.Present:
		return fmt.Errorf("%w: %v", rollout.ErrInconclusive, verdict)
	}
	return nil
}

// answer is an alarm's, which any number of callers wait for.
type answer struct {
	began time.Time
	done  chan struct{} // closed when it is there
	err   error         // that it cannot tell, until then and if the judge panics
}

func (a *answer) over() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}
