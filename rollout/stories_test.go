package rollout_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/internal/scenario"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite testdata/stories")

// TestStories plays every story on virtual time. What each command says is what the
// journal has got since the command before it, and then what the command itself
// came to. testdata/stories/README.md lists the commands.
func TestStories(t *testing.T) {
	playAll(t, "testdata/stories", func(t *testing.T, story *scenario.Story) {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t)
			story.Play(s.do)
			s.curtain()
		})
	})
}

// playAll plays the stories of a folder, and checks what they say.
func playAll(t *testing.T, folder string, play func(*testing.T, *scenario.Story)) {
	t.Helper()
	paths, err := filepath.Glob(folder + "/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			story, err := scenario.Read(path)
			require.NoError(t, err)
			play(t, story)
			if err := story.Check(*update); err != nil {
				t.Error(err)
			}
		})
	}
}

// stage is where a story plays.
type stage struct {
	*testing.T
	props
	start    time.Time
	ahead    atomic.Int64 // by how much the clock on the wall is wrong
	moment   time.Duration
	plan     strategy.Plan
	options  rollout.Options
	services map[string]*service
	requests map[string]rollout.Request

	more   func(scenario.Command) string // what else it can be told
	memory *rollout.Memory
	told   int // records that were told
	engine *rollout.Engine
	diary  *diary          // of the engine's process
	alive  context.Context // until it dies
	stops  map[string]context.CancelFunc
	busy   atomic.Int32

	mu      sync.Mutex
	targets map[string]*service       // by rollout
	left    map[string]strategy.Share // where each was at its end
	thens   map[string]rollout.Expiry // what a judge's Fail does, by rollout and judge
	ended   []string                  // what has become of a Deploy
	notices []rollout.Notice          // that engines told
	heard   int                       // of them, that the story has heard
	crashed bool                      // a process may have died before it could tell
}

func newStage(t *testing.T) *stage {
	s := &stage{
		T: t, props: props{says: map[string][]string{}}, start: time.Now(), memory: &rollout.Memory{},
		services: map[string]*service{}, requests: map[string]rollout.Request{},
		targets: map[string]*service{}, left: map[string]strategy.Share{}, thens: map[string]rollout.Expiry{},
	}
	t.Cleanup(rollout.SetWallClock(func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }))
	s.options.OnProblem = func(string, error) {} // Status says it
	s.options.OnNotice = func(n rollout.Notice) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.notices = append(s.notices, n)
	}
	s.boot()
	return s
}

// boot starts a process on the journal.
func (s *stage) boot() {
	alive, die := context.WithCancel(s.Context())
	s.alive, s.stops, s.diary = alive, map[string]context.CancelFunc{}, &diary{Journal: s.memory, die: die, over: s.over}
	engine, err := rollout.New(s.diary, s.options)
	require.NoError(s, err)
	s.engine = engine
}

// over notes where a target is left: once a rollout was taken back, where it was.
func (s *stage) over(r rollout.Record) {
	if r.Pipeline != "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.targets[strings.TrimSuffix(r.Rollout, " back")].at()
	s.left[r.Rollout] = at
	if r.To == rollout.RolledBack.String() && at != 0 {
		s.Errorf("%s is rolled back, and its target is at %v", r.Rollout, at)
	}
}

// do carries one command out. A time first is when.
func (s *stage) do(c scenario.Command) string {
	if c.Name == "at" {
		when, err := time.ParseDuration(c.Args[0])
		require.NoError(s, err)
		// Each moment is a little later than the one before, so that nothing else happens
		// at that instant.
		s.moment += time.Millisecond
		require.Greater(s, s.start.Add(when+s.moment), time.Now(), "at %v", when)
		time.Sleep(time.Until(s.start.Add(when + s.moment)))
		c.Name, c.Args = "", c.Args[1:]
		if len(c.Args) > 0 {
			c.Name, c.Args = c.Args[0], c.Args[1:]
		}
	}
	synctest.Wait()
	said := s.carryOut(c)
	synctest.Wait()
	return s.news() + said
}

func (s *stage) carryOut(c scenario.Command) string {
	switch c.Name {
	case "", "#":
	case "plan":
		s.plan = s.planned(c.Args)
	case "gate", "alarm", "judge", "artifact":
		s.props.set(c.Name+" "+c.Args[0], c.Args[1:])
	case "stable":
		s.props.set(c.Name, c.Args)
	case "target":
		s.service(c.Args[0]).set(c.Args[1:])
	case "options":
		s.optional(c.Args)
		s.boot()
	case "journal":
		s.diary.mu.Lock()
		s.diary.full = map[string]string{"full": "any", "writable": ""}[c.Args[0]]
		if len(c.Args) > 2 { // full of a kind
			s.diary.full = c.Args[2]
		}
		s.diary.mu.Unlock()
	case "clock":
		jump, err := time.ParseDuration(c.Args[0])
		require.NoError(s, err)
		s.ahead.Add(int64(jump))
	case "deploy":
		request := s.asked(c.Args)
		s.requests[request.ID] = request
		s.run(request, (*rollout.Engine).Deploy)
	case "resume":
		request := s.requests[c.Args[0]]
		if request.Target == nil {
			status, _ := s.engine.Status(c.Args[0])
			request = rollout.Request{ID: c.Args[0], Target: s.service(status.Service)}
		}
		s.run(request, (*rollout.Engine).Resume)
	case "stop":
		s.stops[c.Args[0]]()
	case "crash":
		s.crashed = true
		s.diary.mu.Lock()
		if s.diary.dead = len(c.Args) == 0; s.diary.dead {
			s.diary.die()
		} else {
			s.diary.after, s.diary.dies = c.Args[0] == "after", c.Args[1]
		}
		s.diary.mu.Unlock()
	case "restart":
		synctest.Wait()
		s.boot()
	case "pause", "continue", "approve", "abort", "promote", "leave", "rollback", "failed-later", "shrug":
		kind := map[string]rollout.ActKind{"rollback": rollout.RollBack, "failed-later": rollout.FailedLater}[c.Name]
		act := rollout.Act{Kind: cmp.Or(kind, rollout.ActKind(c.Name)), Actor: c.Args[1], Reason: strings.Join(c.Args[2:], " ")}
		if err := s.engine.Act(s.alive, c.Args[0], act); err != nil {
			return err.Error() + "\n"
		}
	case "status":
		return s.status(c.Args[0])
	case "told":
		s.mu.Lock()
		defer s.mu.Unlock()
		var b strings.Builder
		for _, n := range s.notices[s.heard:] {
			fmt.Fprintln(&b, "told:", n)
		}
		s.heard = len(s.notices)
		return b.String()
	case "end":
		for hours := 0; s.busy.Load() > 0; hours++ {
			require.Less(s, hours, 100, "it never ends")
			time.Sleep(time.Hour + time.Millisecond)
			synctest.Wait()
		}
	default:
		if s.more == nil {
			s.Fatalf("no command is called %q", c.Name)
		}
		return s.more(c)
	}
	return ""
}

func (s *stage) service(name string) *service {
	if s.services[name] == nil {
		s.services[name] = newService()
	}
	return s.services[name]
}

// run begins a Deploy or a Resume.
func (s *stage) run(request rollout.Request, how func(*rollout.Engine, context.Context, rollout.Request) (rollout.Outcome, error)) {
	target := request.Target.(*service)
	s.mu.Lock()
	if s.targets[request.ID] == nil {
		s.targets[request.ID] = target
	}
	s.mu.Unlock()
	request.Watches = map[string]rollout.Watch{}
	target.mu.Lock()
	for _, name := range request.Plan.Judges() {
		cohorts, err := s.engine.Cohorts(request.ID, name, health.CohortsOptions{})
		require.NoError(s, err)
		target.cohorts = append(target.cohorts, cohorts)
		request.Watches[name] = rollout.Watch{Judge: s.judge(name, target), Cohorts: cohorts, Then: s.thens[request.ID+" "+name]}
	}
	target.mu.Unlock()
	ctx, stop := context.WithCancel(s.alive)
	engine, alive := s.engine, s.alive
	s.stops[request.ID] = stop
	s.busy.Add(1)
	go func() {
		defer s.busy.Add(-1)
		defer stop()
		outcome, err := how(engine, ctx, request)
		if alive.Err() != nil {
			return // there is nobody to tell
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		text := outcome.String()
		if err != nil {
			text = err.Error()
		}
		where := ""
		if at, over := s.left[request.ID]; over {
			where = fmt.Sprintf(", and the target is at %v", at)
		}
		s.ended = append(s.ended, fmt.Sprintf("%s: %s%s\n", request.ID, text, where))
	}()
}

// status is how a rollout stands, and where its target is.
func (s *stage) status(id string) string {
	status, err := s.engine.Status(id)
	if err != nil {
		return err.Error() + "\n"
	}
	text := fmt.Sprintf("%s: %s, allowed %v, target at %v", id, status.Phase, status.State.Share, s.service(status.Service).at())
	if why := status.State.Paused.Reason; why != "" {
		text += ", paused: " + why
	}
	if status.Problem != nil {
		text += ", problem: " + strings.ReplaceAll(status.Problem.Error(), "\n", "; ")
	}
	return text + "\n"
}

// news is what the journal has got, and what has ended.
func (s *stage) news() string {
	var b strings.Builder
	for _, r := range records(s, s.memory)[s.told:] {
		s.told++
		text := r.String()
		text = text[:len("15:04:05")] + text[len("15:04:05.000"):]
		if day := r.At.YearDay(); day > 1 {
			text = fmt.Sprintf("day %d, %s", day, text)
		}
		fmt.Fprintln(&b, text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(s.ended)
	for _, text := range s.ended {
		b.WriteString(text)
	}
	s.ended = nil
	return b.String()
}

// curtain ends what goes on, and holds the invariants of every story.
func (s *stage) curtain() {
	for _, stop := range s.stops {
		stop()
	}
	synctest.Wait()
	require.Zero(s, s.busy.Load(), "whoever is stopped ends")
	checkRollouts(s, s.memory)
	checkNotices(s)
	again, err := rollout.New(s.memory, s.options)
	require.NoError(s, err)
	require.Equal(s, checkFolds(s, s.engine), checkFolds(s, again), "a second engine says the same")
}

// checkRollouts holds for journals of many rollouts what checkJournal does for one.
func checkRollouts(t testing.TB, journal rollout.Journal) {
	machines, ends, lanes := map[string]*rollout.Machine{}, map[string]int{}, map[string]string{}
	for _, r := range records(t, journal) {
		if r.Pipeline != "" {
			continue
		}
		m := machines[r.Rollout]
		if m == nil {
			m = &rollout.Machine{}
			machines[r.Rollout] = m
		}
		require.Equal(t, m.State().String(), r.From, "record %d", r.Seq)
		require.NoError(t, m.Apply(r), "record %d", r.Seq)
		s := m.State()
		require.Equal(t, s.String(), r.To, "record %d", r.Seq)
		require.True(t, s.Share >= 0 && s.Share <= s.Peak && s.Peak <= strategy.All, "record %d: share %v, peak %v", r.Seq, s.Share, s.Peak)
		if r.Request != nil {
			lane := r.Request.Service + " in " + r.Request.Environment
			if before := lanes[lane]; before != "" {
				require.Equal(t, rollout.Done, machines[before].State().Phase, "%s begins before %s is over", r.Rollout, before)
			}
			lanes[lane] = r.Rollout
		}
		if r.Kind == rollout.KindFinished {
			ends[r.Rollout]++
		}
	}
	for id, m := range machines {
		require.Equal(t, rollout.Done, m.State().Phase, "%s is over at the end of a story", id)
		require.Equal(t, 1, ends[id], "terminal records of %s", id)
	}
}

// checkFolds says what an engine makes of its journal, if all that it says agrees.
func checkFolds(t testing.TB, engine *rollout.Engine) []rollout.Status {
	require.Empty(t, slices.Collect(engine.Live()))
	var all []rollout.Status
	for status, err := range engine.History() {
		require.NoError(t, err)
		one, err := engine.Status(status.ID)
		require.NoError(t, err)
		require.Equal(t, one, status)
		all = append(all, status)
	}
	return all
}
