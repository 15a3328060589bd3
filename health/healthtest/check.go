package healthtest

import (
	"bytes"
	"context"
	"fmt"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/guidon-go/guidon/health"
)

// tolerance is how late a probe may return. It is more than any needs that heeds its
// context, since a machine may be busy.
const tolerance = time.Second

// The rules of [TestCheck], with ruleConcurrent.
const (
	ruleSettings   = "settings"   // a monitor takes it
	ruleAnswer     = "answer"     // it returns within a tolerance after its timeout, with no panic and an error that can be printed
	ruleCancel     = "cancel"     // it returns within a tolerance after its context is cancelled, before or while it asks
	ruleGoroutines = "goroutines" // it leaves none behind
)

// TestCheck asks a check some sixty times, most of them with a context that is
// cancelled soon, and wants that
//   - settings: [health.NewMonitor] takes it (what it needs is left out);
//   - answer: its probe returns 1 s after its timeout at the latest, does not panic, does
//     not end its goroutine, and an error says something;
//   - cancel: the probe returns 1 s after its context is cancelled at the latest, also if
//     that was before it began;
//   - concurrent: several monitors can ask at the same time (look with -race);
//   - goroutines: the probe leaves none behind. A few that are kept for the next time, as
//     a pool of connections does, are none.
//
// What the probe answers does not matter. Whether it heeds its context shows only
// where it has to wait, so call this twice: for something that answers, and for something
// that never does, such as a listener that accepts and says nothing. It takes about a
// second and the check's timeout, and at most 15 s and that timeout: a probe that is late,
// but each time by less than 1 s.
func TestCheck(t T, newCheck func() health.Check) {
	t.Helper()
	k := &checkKit{kit: newKit(t), label: strconv.FormatUint(kits.Add(1), 10)}
	check := newCheck()
	check.Needs = nil
	if _, err := health.NewMonitor([]health.Check{check}, health.MonitorOptions{}); err != nil {
		k.fail(ruleSettings, "a monitor refuses it: %v", err)
		return
	}
	timeout := check.Timeout
	if timeout == 0 {
		timeout = 2 * time.Second // as health has it
	}
	// The first that does not return ends it, since the others would not either.
	_ = k.answers(check.Probe, timeout) && k.cancels(check.Probe) && k.concurrent(newCheck(), check) && k.leaves(check.Probe)
}

// kits counts the kits of this process, so that each knows its goroutines.
var kits atomic.Uint64

type checkKit struct {
	*kit
	label string
}

// asking is one call of a probe. What comes of it is empty, or what is against the rules
// whatever was asked.
type asking struct {
	cancel context.CancelFunc
	ended  chan string
}

// ask calls the probe on a goroutine that is known by its label, as all are that it starts.
func (k *checkKit) ask(probe health.Probe, timeout time.Duration) asking {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	ctx = pprof.WithLabels(ctx, pprof.Labels("healthtest", k.label))
	a := asking{cancel, make(chan string, 1)}
	go func() {
		wrong := "the probe ended its goroutine, as a test's FailNow does"
		defer func() {
			if thrown := recover(); thrown != nil {
				wrong = fmt.Sprintf("panic: %v\n%s", thrown, debug.Stack())
			}
			a.ended <- wrong
		}()
		pprof.SetGoroutineLabels(ctx)
		err := probe(ctx)
		if err != nil && err.Error() == "" {
			wrong = "the error says nothing"
			return
		}
		wrong = ""
	}()
	return a
}

// soon waits for all answers; false if one does not come.
func (k *checkKit) soon(rule string, wait time.Duration, after string, all ...asking) bool {
	k.t.Helper()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for _, a := range all {
		defer a.cancel()
	}
	for _, a := range all {
		select {
		case wrong := <-a.ended:
			if wrong != "" {
				k.fail(ruleAnswer, "%s", wrong)
			}
		case <-timer.C:
			k.fail(rule, "the probe has not returned %v after %s", tolerance, after)
			return false
		}
	}
	return true
}

func (k *checkKit) answers(probe health.Probe, timeout time.Duration) bool {
	k.t.Helper()
	return k.soon(ruleAnswer, timeout+tolerance, "its timeout of "+timeout.String(), k.ask(probe, timeout))
}

func (k *checkKit) cancels(probe health.Probe) bool {
	k.t.Helper()
	dead, cancel := context.WithCancel(context.Background())
	cancel()
	before := k.ask(func(context.Context) error { return probe(dead) }, time.Hour)
	if !k.soon(ruleCancel, tolerance, "it was called with a context that was cancelled", before) {
		return false
	}
	for _, wait := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond} {
		a := k.ask(probe, time.Hour)
		time.Sleep(wait)
		a.cancel()
		if !k.soon(ruleCancel, tolerance, "its context was cancelled", a) {
			return false
		}
	}
	return k.soon(ruleCancel, short+tolerance, "its context's deadline", k.ask(probe, short))
}

// short is a timeout that most probes cannot keep.
const short = 10 * time.Millisecond

// concurrent asks one check several times at the same time, and another.
func (k *checkKit) concurrent(checks ...health.Check) bool {
	k.t.Helper()
	var all []asking
	for range 4 {
		for _, c := range append(checks, checks...) {
			all = append(all, k.ask(c.Probe, short))
		}
	}
	return k.soon(ruleConcurrent, short+tolerance, "its context's deadline, asked several times at the same time", all...)
}

// leaves asks often, several at a time so that it does not take long.
func (k *checkKit) leaves(probe health.Probe) bool {
	k.t.Helper()
	const rounds, atOnce, kept = 4, 10, 20
	for range rounds {
		var all []asking
		for range atOnce {
			all = append(all, k.ask(probe, time.Hour))
		}
		for i, a := range all {
			if i%3 == 2 {
				time.Sleep(time.Millisecond)
			}
			a.cancel()
		}
		if !k.soon(ruleCancel, tolerance, "its context was cancelled", all...) {
			return false
		}
	}
	if left := k.goroutines(kept); left > kept {
		k.fail(ruleGoroutines, "asked %d times, and a few before, the probe has left %d goroutines behind", rounds*atOnce, left)
	}
	return true
}

// goroutines counts those that our calls have started and that have not ended, when they
// are not more than enough, or soon.
func (k *checkKit) goroutines(enough int) (n int) {
	mark := fmt.Sprintf(`"healthtest":%q`, k.label)
	for wait := time.Millisecond; ; wait *= 2 {
		var profile bytes.Buffer
		_ = pprof.Lookup("goroutine").WriteTo(&profile, 1) // a buffer takes everything
		n = 0
		alike := 0 // how many goroutines the lines are about
		for line := range strings.Lines(profile.String()) {
			if count, _, found := strings.Cut(line, " @ "); found {
				alike, _ = strconv.Atoi(count)
			} else if strings.HasPrefix(line, "# labels:") && strings.Contains(line, mark) {
				n += alike
			}
		}
		if n <= enough || wait > 2*tolerance {
			return n
		}
		time.Sleep(wait)
	}
}
