package healthtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime/debug"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/guidon-go/guidon/health"
)

// The rules of [TestJudge], with ruleConcurrent.
const (
	rulePanic   = "panic"        // whatever it is given
	rulePure    = "pure"         // equal arguments, equal results; what it is given stays as it is
	ruleVerdict = "verdict"      // numbers that are numbers, one sentence, JSON and back
	ruleMissing = "missing data" // is inconclusive
	ruleState   = "state"        // JSON; what cannot be read is fresh
	ruleResume  = "resume"       // judging on from a journal equals judging at once
	ruleAlpha   = "alpha"        // WithAlpha gives another judge, and Validate refuses what is none
	ruleBound   = "bound"        // harmless changes fail no more often than alpha
)

// JudgeOptions sets up [TestJudge].
type JudgeOptions struct {
	// Rollouts is how many harmless rollouts a [health.Bounded] judges. Zero means 300;
	// below zero is none, where a longer simulation of its own is better.
	Rollouts int
	// Seed is of the traffic. The same seed is the same traffic.
	Seed uint64
	// Cohorts is what the judge needs to be kept of the traffic. The zero value suits one
	// that judges by errors.
	Cohorts health.CohortsOptions
	// Independent is for a judge that takes each request for a unit of its own, and
	// says so: no user of a harmless rollout comes twice.
	Independent bool
	// ErrorRate is the share of requests that fail in a harmless rollout. Zero means
	// 0.06; a judge of a fixed limit wants it at that limit.
	ErrorRate float64
}

// TestJudge shows a judge a dozen rollouts, and wants that
//   - panic: it never does, whatever the state;
//   - pure: equal arguments give equal results, whatever it looked at in between, and it
//     writes neither to the state nor to the sample;
//   - verdict: the call is one of the three, the numbers are finite, LogPeak is the highest
//     LogE so far, the reason is one sentence on one line, and all of it is JSON and back;
//   - missing data: a candidate without an outcome is inconclusive;
//   - state: it is empty or JSON, and one that is not is read as a fresh one;
//   - resume: a new judge that goes on from the journal at each look, as after a crash,
//     says the same;
//   - concurrent: several goroutines can look at the same time (look with -race).
//
// And where it is a [health.Bounded], that
//   - alpha: WithAlpha is another judge and leaves the first as it was; Validate refuses
//     what is not between 0 and 1 with [health.ErrInvalid] (0 may mean a default), and a
//     judge that it refuses stays inconclusive;
//   - bound: of [JudgeOptions.Rollouts] seeded rollouts that do no harm, no more than alpha
//     (which is set to 10 %) and three standard errors are failed, looked at after every
//     failure.
//
// It does not want that a judge finds harm. newJudge returns an equal judge each time.
func TestJudge(t T, newJudge func() health.Judge, o JudgeOptions) {
	t.Helper()
	k := &judgeKit{kit: newKit(t), judge: newJudge(), stories: stories(o)}
	defer func() {
		if thrown := recover(); thrown != nil && thrown != error(errPanicked) {
			panic(thrown) // the kit's own
		}
	}()
	bounded, isBounded := k.judge.(health.Bounded)
	if isBounded {
		if err := bounded.Validate(); err != nil {
			k.fail(ruleAlpha, "its own settings are refused: %v", err)
			return
		}
	}
	k.pure()
	k.verdicts()
	k.missing(o)
	k.states(o.Seed)
	k.resumes(newJudge)
	if !k.broken[rulePure] { // whose errors these would be too, and data races
		k.together()
	}
	if isBounded {
		k.alphas(bounded)
		k.bound(bounded, o)
	}
}

type judgeKit struct {
	*kit
	judge   health.Judge
	stories []story
}

// errPanicked ends the kit, since a judge that panics does it again.
var errPanicked = errors.New("the judge has panicked")

// look looks, on the kit's own goroutine.
func (k *judgeKit) look(judge health.Judge, state health.State, sample health.Sample) (health.Verdict, health.State) {
	k.t.Helper()
	v, next, thrown := look(judge, state, sample)
	if thrown != "" {
		k.fail(rulePanic, "with state %q, of %v: %s", state, sample, thrown)
		panic(errPanicked)
	}
	return v, next
}

func look(judge health.Judge, state health.State, sample health.Sample) (v health.Verdict, next health.State, thrown string) {
	defer func() {
		if r := recover(); r != nil {
			thrown = fmt.Sprintf("%v\n%s", r, debug.Stack())
		}
	}()
	v, next = judge.Look(state, sample)
	return v, next, ""
}

// judged is all that a judge says of a story, look after look.
func (k *judgeKit) judged(judge health.Judge, s story) (verdicts []health.Verdict, states []health.State) {
	k.t.Helper()
	var state health.State
	for _, sample := range s.samples {
		var v health.Verdict
		v, state = k.look(judge, state, sample)
		verdicts, states = append(verdicts, v), append(states, state)
	}
	return verdicts, states
}

func (k *judgeKit) pure() {
	k.t.Helper()
	for _, s := range k.stories {
		var state health.State
		first, firstNext := k.look(k.judge, nil, s.samples[0])
		for i, sample := range s.samples {
			// With room behind it, where an append would write.
			const room = "what is behind"
			given := append(append(health.State(nil), state...), room...)[:len(state)]
			v, next := k.look(k.judge, given, sample)
			if !bytes.Equal(given, state) || string(given[:cap(given)][len(state):][:len(room)]) != room {
				k.fail(rulePure, "%s, look %d: the state that was given is written to", s.name, i+1)
			}
			if !reflect.DeepEqual(sample, s.twins[i]) {
				k.fail(rulePure, "%s, look %d: the sample that was given is written to", s.name, i+1)
			}
			again, nextAgain := k.look(k.judge, append(health.State(nil), state...), s.twins[i])
			if !same(v, again) || !bytes.Equal(next, nextAgain) {
				k.fail(rulePure, "%s, look %d: equal arguments gave\n\t%+v, state %s, and then\n\t%+v, state %s", s.name, i+1, v, next, again, nextAgain)
			}
			state = next
		}
		again, nextAgain := k.look(k.judge, nil, s.twins[0])
		if !same(first, again) || !bytes.Equal(firstNext, nextAgain) {
			k.fail(rulePure, "%s: after other looks, equal arguments gave\n\t%+v, state %s, and then\n\t%+v, state %s", s.name, first, firstNext, again, nextAgain)
		}
	}
}

// same compares verdicts whose numbers may be NaN.
func same(a, b health.Verdict) bool {
	return fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b)
}

func (k *judgeKit) verdicts() {
	k.t.Helper()
	for _, s := range k.stories {
		peak := 0.0
		verdicts, _ := k.judged(k.judge, s)
		for i, v := range verdicts {
			k.verdict(fmt.Sprintf("%s, look %d", s.name, i+1), v)
			peak = max(peak, v.LogE)
			if v.LogPeak < peak {
				k.fail(ruleVerdict, "%s, look %d: LogPeak is %v, want the highest LogE so far, which is %v", s.name, i+1, v.LogPeak, peak)
			}
		}
	}
}

func (k *judgeKit) verdict(where string, v health.Verdict) {
	k.t.Helper()
	if v.Call > health.Fail {
		k.fail(ruleVerdict, "%s: %v is none of the three", where, v.Call)
	}
	for name, x := range map[string]float64{"LogE": v.LogE, "LogPeak": v.LogPeak, "LogThreshold": v.LogThreshold} {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			k.fail(ruleVerdict, "%s: %s is %v, want a number", where, name, x)
			return
		}
	}
	switch {
	case strings.TrimSpace(v.Reason) == "":
		k.fail(ruleVerdict, "%s: there is no reason, want a sentence", where)
	case strings.TrimSpace(v.Reason) != v.Reason || strings.ContainsFunc(v.Reason, unicode.IsControl) || !utf8.ValidString(v.Reason):
		k.fail(ruleVerdict, "%s: the reason is %q, want one line of text", where, v.Reason)
	}
	data, err := json.Marshal(v)
	var back health.Verdict
	if err == nil {
		err = json.Unmarshal(data, &back)
	}
	if v.Call <= health.Fail && utf8.ValidString(v.Reason) && (err != nil || back != v) {
		k.fail(ruleVerdict, "%s: as JSON %+v is %s and comes back as %+v (%v)", where, v, data, back, err)
	}
}

// missing shows what no candidate has been in.
func (k *judgeKit) missing(o JudgeOptions) {
	k.t.Helper()
	samples := []health.Sample{{}, health.NewCohorts(o.Cohorts).Snapshot()}
	for _, s := range k.stories {
		if s.noCandidate {
			samples = append(samples, s.samples...)
		}
	}
	var state health.State
	for _, sample := range samples {
		var v health.Verdict
		v, state = k.look(k.judge, state, sample)
		k.verdict("missing data", v)
		if v.Call != health.Inconclusive {
			k.fail(ruleMissing, "of %v it says %q, want inconclusive", sample, v)
		}
	}
}

// states shows states that nobody wrote, and some that somebody bent.
func (k *judgeKit) states(seed uint64) {
	k.t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	for _, s := range k.stories {
		last := s.samples[len(s.samples)-1]
		fresh, freshNext := k.look(k.judge, nil, last)
		_, states := k.judged(k.judge, s)
		own := states[len(states)-1]
		for _, state := range states {
			if len(state) > 0 && !json.Valid(state) {
				k.fail(ruleState, "%s: it is %q, want JSON", s.name, state)
			}
		}
		odd := []string{"", "null", "{", "}", "nul", "\x00", "\xff\xfe", `{"a":`, "{} {}", "{}", "[]", "0", "-1e308", "1e999", "true", `"text"`, `{"a":{"b":[1,"2",null]}}`, strings.Repeat("[", 20_000)}
		for i := range 20 {
			if len(own) == 0 {
				break
			}
			bent := append(health.State(nil), own...)
			if at := rng.IntN(len(bent)); i%2 == 0 {
				bent = bent[:at]
			} else {
				bent[at] = byte(rng.IntN(256))
			}
			odd = append(odd, string(bent))
		}
		for _, state := range odd {
			v, next := k.look(k.judge, health.State(state), last)
			readable := json.Valid([]byte(state)) && state != "null"
			kept := string(next) == state // by a judge that has no use for one
			if !readable && (!same(v, fresh) || !kept && !bytes.Equal(next, freshNext)) {
				k.fail(ruleState, "%s: with the state %q, which cannot be read, it says\n\t%+v, state %s, want as with a fresh one\n\t%+v, state %s",
					s.name, state, v, next, fresh, freshNext)
			}
			if len(next) > 0 && !kept && !json.Valid(next) {
				k.fail(ruleState, "%s: after %q it is %q, want JSON", s.name, state, next)
			}
			k.verdict(fmt.Sprintf("%s, with the state %q", s.name, state), v)
		}
	}
}

// resumes goes on from what a journal kept, with a new judge each time.
func (k *judgeKit) resumes(newJudge func() health.Judge) {
	k.t.Helper()
	type entry struct {
		State health.State `json:"state"`
	}
	for _, s := range k.stories {
		want, _ := k.judged(k.judge, s)
		var journal []byte
		for i, sample := range s.samples {
			var e entry
			if i > 0 {
				if err := json.Unmarshal(journal, &e); err != nil {
					k.fail(ruleResume, "%s, look %d: the journal cannot be read: %v", s.name, i+1, err)
					return
				}
			}
			var v health.Verdict
			if v, e.State = k.look(newJudge(), e.State, sample); !same(v, want[i]) {
				k.fail(ruleResume, "%s, look %d: resumed it says\n\t%+v, want as without a break\n\t%+v", s.name, i+1, v, want[i])
			}
			data, err := json.Marshal(e)
			if err != nil {
				k.fail(ruleResume, "%s, look %d: the state is not JSON: %v", s.name, i+1, err)
				return
			}
			journal = data
		}
	}
}

// together judges in several goroutines what was judged in one.
func (k *judgeKit) together() {
	k.t.Helper()
	const goroutines = 4
	wrong := make(chan string, goroutines*len(k.stories))
	wants := make([][]health.Verdict, len(k.stories))
	for i, s := range k.stories {
		wants[i], _ = k.judged(k.judge, s)
	}
	var all sync.WaitGroup
	for i, s := range k.stories {
		want := wants[i]
		for range goroutines {
			all.Go(func() {
				var state health.State
				for i, sample := range s.samples {
					v, next, thrown := look(k.judge, state, sample)
					if thrown != "" || !same(v, want[i]) {
						wrong <- fmt.Sprintf("%s, look %d: it says\n\t%+v %s, want as in one goroutine\n\t%+v", s.name, i+1, v, thrown, want[i])
						return
					}
					state = next
				}
			})
		}
	}
	all.Wait()
	close(wrong)
	for text := range wrong {
		k.fail(ruleConcurrent, "%s", text)
	}
}
