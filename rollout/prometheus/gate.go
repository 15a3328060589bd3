package prometheus

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
)

// Gate says yes when the judge passes the candidate, and no when it fails it, and reads
// until then. Missing data is neither: when the context ends first, the gate cannot
// tell ([rollout.ErrInconclusive]), so give the request a StepTimeout that is long
// enough, and the judge a Pass that it can say: health.Comparison{PassRatio: 2}, for
// example. What the judge has seen stays with the gate, and ends with the process.
func (r *Reader) Gate(judge health.Judge) rollout.Gate {
	l := &look{r: r, judge: judge}
	return func(ctx context.Context) error {
		for {
			verdict, err := l.at(ctx)
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
// well. It reads once in ReaderOptions.Every, and in between repeats what it said.
func (r *Reader) Alarm(judge health.Judge) rollout.Gate {
	l := &look{r: r, judge: judge}
	type said struct {
		at  time.Time
		err error
	}
	var last atomic.Pointer[said]
	return func(ctx context.Context) error {
		if l := last.Load(); l != nil && time.Since(l.at) < r.o.Every {
			return l.err
		}
		verdict, err := l.at(ctx)
		switch {
		case err != nil:
			err = fmt.Errorf("%w: %w", rollout.ErrInconclusive, err)
		case verdict.Call == health.Fail:
			err = errors.New(verdict.String())
		case verdict.Missing != health.Present:
			err = fmt.Errorf("%w: %v", rollout.ErrInconclusive, verdict)
		}
		last.Store(&said{time.Now(), err})
		return err
	}
}

// look is a judge with its memory.
type look struct {
	r     *Reader
	judge health.Judge
	state atomic.Pointer[health.State]
}

func (l *look) at(ctx context.Context) (health.Verdict, error) {
	sample, err := l.r.Read(ctx)
	if err != nil {
		return health.Verdict{}, err
	}
	before, state := l.state.Load(), health.State(nil)
	if before != nil {
		state = *before
	}
	verdict, state := l.judge.Look(state, sample)
	l.state.CompareAndSwap(before, &state) // of two at once, one is remembered: what the other saw comes with the next
	return verdict, nil
}
