package rollout_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

var (
	worlds    = flag.Int("rollout.worlds", 2000, "how many random worlds TestModel lives through")
	firstSeed = flag.Uint64("rollout.seed", 0, "the first of them")
)

// model is a world, its journal and what outlives the processes in it.
type model struct {
	*fate
	begin time.Time

	mu      sync.Mutex           // guards what follows; never held while anybody waits
	at      strategy.Observation // where the target stands
	mended  bool
	ledger  *ledger
	memory  *rollout.Memory
	died    map[string]bool // at which records the process died
	over    [2]bool
	deeds   int // done
	random  *rand.Rand
	outcome rollout.Outcome // of "r"
	lives   int
}

func (w *model) now() time.Duration { return time.Since(w.begin) }

// sound says that nothing fails any more. Called with mu held.
func (w *model) sound() bool { return w.mended }

// newVersion is what the splitter does when it is given two other versions.
func (w *model) newVersion(q *rollout.Requested) {
	w.at = q.Plan.Start()
}

// fresh says that the process did not die at such a record before. One that is
// written anew by each process, because the last one has got no further, would keep
// them dying for ever.
func (w *model) fresh(r rollout.Record) bool {
	if r.Kind == rollout.KindCheckpoint {
		return true
	}
	place := fmt.Sprint(r.Kind, r.Rollout, r.Generation, r.Step, r.Actor)
	fresh := !w.died[place]
	w.died[place] = true
	return fresh
}

// TestModel lives through random worlds: random plans with shares, copies and instances,
// and requests, gates, judges, alarms, targets and journals that fail in every way,
// people who do anything at any time, a second request on top of the first, freezes and
// limits, and a process that dies after every single record or at random ones, before or
// after they are written. Whatever happens, the invariants of the ledger hold, and it ends.
func TestModel(t *testing.T) {
	n := uint64(*worlds)
	if testing.Short() || raceEnabled {
		n = min(n, 100)
	}
	log.SetOutput(io.Discard) // where slog.Default writes
	defer log.SetOutput(os.Stderr)
	var mu sync.Mutex
	outcomes, lives, records := map[string]int{}, 0, 0
	t.Run("worlds", func(t *testing.T) {
		for shard := range uint64(4) {
			t.Run(fmt.Sprint(shard), func(t *testing.T) {
				t.Parallel()
				for seed := *firstSeed + shard; seed < *firstSeed+n && !t.Failed(); seed += 4 {
					w, compared := ends(t, seed)
					mu.Lock()
					for _, m := range w.ledger.machines {
						outcomes[m.State().Outcome.String()]++
					}
					lives += w.lives
					records += w.ledger.records
					outcomes["compared"] += compared
					mu.Unlock()
				}
			})
		}
	})
	t.Logf("%d worlds, %d processes, %d records: %v", n, lives, records, outcomes)
}

// ends lives through one world, and once more without a crash if that must make no
// difference.
func ends(t *testing.T, seed uint64) (w *model, compared int) {
	f := draw(seed)
	compare := f.crashes != "never" && f.timeless() // before anything happens in it
	w = through(t, seed, f)
	if !compare {
		return w, 0
	}
	calm := draw(seed)
	calm.crashes = "never"
	if undisturbed := through(t, seed, calm); undisturbed.outcome != w.outcome {
		t.Errorf("seed %d: it ends %v, and %v if its process dies", seed, undisturbed.outcome, w.outcome)
	}
	return w, 1
}

// through lives through one world.
func through(t *testing.T, seed uint64, f *fate) (w *model) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w = &model{fate: f, begin: time.Now(), died: map[string]bool{}, ledger: newLedger(), memory: &rollout.Memory{CheckpointEvery: f.segment}, random: rand.New(rand.NewPCG(seed, 6))}
		w.founded(t)
		for w.lives = 1; w.live(t); w.lives++ {
			if w.lives == 1000 || w.now() > doomsday {
				w.ledger.breaks("no end in sight after %d processes and %v", w.lives, w.now())
				break
			}
			time.Sleep(w.downtime)
		}
		w.check(t)
		if len(w.ledger.wrong) > 0 {
			var b strings.Builder
			for r := range w.memory.Records() {
				fmt.Fprintf(&b, "%3d %-18s %-22s %v\n", r.Seq, r.From, r.To, r)
			}
			t.Errorf("seed %d, crashes %s, full %v:\n%s\n%v\n%v\n%s", seed, f.crashes, f.full, strings.Join(w.ledger.wrong, "\n"), f.plans[0], f.plans[1], &b)
		}
	})
	return w
}

// founded writes a release that has succeeded, to come back to.
func (w *model) founded(t *testing.T) {
	for _, r := range []rollout.Record{
		{Kind: rollout.KindRequested, Actor: "host", From: "pending", To: "forward 0", Request: &rollout.Requested{Release: rollout.Release{Name: "shop", Version: "1", Digest: "one"}}},
		{Kind: rollout.KindFinished, Actor: "engine", From: "forward 0", To: "succeeded"},
	} {
		r.Rollout, r.At = "base", time.Now().UTC()
		r, err := w.memory.Append(t.Context(), r)
		require.NoError(t, err)
		w.ledger.took(r, nil)
	}
}

// live is the life of one process. It says whether there has to be another.
func (w *model) live(t *testing.T) bool {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := &process{Memory: w.memory, model: w, die: cancel}
	if w.crashes == "random" && w.lives < 20 {
		p.n, p.after = 1+w.random.IntN(12), w.random.IntN(2) == 0
	}
	options := w.options
	options.OnRecord = func(rollout.Record) { time.Sleep(w.tells) }
	engine, err := rollout.New(p, options)
	if err != nil {
		w.ledger.breaks("the journal cannot be opened: %v", err)
		return false
	}
	w.same(engine)
	l := &life{model: w, process: p, engine: engine, resumed: map[string]bool{}}
	for i, q := range w.requests {
		for j, name := range judges {
			if j > 0 && !w.apart[i] {
				l.cohorts[i][j] = l.cohorts[i][0]
				continue
			}
			cohorts, err := engine.Cohorts(q.ID, name, health.CohortsOptions{})
			require.NoError(t, err)
			l.cohorts[i][j] = cohorts
		}
	}
	for i := range w.requests {
		if !w.over[i] && (i == 0 || w.comes >= 0) {
			l.busy.Go(func() { l.deploy(ctx, i) })
		}
	}
	l.busy.Go(func() { l.people(ctx) })
	l.takenBack(ctx)
	var idle sync.WaitGroup
	idle.Go(func() { l.traffic(ctx) })
	idle.Go(func() { l.mend(ctx) })
	l.busy.Wait()
	cancel()
	idle.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return p.dead
}

// life is what a process does.
type life struct {
	*model
	process *process
	engine  *rollout.Engine
	cohorts [2][2]*health.Cohorts // by request and judge
	busy    sync.WaitGroup        // what has to be over before the world is
	resumed map[string]bool       // guarded by the model's mu
}

func (l *life) breaks(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ledger.breaks(format, args...)
}

// deploy asks for a rollout until it is over.
func (l *life) deploy(ctx context.Context, i int) {
	if i == 1 && sleep(ctx, l.comes-l.now()) != nil {
		return
	}
	for {
		outcome, err := l.engine.Deploy(ctx, l.request(i))
		switch {
		case (errors.Is(err, errFull) || errors.Is(err, errHangs)) && ctx.Err() == nil: // it was refused: ask again
			if sleep(ctx, 10*time.Second) != nil {
				return
			}
			continue
		case errors.Is(err, errCrash), errors.Is(err, context.Canceled):
			return
		case errors.Is(err, rollout.ErrConflict) && l.requests[i].Overlap == rollout.Reject:
		case err != nil:
			l.breaks("deploy of %q: %v", l.requests[i].ID, err)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.over[i] = true
		if s, known := l.ledger.state(l.requests[i].ID); err == nil && (!known || s.Outcome != outcome) {
			l.ledger.breaks("%q ended %v, and the journal has %v", l.requests[i].ID, outcome, s)
		}
		if i == 0 {
			l.outcome = outcome
		}
		return
	}
}

// takenBack resumes what a person has requested.
func (l *life) takenBack(ctx context.Context) {
	for s := range l.engine.Live() {
		l.mu.Lock()
		if s.TakesBack == "" || l.resumed[s.ID] {
			l.mu.Unlock()
			continue
		}
		l.resumed[s.ID] = true
		l.mu.Unlock()
		l.busy.Go(func() {
			_, err := l.engine.Resume(ctx, rollout.Request{ID: s.ID, Target: l.process, StepTimeout: 20 * time.Second, Look: 10 * time.Second})
			if err != nil && !errors.Is(err, errCrash) && ctx.Err() == nil {
				l.breaks("resume of %q: %v", s.ID, err)
			}
		})
	}
}

// people do what they do.
func (l *life) people(ctx context.Context) {
	for l.deeds < len(l.fate.people) {
		deed := l.fate.people[l.deeds]
		if sleep(ctx, deed.at-l.now()) != nil {
			return
		}
		l.deeds++
		l.act(ctx, deed.id, deed.kind)
	}
}

func (l *life) act(ctx context.Context, id string, kind rollout.ActKind) {
	err := l.engine.Act(ctx, id, rollout.Act{Kind: kind, Actor: "ann", Reason: "so"})
	for _, fine := range []error{nil, rollout.ErrConflict, rollout.ErrOver, rollout.ErrNotFound, rollout.ErrNoWayBack, errCrash, errFull, errHangs, context.Canceled} {
		if errors.Is(err, fine) {
			l.takenBack(ctx)
			return
		}
	}
	l.breaks("%s of %q: %v", kind, id, err)
}

// traffic comes to both sides, and somebody moves the target by hand.
func (l *life) traffic(ctx context.Context) {
	for unit := uint64(0); sleep(ctx, 5*time.Second) == nil; unit++ {
		l.mu.Lock()
		if l.byHand >= 0 && l.now() > l.byHand && !l.mended {
			l.at.Share, l.at.Why, l.byHand, l.moved = l.at.Share/2, l.why, -1, true
		}
		ramp, none := int32(max(l.at.Share, 1)), l.idle && !l.mended
		l.mu.Unlock()
		for i := range l.cohorts {
			for j, cohorts := range l.cohorts[i] {
				if none || j > 0 && !l.apart[i] {
					continue
				}
				for range 5 - j { // those of the second judge have fewer
					cohorts.Record(health.Outcome{Unit: unit, Slot: 0, Ramp: ramp, Class: health.Success})
					cohorts.Record(health.Outcome{Unit: unit, Slot: 99_999, Ramp: 1, Class: health.Success})
				}
			}
		}
	}
}

// mend waits until everything should be over, but what waits for a person; then
// nothing fails any more, and a person sees to what is left.
func (l *life) mend(ctx context.Context) {
	if sleep(ctx, mended-l.now()) != nil {
		return
	}
	for s := range l.engine.Live() {
		l.mu.Lock()
		if !l.model.mended && !l.waits(s) {
			l.ledger.breaks("%q is %v (%s) and neither ends nor waits for anybody", s.ID, s.State, s.Phase)
		}
		l.mu.Unlock()
	}
	for sleep(ctx, time.Millisecond) == nil {
		l.mu.Lock()
		if s, known := l.ledger.state(l.ledger.active); known && !l.model.mended && s.Phase != rollout.Back {
			l.at.Share, l.at.Why = s.Share, ""
		}
		l.model.mended = true
		late := l.now() > doomsday
		l.mu.Unlock()
		if late {
			l.breaks("no end in sight: %v", l.ledger)
			l.process.die()
			return
		}
		for s := range l.engine.Live() {
			switch hold, holds := l.stands(s); {
			case s.State.Paused != (rollout.Stop{}) || s.State.Frozen != (rollout.Stop{}):
				l.act(ctx, s.ID, rollout.Continue)
			case holds && hold.Approval && !s.State.Approved:
				l.act(ctx, s.ID, rollout.Approve)
			}
		}
		_ = sleep(ctx, 30*time.Second)
	}
}

// stands is the hold that a rollout is in.
func (l *life) stands(s rollout.Status) (strategy.Hold, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.holds(s)
}

func (w *model) holds(s rollout.Status) (strategy.Hold, bool) {
	return w.ledger.hold(s.ID)
}

// waits says that a rollout has moved of late, or waits for a person, or for
// requests, as long as it may. Called with mu held.
func (w *model) waits(s rollout.Status) bool {
	hold, holds := w.holds(s)
	forever := s.State.Deadline.IsZero() // there is none, or it has paused it once
	switch {
	case time.Since(w.ledger.moved[s.ID]) < 15*time.Minute, s.State.Paused != (rollout.Stop{}):
		return true
	case s.State.Frozen.Until.After(time.Now()):
		return true
	case holds && hold.Approval && !s.State.Approved:
		return forever
	case holds && len(hold.Judges) > 0 && (w.idle || w.requests[0].Promotion+w.requests[1].Promotion > 0):
		return forever
	}
	return false
}

// same holds an engine that has read the journal to what the ledger has.
func (w *model) same(engine *rollout.Engine) {
	for _, id := range w.ledger.order {
		status, err := engine.Status(id)
		want, _ := w.ledger.state(id)
		if got := status.State; err != nil || status.State != want && w.segment == 0 || got.String() != want.String() || got.Share != want.Share || got.Peak != want.Peak {
			w.ledger.breaks("another engine says that %q is %v, want %v (%v)", id, got, want, err)
		}
	}
}

// check holds the whole journal to what can be said of it at the end.
func (w *model) check(t *testing.T) {
	engine, err := rollout.New(w.memory, rollout.Options{})
	require.NoError(t, err)
	w.same(engine)
	ends := map[string]int{}
	again := newLedger() // of what a file would have
	for r := range w.memory.Records() {
		if r.Kind == rollout.KindFinished {
			ends[r.Rollout]++
		}
		if w.lives%4 == 0 {
			text, err := json.Marshal(r)
			require.NoError(t, err)
			var read rollout.Record
			require.NoError(t, json.Unmarshal(text, &read))
			again.took(read, nil)
		}
	}
	for _, id := range again.order {
		got, _ := again.state(id)
		if want, _ := w.ledger.state(id); got != want {
			w.ledger.breaks("after JSON, %q is %v, want %v", id, got, want)
		}
	}
	w.ledger.wrong = append(w.ledger.wrong, again.wrong...)
	for _, id := range w.ledger.order {
		s, _ := w.ledger.state(id)
		if ends[id] != 1 || s.Phase != rollout.Done {
			w.ledger.breaks("%q has ended %d times, and is %v", id, ends[id], s)
		}
	}
	if _, known := w.ledger.state("r"); !known && w.full == (span{}) && w.requests[0].Overlap != rollout.Reject {
		w.ledger.breaks("nothing was ever written")
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
	return ctx.Err()
}
