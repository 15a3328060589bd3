package rollout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// stageClock is the clock of a scene, by which things happen that nobody waits for.
type stageClock interface {
	timing
	set(d time.Duration, do func()) (drop func()) // do must not wait
	jump(by time.Duration)                        // of the clock on the wall
}

// scene is where a simulation plays: the world, and what has become of it. It outlives the
// processes in which engines run.
type scene struct {
	id    string
	host  *Engine // whose options count
	world World
	clock stageClock
	began time.Time // by the time that never jumps

	mu      sync.Mutex // guards what follows; never held while anybody waits, or calls an engine
	ledger  ledger
	now     weather
	met     []int // how many attempts each fault has met
	targets []*worldTarget
	left    map[string]bool // stages that have done something which was not taken back
	limit   time.Duration   // when it is stopped
	stop    context.CancelFunc
	process *process      // the last one
	restart time.Duration // when another one goes on, once it is dead
	last    time.Duration // when the last record was written
	story   []string
	broken  []string
}

// process is one of the host's: an engine that may die.
type process struct {
	scene  *scene
	engine *Engine
	ctx    context.Context // ends when it dies
	die    context.CancelFunc

	dead    bool                        // guarded by the scene's mu, like what follows
	watches map[string]map[string]Watch // of each rollout
}

// scene is one for a rollout or a run of this ID.
func (e *Engine) scene(id string, world World, clock stageClock) *scene {
	s := &scene{id: id, host: e, world: world, clock: clock, began: clock.steady(), now: world.weather(0), met: make([]int, len(world.Faults)), left: map[string]bool{}}
	for _, f := range world.Faults {
		s.ledger.all = s.ledger.all || f.Kind == FaultProcessDies
	}
	return s
}

// elapsed is since when it plays.
func (s *scene) elapsed() time.Duration { return s.clock.steady().Sub(s.began) }

// play lets processes carry something out, until it is over or the world's time is.
// begin does so in one process; it is called again in the next, and after acts of people
// that come later.
func (s *scene) play(ctx context.Context, begin func(*process) (Outcome, error)) (outcome Outcome, err error) {
	alive, stop := context.WithCancel(ctx)
	defer stop()
	s.stop = stop
	if s.world.Limit > 0 {
		s.extend(s.world.Limit)
	} else {
		s.extend(24 * time.Hour)
	}
	s.schedule(alive)
	var p *process
	for alive.Err() == nil {
		if p == nil || s.isDead(p) {
			if p, err = s.boot(alive); err != nil {
				return Unfinished, err
			}
		}
		outcome, err = begin(p)
		rest := forever
		switch {
		case alive.Err() != nil:
		case s.isDead(p):
			s.mu.Lock()
			rest = s.restart - s.elapsed()
			s.mu.Unlock()
		case err != nil:
			return outcome, err
		default:
			next := s.nextAct()
			if next == forever {
				return outcome, nil
			}
			rest = next - s.elapsed() + time.Millisecond // that it is done by then
		}
		s.clock.wait(alive, rest, nil)
	}
	return Unfinished, ctx.Err()
}

func (s *scene) isDead(p *process) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.dead
}

// boot starts a process on the journal.
func (s *scene) boot(ctx context.Context) (*process, error) {
	p := &process{scene: s, watches: map[string]map[string]Watch{}}
	p.ctx, p.die = context.WithCancel(ctx)
	options := s.host.options
	options.OnRecord, options.OnNotice = nil, nil
	options.OnProblem = s.problem
	engine, err := newEngine(pen{p}, options, s.clock)
	if err != nil {
		return nil, err
	}
	engine.simulated, p.engine = true, engine
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		s.say("world", "another process goes on")
	}
	s.process = p
	return p, nil
}

// nextAct is when a person acts next.
func (s *scene) nextAct() time.Duration {
	next := forever
	for _, f := range s.world.Faults {
		if f.Kind == FaultPersonActs && f.At > s.elapsed() {
			next = min(next, f.At)
		}
	}
	return next
}

// extend lets it play for longer, and then stops it.
func (s *scene) extend(by time.Duration) {
	s.mu.Lock()
	s.limit += by
	limit := s.limit
	s.mu.Unlock()
	s.clock.set(limit-s.elapsed(), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if limit == s.limit { // otherwise it was extended meanwhile
			s.stop()
		}
	})
}

// schedule has faults begin and end in their time.
func (s *scene) schedule(ctx context.Context) {
	at := func(d time.Duration, do func()) {
		if d == 0 {
			do()
			return
		}
		s.clock.set(d, do)
	}
	for _, f := range s.world.Faults {
		at(f.At, func() { s.begin(ctx, f) })
		if f.For > 0 && !f.once() {
			at(f.At+f.For, func() { s.change(f.words() + ": over") })
		}
	}
	if s.world.HarmFrom > 0 {
		at(s.world.HarmFrom, func() { s.change("the harm begins") })
	}
}

// begin is a fault that begins.
func (s *scene) begin(ctx context.Context, f Fault) {
	if f.Kind == FaultPersonActs {
		s.act(ctx, f)
		return
	}
	s.change(f.words())
	s.mu.Lock()
	defer s.mu.Unlock()
	switch f.Kind {
	case FaultTargetMoved:
		for _, t := range s.targets {
			if f.Name == "" || f.Name == t.name {
				t.at.Share, t.at.Why = f.Share, "somebody has moved it by hand"
			}
		}
	case FaultClockJumps:
		s.clock.jump(f.By)
	case FaultProcessDies:
		if s.restart = forever; f.For > 0 {
			s.restart = f.At + f.For
		}
		for _, t := range s.targets {
			t.cohorts = nil
		}
		if s.process != nil {
			s.process.dead = true
			s.process.die()
		}
	}
}

// change lets everything be from now on as the world has it now.
func (s *scene) change(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.targets {
		t.feed()
	}
	s.now = s.world.weather(s.elapsed())
	s.say("world", what)
}

// act is what a person does.
func (s *scene) act(ctx context.Context, f Fault) {
	s.mu.Lock()
	p := s.process
	gone := p == nil || p.dead
	s.mu.Unlock()
	err := errDied
	if !gone {
		id := f.Name
		if id == "" {
			id = s.id
		}
		err = p.engine.Act(ctx, id, f.Act)
	}
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.say("world", fmt.Sprintf("%s in vain: %v", f.words(), err))
	}
}

// meets says whether a kind of fault is on for a name, and counts the attempt. Called
// with mu held.
func (s *scene) meets(kind FaultKind, name string) (Fault, bool) {
	for i, f := range s.world.Faults {
		if f.Kind != kind || f.Name != "" && f.Name != name || !f.on(s.elapsed()) || f.Times > 0 && s.met[i] >= f.Times {
			continue
		}
		s.met[i]++
		return f, true
	}
	return Fault{}, false
}

// gate answers for a gate or an alarm.
func (s *scene) gate(name string) Gate {
	return func(ctx context.Context) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, no := s.meets(FaultGateNo, name); no {
			return errors.New("so the world has it")
		}
		if _, unsure := s.meets(FaultGateUnsure, name); unsure || s.now.dark {
			return fmt.Errorf("%w: there is nothing to tell by", ErrInconclusive)
		}
		return ctx.Err()
	}
}

// stable answers whether the old version is better.
func (s *scene) stable(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, sick := s.meets(FaultOldSick, ""); sick {
		return errors.New("the old version is sick, too")
	}
	if s.now.dark {
		return fmt.Errorf("%w: there is nothing to tell by", ErrInconclusive)
	}
	return ctx.Err()
}

// problem is why a rollout cannot go on.
func (s *scene) problem(id string, err error) {
	text := "it can go on"
	if err != nil {
		text = fmt.Sprintf("it cannot go on, and tries again: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.say(id, text)
}

// wrote is told of every record. Called with mu held, like all that follow.
func (s *scene) wrote(r Record) {
	s.last = s.elapsed()
	if !r.idle() {
		s.tell(r.String()[len("15:04:05.000  "):])
	}
}

// say adds a line about somebody to the story.
func (s *scene) say(who, what string) {
	s.tell(fmt.Sprintf("%-14s  %s", who, strings.ReplaceAll(what, "\n", "; ")))
}

func (s *scene) tell(text string) {
	s.story = append(s.story, fmt.Sprintf("%12v  %s", s.elapsed().Round(time.Millisecond), text))
}

// breaks notes that something was not as it should be.
func (s *scene) breaks(what string) {
	s.broken = append(s.broken, what)
	s.say("broken", what)
}
