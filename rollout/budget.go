package rollout

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
)

// Budget says how many users a bad change may harm before it is taken back, and
// derives the ladder of a guarded rollout from that: which shares, and how long at
// each. It is a plan: the numbers below are what is expected of the traffic, and
// [Budget.Spent] says what became of it.
//
// A user is harmed who meets a failure that would not have been without the change.
// How many are harmed until it is seen hardly depends on the share, since at a small
// one it takes longer: some five if requests fail five times as often, some fifteen if
// twice. A small share is for what is far worse than that, which harms many between
// two looks; and a large share is for soon.
type Budget struct {
	// Harmed is how many users a change that is bad from the start may harm, on
	// average. Required.
	Harmed float64
	// Harm is how bad: how many times as many requests fail. What is worse is seen
	// sooner, and the ladder holds for a change that fails every request as well; what
	// is less bad is seen later, or not at all, and harms more. Zero means 5, which a
	// service of 100 requests per second, of which one fails, shows within half a
	// minute at 10 %; twice as many takes it six times as long.
	Harm float64
	// Rate is the requests per second, on both sides together. Required.
	Rate float64
	// ErrorRate is the share of requests that fail as it is, between 0 and 1. Required:
	// where nothing ever fails yet, say what would not surprise you.
	ErrorRate float64
	// Users is how many there are; zero means that each request is a user of its own.
	// They come equally often; where a few make most of the traffic, harm is seen
	// later: say fewer users.
	Users int
	// Look is how often the judge looks, and the time until the ramp is down. Zero
	// means a second.
	Look time.Duration
	// Judge is the one of the rollout. Nil means [health.DefaultJudge] of errors.
	Judge health.Judge
}

// Rung is one share of a ladder.
type Rung struct {
	Share  flag.Share    `json:"share"`            // whole steps of 0.1 %, below 100 %
	Hold   time.Duration `json:"hold,omitempty"`   // at least how long; none at 100 %
	Seen   float64       `json:"seen,omitempty"`   // probability that a bad change has been seen by the end of the hold, 0 to 1
	Harmed float64       `json:"harmed,omitempty"` // how many users it has harmed by then, on average: see Budget
}

// Ladder is the rungs of a rollout, ascending, up to 100 %.
type Ladder []Rung

// String is a table for people, a line for each rung.
func (l Ladder) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%8s %10s %12s %15s\n", "share", "hold", "seen if bad", "harmed by then")
	for _, r := range l {
		if r.Hold == 0 {
			fmt.Fprintf(&b, "%8v\n", r.Share)
			continue
		}
		fmt.Fprintf(&b, "%8v %10s %10.2f %% %15.1f\n", r.Share, span(r.Hold), min(100*r.Seen, 99.99), r.Harmed)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// span writes a hold without what is zero: "1h30m".
func span(d time.Duration) string {
	s := d.String()
	for _, unit := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, unit) {
			s = s[:len(s)-2]
		}
	}
	return s
}

const (
	// Each rung may take this part of what is left, on average. A hold sees nine in
	// ten, so the next rung has a tenth of the risk and at least half of the budget:
	// however dear it is, it can be afforded after some more holds.
	portion = 0.5
	// By then what never answers has counted: see Guarded.Within.
	leastHold = time.Minute
	rehearsed = 100 // times
	needed    = 90  // of which a hold sees
	// Of fewer users than this at a share nothing is to be learned: there may be none.
	fewest = 10
)

// shares are those that a ladder may have below 100 %. Above 50 % there is ever less
// to compare with.
var shares = []flag.Share{50 * flag.Percent, 20 * flag.Percent, 10 * flag.Percent, 5 * flag.Percent, 2 * flag.Percent, 1 * flag.Percent, 0.5 * flag.Percent, 0.2 * flag.Percent, 0.1 * flag.Percent}

// Ladder derives shares and holds, by playing the rollout of a bad change many times
// on made-up traffic, which takes a second or so. Equal budgets give equal ladders.
//
// Each share is the largest of 0.1, 0.2, 0.5, 1, 2, 5, 10, 20 and 50 % at which what
// is expected to be harmed there, weighed with the probability that nothing was seen
// before, is at most half of what is left of the budget. Each hold is so long that
// nine in ten bad changes are seen in it, by what happens in it alone, and at least a
// minute; where that is not enough for a larger share, it is held on. Shares of fewer
// than ten users are left out. What is never seen goes to 100 %, and what it does there
// is no part of the budget.
//
// A budget that no share keeps is refused with [ErrInvalid] and with one that would
// do; so is harm that is never seen, which takes more users or larger harm.
func (b Budget) Ladder() (Ladder, error) {
	fail := func(err error) (Ladder, error) {
		return nil, &Error{"derive", "ladder", fmt.Errorf("%w: %w", ErrInvalid, err)}
	}
	if err := b.check(); err != nil {
		return fail(err)
	}
	b = b.filled()
	var ladder Ladder
	accounts := []account{{harm: b.Harm, left: b.Harmed, unseen: 1}, {harm: 1 / b.ErrorRate, left: b.Harmed, unseen: 1}}
	stays := make(map[flag.Share]*stay)
	at := flag.Share(0)
	for at < shares[0] {
		next, visible := flag.Share(0), false
		least, best := math.Inf(1), flag.Share(0)
		for _, share := range shares {
			if share <= at {
				break
			}
			if stays[share] == nil {
				s, err := b.stay(share, accounts)
				if err != nil {
					return fail(err)
				}
				stays[share] = s
			}
			s := stays[share]
			if !s.visible {
				continue
			}
			visible = true
			if most := slices.Max(s.harmed); most < least {
				least, best = most, share
			}
			if s.fits(accounts) {
				next = share
				break
			}
		}
		switch {
		case next > 0:
			at = next
			ladder = append(ladder, Rung{Share: at})
		case !visible && at == 0:
			return fail(fmt.Errorf("harm: found %v, which is not seen in nine of ten rollouts at any share of up to 50 %%, however long: want more than that, or more users", b.Harm))
		case !visible:
			return append(ladder, Rung{Share: flag.All}), nil // what is larger shows no more
		case at == 0:
			return fail(fmt.Errorf("harmed: found %v; a change that fails %.3g times as often, or altogether, harms %.1f users on average before it is seen, even at %v, the best share: want at least %v", b.Harmed, b.Harm, least, best, math.Ceil(least/portion)))
		}
		r := &ladder[len(ladder)-1]
		r.Hold += stays[at].hold
		for i := range accounts {
			accounts[i].spend(stays[at].harmed[i], stays[at].seen[i])
		}
		r.Seen, r.Harmed = 1-accounts[0].unseen, b.Harmed-min(accounts[0].left, accounts[1].left)
	}
	return append(ladder, Rung{Share: flag.All}), nil
}

func (b Budget) check() error {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if !(b.Harmed > 0) || math.IsInf(b.Harmed, 0) {
		add("harmed: found %v, want more than 0 users", b.Harmed)
	}
	if b.Harm != 0 && !(b.Harm > 1 && b.Harm <= 1e6) {
		add("harm: found %v, want more than 1 and at most 1e6", b.Harm)
	}
	if !(b.Rate > 0 && b.Rate <= 1e9) {
		add("rate: found %v, want more than 0 requests per second, and at most 1e9", b.Rate)
	}
	if !(b.ErrorRate > 0 && b.ErrorRate < 1) {
		add("error rate: found %v, want between 0 and 1", b.ErrorRate)
	}
	if b.Users < 0 {
		add("users: found %d, want none below 0", b.Users)
	}
	if b.Look < 0 {
		add("look: found %v, want no time below zero", b.Look)
	}
	if v, ok := b.Judge.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			add("judge: %w", err)
		}
	}
	return errors.Join(problems...)
}

func (b Budget) filled() Budget {
	if b.Harm == 0 {
		b.Harm = 5
	}
	if b.Look == 0 {
		b.Look = time.Second
	}
	return b
}

// account is the budget of one size of harm.
type account struct {
	harm   float64
	left   float64 // of the budget
	unseen float64 // probability that it has not been seen so far
}

func (a *account) spend(harmed, seen float64) {
	a.left -= a.unseen * harmed
	a.unseen *= 1 - seen
}

// stay is what happens at one share to bad changes of each account.
type stay struct {
	hold    time.Duration
	visible bool // nine in ten are seen within hold
	harmed  []float64
	seen    []float64
}

// fits says whether each account can bear it.
func (s *stay) fits(accounts []account) bool {
	for i, a := range accounts {
		if a.unseen*s.harmed[i] > portion*a.left {
			return false
		}
	}
	return true
}

// stay plays rollouts that go to one share.
func (b Budget) stay(share flag.Share, accounts []account) (*stay, error) {
	s := &stay{}
	if b.Users > 0 && float64(b.Users)*float64(share) < fewest*float64(flag.All) {
		return s, nil
	}
	for i, a := range accounts {
		times, err := b.rehearse(share, a.harm)
		if err != nil {
			return nil, err
		}
		if len(times) < needed {
			return &stay{}, nil
		}
		if i == 0 { // the hold follows from what is meant; what is worse is seen before
			s.hold = roundUp(max(times[needed-1], leastHold))
		}
		seen, harmed := 0, 0.0
		for run := range rehearsed {
			until := s.hold
			if run < len(times) && times[run] <= s.hold {
				until = times[run]
				seen++
			}
			harmed += b.harmed(share, a.harm, until) / rehearsed
		}
		if seen < needed {
			return &stay{}, nil
		}
		s.harmed = append(s.harmed, harmed)
		s.seen = append(s.seen, min(float64(seen)/rehearsed, rehearsed/(rehearsed+1.))) // never certain
	}
	s.visible = true
	return s, nil
}

// Spent is how many users the change has certainly harmed so far, by the sample of a
// rollout: how many more failed for the first time in the candidate than the baseline
// lets expect, less what chance may do, three standard deviations of the hash. It is
// zero for most harmless changes for most of the time, and no evidence: it has no bound
// like that of a judge. What it is good for is to hold where it passes Harmed, since
// the traffic is then not what was planned, or the harm too small for the judge to
// have seen it. Where a memory of units was full ([health.Coins.Halved]) it says less
// than there is.
func (b Budget) Spent(sample health.Sample) float64 {
	more, variance := 0.0, 0.0
	for _, f := range sample.Firsts {
		share := float64(f.Ramp-f.Lo) / float64(flag.All-flag.Share(f.Lo)) // of those about whom nothing was known
		if !(share > 0 && share < 1) {
			continue
		}
		odds := share / (1 - share)
		more += float64(f.Candidate) - float64(f.Baseline)*odds
		variance += float64(f.Candidate+f.Baseline) * odds
	}
	return max(more-3*math.Sqrt(variance), 0)
}

// spending is the judge of a budget: it fails what has harmed more.
type spending struct{ Budget }

// Look compares what was spent with the budget. It has no state.
func (s spending) Look(_ health.State, sample health.Sample) (v health.Verdict, _ health.State) {
	spent := s.Spent(sample)
	if v.Reason = fmt.Sprintf("%.0f of %.0f users harmed beyond chance", spent, s.Harmed); spent > s.Harmed {
		v.Call = health.Fail
	}
	return v, nil
}
