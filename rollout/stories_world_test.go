package rollout_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
)

// props are what a story has said of its gates, alarms and judges, by "gate smoke".
type props struct {
	mu   sync.Mutex
	says map[string][]string
}

func (p *props) set(name string, says []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.says[name] = says
}

// get returns the first word, which is the mood, and the other ones.
func (p *props) get(name string) (mood string, rest []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if says := p.says[name]; len(says) > 0 {
		return says[0], says[1:]
	}
	return "", nil
}

// gate is a gate, an alarm, or the question whether the old version is better.
func (p *props) gate(name string) rollout.Gate {
	return func(ctx context.Context) error {
		mood, rest := p.get(name)
		text := errors.New(strings.Join(rest, " "))
		switch mood {
		case "no":
			return text
		case "unsure":
			return fmt.Errorf("%w: %w", rollout.ErrInconclusive, text)
		case "hangs":
			<-ctx.Done()
		case "slow":
			slowly(ctx)
		case "panics":
			panic(text)
		}
		return nil
	}
}

// artifact is what a release is made of. It is called sha256:v2 until the story says
// otherwise.
func (p *props) artifact(id string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		mood, rest := p.get("artifact " + id)
		if mood == "is" {
			return rest[0], nil
		}
		return "sha256:" + id, p.gate("artifact " + id)(ctx)
	}
}

// slowly takes three quarters of a minute.
func slowly(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(45 * time.Second):
	}
}

// judge is one that says what the story wants, perhaps only above a share.
func (p *props) judge(name string, on *service) health.JudgeFunc {
	return func(health.State, health.Sample) (health.Verdict, health.State) {
		mood, rest := p.get("judge " + name)
		if n := len(rest); n >= 2 && rest[n-2] == "above" {
			if on.at() <= share(rest[n-1]) {
				mood = ""
			}
			rest = rest[:n-2]
		}
		text := cmp.Or(strings.Join(rest, " "), "nothing to complain of")
		switch mood {
		case "fails":
			return health.Verdict{Call: health.Fail, Reason: text}, nil
		case "passes":
			return health.Verdict{Call: health.Pass, Reason: text}, nil
		case "panics":
			panic(text)
		}
		return health.Verdict{Reason: "nothing to complain of"}, nil
	}
}

// service is a target that outlives crashes. Its traffic comes when somebody looks,
// so that nothing depends on who wakes first.
type service struct {
	*world
	mu      sync.Mutex
	mood    string // "lies", "hangs", "slow", "unreadable"
	why     string // who moved it
	gone    map[string]string
	rate    int // requests a second, on each side
	fed     time.Time
	cohorts []*health.Cohorts
}

func newService() *service {
	w := harmless()
	w.flaky = map[strategy.Share]int{}
	return &service{world: w, gone: map[string]string{}, rate: 1, fed: time.Now()}
}

// set is what a story says of a target.
func (s *service) set(says []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch says[0] {
	case "stuck": // at a share
		s.stuckAt = share(says[2])
	case "refuses": // to go back, so many times
		s.flaky[0] = number(says[1])
	case "moved": // to a share, by somebody
		s.share.Store(int32(share(says[2])))
		s.why = strings.Join(says[3:], " ")
	case "lost": // a version, why
		s.gone[says[1]] = says[2]
	case "traffic":
		s.rate = number(says[1])
	case "well":
		s.stuckAt, s.mood, s.flaky = -1, "", map[strategy.Share]int{}
	case "lies", "hangs", "slow", "unreadable":
		s.mood = says[0]
	default:
		panic("a target that " + says[0])
	}
}

func (s *service) Shift(ctx context.Context, to strategy.Share) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch s.mood {
	case "lies":
		return nil
	case "hangs":
		s.mu.Unlock()
		<-ctx.Done()
		s.mu.Lock()
		return nil
	case "slow":
		s.mu.Unlock()
		slowly(ctx)
		s.mu.Lock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	s.feed()
	err := s.world.Shift(ctx, to)
	if err == nil {
		s.why = ""
	}
	return err
}

func (s *service) Observe(context.Context) (strategy.Observation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mood == "unreadable" {
		return strategy.Observation{}, errors.New("connection refused")
	}
	s.feed()
	return strategy.Observation{Share: s.at(), Why: s.why}, nil
}

func (s *service) Keeps(_ context.Context, version string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if why := s.gone[version]; why != "" {
		return errors.New(why)
	}
	return nil
}

// feed lets the traffic of the seconds since the last time go through.
func (s *service) feed() {
	seconds := int(time.Since(s.fed) / time.Second)
	s.fed = s.fed.Add(time.Duration(seconds) * time.Second)
	if s.at() == 0 {
		return
	}
	for range seconds * s.rate {
		for _, c := range s.cohorts {
			c.Record(health.Outcome{Unit: 1, Slot: 0, Ramp: int32(s.at()), Class: health.Success})
			c.Record(health.Outcome{Unit: 2, Slot: 99_999, Ramp: 1, Class: health.Success})
		}
	}
}

// errGone is what a process gets from its journal once it is dead, or another one has
// taken over.
var errGone = fmt.Errorf("the process is gone: %w", rollout.ErrFenced)

// diary is the journal as one process sees it: it may be full, and the process may
// die at a record.
type diary struct {
	rollout.Journal
	die  func()               // ends what the process does
	over func(rollout.Record) // is told of what ends a rollout

	mu    sync.Mutex
	full  string // "any", or the kind that has no room
	dies  string // the kind at which the process dies
	after bool   // it is written
	dead  bool
}

func (d *diary) Append(ctx context.Context, r rollout.Record) (rollout.Record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.dead:
		return r, errGone
	case string(r.Kind) == d.dies:
		if d.dead = true; d.after {
			_, _ = d.Journal.Append(ctx, r)
		}
		d.die()
		return r, errGone
	case d.full == "any" || d.full == string(r.Kind):
		return r, errFull
	}
	r, err := d.Journal.Append(ctx, r)
	if err == nil && r.Kind == rollout.KindFinished {
		d.over(r)
	}
	return r, err
}

// share reads "5%".
func share(text string) strategy.Share {
	var percent float64
	if _, err := fmt.Sscanf(text, "%f%%", &percent); err != nil {
		panic(fmt.Sprintf("share: found %q, want one such as 5%%", text))
	}
	return strategy.Share(percent * strategy.Percent)
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}
