package health

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/internal/evidence"
)

// Placebo fails a change when the buckets of units that really are exposed stand
// out from what relabeling them at random makes of the same traffic. It sees what
// [FirstFailure] cannot: users that fail anyway and now fail more often, and
// latency. It needs no memory of units, works on counts that can be added up over
// processes, and looks some 25 times in a rollout.
//
// # The promise
//
// If the change does nothing (no request's outcome, timing or arrival depends on
// whether it was exposed), the probability that it ever says Fail is at most
// Alpha, exactly, whatever the traffic does and however users differ: the real
// assignment is then one of the Lanes relabelings like any other, and no more than
// a share Alpha of all is ever stopped (Fisher's randomisation test; for random
// relabelings Hemerik and Goeman, TEST 27, 2018).
//
// It rests on the same things as the promise of [FirstFailure], and on one more:
// the ramp moves by time or by total traffic. Where verdicts, people or the
// candidate's numbers move it, the promise is exact in strict mode only
// ([CohortsOptions.Strict]); in the usual mode it is then a measured one: see the
// package documentation.
//
// # The method
//
// The slots are cut into 1,000 buckets. Lane 0 is the real assignment, in which
// the buckets below the ramp are the candidate; each other lane exposes as many
// random ones. A lane is scored by its exposed buckets: by how many more events
// they had than their requests let expect, by the same in units of their noise,
// by the logarithm of their events, and by how many had any. What counts is the
// score that stands out most among all lanes. At each look the lanes that stand
// out most are stopped, as many as the budget allows by then: Alpha*Lanes at the
// end of Over, and less before, as the square root of time. When lane 0 is among
// them, the change fails. Outcomes recorded before the ramp went up, if there are
// any, tell which buckets always fail more often, or are slower.
//
// Of [Traffic] it is the alarm for a sample ratio that cannot be, in both
// directions. Use it beside the judges, at an alpha of its own, and hold the rollout
// when it fails: one of the sides loses requests or attracts them, so what the
// others say of them is not to be trusted.
//
// When Over has passed, the budget does not grow any more: what is left of it, where
// lanes tied or nothing happened, is all there is. It does not look without
// [Sample.Elapsed], nor at ramps that are no whole steps of 0.1 %. It rests on its
// state: one that is lost is spent again. The zero value is ready to use.
type Placebo struct {
	Alpha float64       // bound on the probability of failing a harmless change; zero means 0.05
	Of    Signal        // Errors, Latency or Traffic
	Over  time.Duration // for how long the rollout will be watched; zero means 1 h
	Every time.Duration // between looks; zero means 10 s, or a sixtieth of Over where that is less
	Lanes int           // how many relabelings, the real one included; zero means 1,000; at least 1/Alpha, at most 65,536
}

const maxLanes = 1 << 16

// placeboState is Placebo's State: a test, or in strict mode one for each step.
type placeboState struct {
	Tests []placeboTest `json:"tests"`
}

type placeboTest struct {
	Ramp    int32            `json:"ramp,omitempty"`    // the step, in strict mode
	Since   time.Duration    `json:"since,omitempty"`   // when the step was first looked at
	Next    time.Duration    `json:"next"`              // no look before
	Rank    int              `json:"rank"`              // of lane 0 among those that ran at the last look, ties against it; 1 stands out most; 0: no look yet
	Quota   int              `json:"quota"`             // how many of them were to be stopped
	Stopped evidence.Stopped `json:"stopped,omitempty"` // lanes
}

// Validate lists what is wrong with the settings.
func (p Placebo) Validate() error {
	var c complaints
	c.alpha("alpha", p.Alpha)
	if p.Of > Traffic {
		c.add("of is %v, want errors, latency or traffic", p.Of)
	}
	if p.Over < 0 || p.Every < 0 {
		c.add("over is %v and every %v, want no time below zero", p.Over, p.Every)
	}
	p = p.filled()
	if p.Lanes < 2 || p.Lanes > maxLanes {
		c.add("lanes is %d, want 2 to 65,536", p.Lanes)
	} else if len(c) == 0 && evidence.Budget(p.Alpha, p.Lanes, 1) < 1 {
		c.add("alpha is %v of %d lanes, which is %.2g lanes, so that no lane could ever be stopped: want at least %d lanes", p.Alpha, p.Lanes, p.Alpha*float64(p.Lanes), int(math.Ceil(1/p.Alpha)))
	}
	return c.err()
}

// WithAlpha is the same judge with another Alpha, and as many lanes as that needs.
func (p Placebo) WithAlpha(alpha float64) Bounded {
	p.Alpha = alpha
	if need := math.Ceil(1 / alpha); alpha > 0 && need > float64(p.filled().Lanes) {
		p.Lanes = int(min(need, 1<<20)) // more than Validate lets pass, if alpha asks for that
	}
	return p
}

func (p Placebo) filled() Placebo {
	p.Alpha = alphaOr(p.Alpha)
	if p.Over == 0 {
		p.Over = time.Hour
	}
	if p.Every == 0 {
		p.Every = min(10*time.Second, p.Over/60)
	}
	if p.Lanes == 0 {
		p.Lanes = 1000
	}
	return p
}

// Look stops lanes if it is time to, and says [Fail] once lane 0 has been stopped,
// from then on. Verdict.LogE is the logarithm of how many lanes there are for each
// that stands out as much as the real one, as of the last time that lanes were
// stopped, and LogThreshold of how many there were for each to be stopped. With
// invalid settings it is always [Inconclusive].
func (p Placebo) Look(state State, sample Sample) (Verdict, State) {
	if err := p.Validate(); err != nil {
		return Verdict{Reason: err.Error()}, state
	}
	p = p.filled()
	if p.Of == Latency && len(sample.Options.Slow) == 0 {
		return Verdict{Reason: noThresholds, Missing: NoData}, state
	}
	return p.look(state, sample, Fail)
}

func (p Placebo) look(state State, sample Sample, call Call) (Verdict, State) {
	if err := sample.check(); err != nil {
		return Verdict{Reason: err.Error(), Missing: Errored}, state
	}
	// Enough lanes that each step can stop a few, or the steps' shares are lost in
	// rounding.
	if need := 4 * math.Ceil(float64(max(sample.Options.Strict, 1))/p.Alpha); sample.Options.Strict > 0 && need > float64(p.Lanes) {
		p.Lanes = int(min(need, maxLanes))
	}
	var memory placeboState
	if json.Unmarshal(state, &memory) != nil {
		memory = placeboState{}
	}
	tables, from := sample.Tables, sample.Options.Floor
	past := Table{}
	if len(tables) > 0 && tables[0].Ramp == from {
		past, tables = tables[0], tables[1:]
	}
	steps := max(sample.Options.Strict, 1)
	alpha, over := p.Alpha/float64(steps), p.Over/time.Duration(steps)
	changed := false
	tests := min(steps, len(tables))
	if slices.ContainsFunc(memory.Tests, func(t placeboTest) bool { return t.Stopped.Has(0) }) {
		tests = 0 // it has failed, for good
	}
	for i := range tests {
		layers, fresh := tables, placeboTest{}
		if sample.Options.Strict > 0 {
			layers = tables[i : i+1]
			fresh.Ramp, fresh.Since = layers[0].Ramp, sample.Elapsed
		}
		at := slices.IndexFunc(memory.Tests, func(t placeboTest) bool { return t.Ramp == fresh.Ramp })
		if at < 0 {
			if len(memory.Tests) >= steps {
				break
			}
			at, changed = len(memory.Tests), changed || sample.Options.Strict > 0
			memory.Tests = append(memory.Tests, fresh)
		}
		test := &memory.Tests[at]
		quota := evidence.Budget(alpha, p.Lanes, float64(sample.Elapsed-test.Since)/float64(max(over, 1))) - test.Stopped.Count()
		if quota > 0 && sample.Elapsed >= test.Next && sample.Elapsed > 0 {
			changed = true
			test.Next = sample.Elapsed + p.Every
			p.judge(test, quota, past, layers, sample, from)
		}
		from = layers[len(layers)-1].Ramp
	}
	v := p.verdict(memory, alpha, sample, call)
	if changed {
		state, _ = json.Marshal(memory) // finite numbers and bytes always marshal
	}
	return v, state
}

// judge looks at one test.
func (p Placebo) judge(test *placeboTest, quota int, past Table, layers []Table, sample Sample, from int32) {
	first := int((from + evidence.BucketSlots - 1) / evidence.BucketSlots)
	lanes := evidence.Lanes{Seed: sample.Options.Seed + uint64(test.Ramp), Count: p.Lanes, From: first}
	var groups [][]evidence.Layer
	add := func(score func(Table) []evidence.Score) {
		group := make([]evidence.Layer, len(layers))
		for i, t := range layers {
			group[i] = evidence.Layer{Ramp: int(t.Ramp / evidence.BucketSlots), Scores: score(t)}
		}
		groups = append(groups, group)
	}
	before := func(level int) (none evidence.Past) {
		if past.Counts == nil {
			return none
		}
		return evidence.Past(past.events(p.Of, level))
	}
	switch p.Of {
	case Errors:
		history := before(0)
		add(func(t Table) []evidence.Score { return t.events(Errors, 0).Failures(history, first) })
	case kept:
		add(func(t Table) []evidence.Score { return t.events(kept, 0).Fewer(evidence.Past{}, first) })
	case Traffic:
		history := before(0)
		add(func(t Table) []evidence.Score { return t.events(Traffic, 0).Traffic(history, first) })
	case Latency:
		for level := 0; level < len(sample.Options.Slow); level += 2 {
			next := min(level+1, len(sample.Options.Slow)-1)
			one, two := before(level), before(next)
			add(func(t Table) []evidence.Score {
				return evidence.Pairs(t.events(Latency, level).Failures(one, first), t.events(Latency, next).Failures(two, first))
			})
		}
	}
	heights := evidence.Heights(lanes.Sums(groups...))
	test.Rank, test.Quota = 0, quota
	for lane, h := range heights {
		if h >= heights[0] && !test.Stopped.Has(lane) {
			test.Rank++
		}
	}
	test.Stopped = evidence.Stop(heights, test.Stopped, quota)
}

// verdict says how the test stands that is nearest to its end.
func (p Placebo) verdict(memory placeboState, alpha float64, sample Sample, call Call) Verdict {
	v := Verdict{LogThreshold: -math.Log(alpha), Reason: sample.compare(p.Of) + "; not compared with relabelings " + sample.uncompared()}
	compared := false
	for _, t := range memory.Tests {
		if t.Rank < 1 || t.Quota < 1 {
			continue
		}
		logE, threshold := math.Log(float64(p.Lanes)/float64(t.Rank)), math.Log(float64(p.Lanes)/float64(t.Quota))
		fails := t.Stopped.Has(0)
		if compared && !fails && logE-threshold <= v.LogE-v.LogThreshold {
			continue
		}
		compared = true
		v.LogE, v.LogPeak, v.LogThreshold = logE, logE, threshold
		v.Reason = fmt.Sprintf("%s: %d of %s random relabelings stand out as much; fewer than %d would fail it", sample.compare(p.Of), t.Rank-1, group(uint64(p.Lanes-1)), t.Quota)
		if fails {
			v.Call = call
			break
		}
	}
	if v.Call == Fail {
		v.Reason += promise(p.Alpha)
	}
	if v.Missing = sample.missing(v); !compared && sample.uncompared() != "yet" {
		v.Missing = NoData
	}
	return v
}

// check says whether tables are such as Cohorts make.
func (s Sample) check() error {
	if s.Options.Floor < 0 || s.Options.Floor > bucket.Slots || s.Options.Strict < 0 || s.Options.Strict > maxTables || len(s.Options.Slow) > maxSlow {
		return fmt.Errorf("%w: sample: options %+v", ErrInvalid, s.Options)
	}
	width := tableWidth(s.Options.Slow)
	for i, t := range s.Tables {
		if t.Ramp < s.Options.Floor || t.Ramp > bucket.Slots || i > 0 && t.Ramp <= s.Tables[i-1].Ramp || len(t.Counts) != width*evidence.Buckets {
			return fmt.Errorf("%w: sample: tables[%d] is of ramp %d and has %d counts, want ascending ramps from %d to %d, and %d counts", ErrInvalid, i, t.Ramp, len(t.Counts), s.Options.Floor, bucket.Slots, width*evidence.Buckets)
		}
	}
	return nil
}

// uncompared says why relabelings have not been looked at.
func (s Sample) uncompared() string {
	exposed := slices.ContainsFunc(s.Tables, func(t Table) bool { return t.Ramp > s.Options.Floor })
	switch {
	case s.Elapsed <= 0:
		return "because the sample has no Elapsed"
	case !exposed && s.Candidate.Requests() > 0:
		return "because the ramp is no whole step of 0.1 %"
	}
	return "yet"
}
