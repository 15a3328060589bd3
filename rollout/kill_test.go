package rollout_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

var kills = flag.Int("rollout.kills", 20, "how often TestKill kills a process")

// killed is the folder of the process that is going to be killed.
const killed = "GUIDON_KILL_FOLDER"

// The rollouts of one such process, and how they end.
var endings = map[string]rollout.Outcome{
	"good": rollout.Succeeded, "better": rollout.Succeeded, "no smoke": rollout.Cancelled, "hurts": rollout.RolledBack, "stuck": rollout.RolledBack,
}

func killPlan() strategy.Plan {
	p := strategy.Plan{Strategy: "kill", Steps: []strategy.Step{strategy.Verify{Gates: []string{"smoke"}}}}
	from := strategy.Share(0)
	for _, percent := range []strategy.Share{1, 10, 50, 100} {
		to := percent * strategy.Percent
		p.Steps = append(p.Steps, strategy.Shift{From: from, To: to}, strategy.Hold{For: 25 * time.Millisecond, Judges: []string{"errors"}})
		from = to
	}
	return p
}

// fileTarget has its share in a file, and every shift in a log.
type fileTarget struct {
	folder, id string
	stuck      bool
}

func (f fileTarget) share() string { return filepath.Join(f.folder, f.id+".share") }

// Shift writes down that it is done, and does it.
func (f fileTarget) Shift(_ context.Context, to strategy.Share) error {
	if f.stuck && to == strategy.All {
		return errStuck
	}
	if err := leave(filepath.Join(f.folder, f.id+".log"), os.O_APPEND, fmt.Sprintln(int(to))); err != nil {
		return err
	}
	next := f.share() + ".next"
	return errors.Join(leave(next, os.O_TRUNC, strconv.Itoa(int(to))), os.Rename(next, f.share()))
}

// Observe reads the file.
func (f fileTarget) Observe(context.Context) (strategy.Observation, error) {
	text, err := os.ReadFile(f.share())
	if errors.Is(err, os.ErrNotExist) {
		return strategy.Observation{}, nil
	}
	share, wrong := strconv.Atoi(string(text))
	return strategy.Observation{Share: strategy.Share(share)}, errors.Join(err, wrong)
}

func leave(name string, how int, text string) error {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|how, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Sync(), file.Close())
}

// TestKilledProcess is the process that TestKill kills: it rolls out several services
// at once and says what was acknowledged.
func TestKilledProcess(t *testing.T) {
	folder := os.Getenv(killed)
	if folder == "" {
		t.Skip("it is for TestKill")
	}
	journal, err := rollout.FileOptions{SegmentSize: 8 << 10}.Open(filepath.Join(folder, "journal"))
	require.NoError(t, err)
	defer journal.Close()
	var mu sync.Mutex
	engine, err := rollout.New(journal, rollout.Options{OnRecord: func(r rollout.Record) {
		text, err := json.Marshal(r)
		mu.Lock()
		defer mu.Unlock()
		if _, wrong := fmt.Printf("\n%s\n", text); err != nil || wrong != nil {
			t.Error(err, wrong)
		}
	}})
	require.NoError(t, err)
	var all sync.WaitGroup
	for id, want := range endings {
		target := fileTarget{folder, id, id == "stuck"}
		judge := health.JudgeFunc(func(health.State, health.Sample) (v health.Verdict, _ health.State) {
			if seen, _ := target.Observe(t.Context()); id == "hurts" && seen.Share > strategy.Percent {
				v = health.Verdict{Call: health.Fail, Reason: "it hurts"}
			}
			return v, nil
		})
		cohorts, err := engine.Cohorts(id, "errors", health.CohortsOptions{})
		require.NoError(t, err)
		all.Go(func() {
			outcome, err := engine.Deploy(t.Context(), rollout.Request{
				ID: id, Service: id, Plan: killPlan(), Target: target, Look: 5 * time.Millisecond,
				Gates: map[string]rollout.Gate{"smoke": func(context.Context) error {
					if id == "no smoke" {
						return errWrong
					}
					return nil
				}},
				Watches: map[string]rollout.Watch{"errors": {Judge: judge, Cohorts: cohorts}},
			})
			if outcome != want || err != nil {
				t.Errorf("%s ended %v, want %v (%v)", id, outcome, want, err)
			}
		})
	}
	all.Wait()
}

// TestKill kills a real process at random moments, and starts it again, until all its
// rollouts are over; and all of that again. Whatever it said was acknowledged is in
// the journal, as it said; no shift that was acknowledged is done again; and all
// ends as if nobody had killed it.
func TestKill(t *testing.T) {
	left, rounds, acknowledged := *kills, 0, 0
	if testing.Short() {
		left = min(left, 5)
	}
	for ; left > 0; rounds++ {
		k := &killing{folder: t.TempDir(), done: map[string][]strategy.Share{}}
		for over := false; !over; {
			var die time.Duration
			if left > 0 {
				die = time.Duration(1+rand.IntN(60)) * time.Millisecond
			}
			if over = k.live(t, die); !over {
				left--
			}
		}
		k.check(t)
		acknowledged += len(k.said)
	}
	t.Logf("%d kills in %d rounds, %d records were acknowledged", *kills-left, rounds, acknowledged)
}

// killing is what is known of the processes of one round.
type killing struct {
	folder string
	said   []rollout.Record            // what they said was acknowledged
	done   map[string][]strategy.Share // shifts forward, by rollout, that were so
	logged map[string]int              // shifts in each log, when the last one died
}

// live runs one process and kills it after some time, unless that is zero. It says
// whether the process came to its end.
func (k *killing) live(t *testing.T, die time.Duration) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledProcess$", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), killed+"="+k.folder)
	var out, problems bytes.Buffer
	doomed := sync.OnceFunc(func() { time.AfterFunc(die, func() { _ = cmd.Process.Kill() }) })
	if die == 0 {
		doomed = func() {}
	}
	cmd.Stdout, cmd.Stderr = saying{&out, doomed}, &problems
	require.NoError(t, cmd.Start())
	if rand.IntN(4) == 0 {
		doomed() // perhaps before it has said anything
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() > 0 && die == 0 || strings.Contains(out.String(), "--- FAIL")) {
		t.Fatalf("%v\n%s\n%s", err, &out, &problems)
	}
	for id := range endings { // of what was done before, nothing is done again
		for i, to := range k.log(t, id) {
			if i >= k.logged[id] && slices.Contains(k.done[id], to) {
				t.Errorf("%s was shifted to %v again, which had been acknowledged", id, to)
			}
		}
	}
	k.logged = map[string]int{}
	for id := range endings {
		k.logged[id] = len(k.log(t, id))
	}
	lines := bufio.NewScanner(&out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r rollout.Record
		if json.Unmarshal(lines.Bytes(), &r) != nil {
			continue // it died in the middle of a line, or this is not one of ours
		}
		k.said = append(k.said, r)
		if r.Kind != rollout.KindDone || r.Generation > 0 {
			continue
		}
		if shift, ok := killPlan().Steps[r.Step].(strategy.Shift); ok {
			k.done[r.Rollout] = append(k.done[r.Rollout], shift.To)
		}
	}
	return err == nil
}

// saying is what a process says; it calls first when there is something.
type saying struct {
	out   *bytes.Buffer
	first func()
}

func (s saying) Write(text []byte) (int, error) {
	s.first()
	return s.out.Write(text)
}

// log is every shift that was done.
func (k *killing) log(t *testing.T, id string) []strategy.Share {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(k.folder, id+".log"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	require.NoError(t, err)
	var out []strategy.Share
	for line := range strings.Lines(string(text)) {
		share, err := strconv.Atoi(strings.TrimSpace(line))
		require.NoError(t, err)
		out = append(out, strategy.Share(share))
	}
	return out
}

// check looks at what there is at the end.
func (k *killing) check(t *testing.T) {
	t.Helper()
	journal := openFile(t, filepath.Join(k.folder, "journal"))
	require.NoError(t, rollout.Verify(journal.Records()))
	sums, begun := map[uint64]string{}, map[string]int{}
	ledgers := map[string]*ledger{}
	for _, r := range records(t, journal) {
		sums[r.Seq] = r.Sum
		if r.Kind == rollout.KindCheckpoint {
			continue
		}
		if ledgers[r.Rollout] == nil {
			ledgers[r.Rollout] = newLedger()
		}
		ledgers[r.Rollout].took(r, nil)
		if r.Kind == rollout.KindBegun && r.Generation == 0 {
			if shift, ok := killPlan().Steps[r.Step].(strategy.Shift); ok {
				begun[fmt.Sprint(r.Rollout, shift.To)]++
			}
		}
	}
	for _, r := range k.said {
		require.Equal(t, r.Sum, sums[r.Seq], "record %d was acknowledged: %v", r.Seq, r)
	}
	engine := newEngine(t, journal)
	for id, want := range endings {
		require.Empty(t, ledgers[id].wrong, id)
		status, err := engine.Status(id)
		require.NoError(t, err)
		require.Equal(t, want, status.State.Outcome, id)
		seen, err := fileTarget{folder: k.folder, id: id}.Observe(t.Context())
		require.NoError(t, err)
		require.Equal(t, want == rollout.Succeeded, seen.Share == strategy.All, "%s is at %v", id, seen.Share)
		require.True(t, want == rollout.Succeeded || seen.Share == 0, "%s is at %v", id, seen.Share)
		shifted := map[string]int{}
		for _, to := range k.log(t, id) {
			if shifted[fmt.Sprint(id, to)]++; to > 0 {
				require.LessOrEqual(t, shifted[fmt.Sprint(id, to)], begun[fmt.Sprint(id, to)], "%s was shifted to %v more often than it was written before", id, to)
			}
		}
	}
}
