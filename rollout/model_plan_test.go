package rollout_test

import (
	"math/rand/v2"
	"time"

	"github.com/guidon-go/guidon/strategy"
)

// judges are those that plans name.
var judges = [...]string{"errors", "latency"}

// drawPlan draws a plan of some ascending shares, perhaps with instances, which come
// before the traffic that they serve and go after it, and with copies before that.
func drawPlan(r *rand.Rand) strategy.Plan {
	chance := func(p float64) bool { return r.Float64() < p }
	hold := func() strategy.Hold {
		h := strategy.Hold{For: time.Duration(r.IntN(60)) * time.Second, Approval: chance(0.15)}
		switch r.IntN(6) {
		case 0:
		case 1:
			h.Judges = judges[:]
		case 2:
			h.Judges = judges[1:]
		default:
			h.Judges = judges[:1]
		}
		if len(h.Judges) > 0 && chance(0.5) {
			h.Exposed = r.IntN(12)
		}
		return h
	}
	p := strategy.Plan{Strategy: "model"}
	add := func(s strategy.Step) { p.Steps = append(p.Steps, s) }
	if chance(0.5) {
		add(strategy.Verify{Gates: []string{"smoke"}})
	}
	if chance(0.05) {
		add(hold())
	}
	var at strategy.Observation
	scale := func(old, new int) {
		if old != at.Old || new != at.New {
			add(strategy.Scale{Old: strategy.Count{From: at.Old, To: old}, New: strategy.Count{From: at.New, To: new}, Within: 20 * time.Second})
			at.Old, at.New = old, new
		}
	}
	n := 0
	switch {
	case chance(0.4):
		n = 1 + r.IntN(4)
		at.Old = n
	case chance(0.15):
		at.Share = strategy.Percent / 2 // who has it already
	}
	mirror := func(to strategy.Share) {
		if to != at.Mirror {
			add(strategy.Mirror{From: at.Mirror, To: to})
			at.Mirror = to
		}
	}
	if chance(0.2) {
		scale(n, min(n, 1))
		mirror(20 * strategy.Percent)
		add(hold())
	}
	for _, percent := range []strategy.Share{1, 5, 25, 50, 100} {
		to := percent * strategy.Percent
		if !chance(0.45) {
			continue
		}
		if want := serving(n, to); want > at.New {
			scale(at.Old, []int{want, n}[r.IntN(2)])
		}
		if chance(0.8) {
			mirror(0)
		}
		add(strategy.Shift{From: at.Share, To: to})
		at.Share = to
		if chance(0.7) {
			add(hold())
		}
		if chance(0.6) {
			scale(min(at.Old, serving(n, strategy.All-to)), at.New)
		}
		if chance(0.15) {
			add(strategy.Verify{Gates: []string{"later", "smoke"}})
		}
		if chance(0.06) {
			add(strategy.NoReturn{Why: "the old column is gone"})
		}
	}
	if len(p.Steps) == 0 || chance(0.3) {
		add(strategy.Promote{})
	}
	return p
}

// serving is how many of so many instances serve a share of the traffic.
func serving(n int, share strategy.Share) int {
	return (n*int(share) + int(strategy.All) - 1) / int(strategy.All)
}

// shareable says that both judges may look at the same cohorts: the first one watches
// wherever the second one does.
func shareable(p strategy.Plan) bool {
	for _, step := range p.Steps {
		if hold, ok := step.(strategy.Hold); ok && len(hold.Judges) > 0 && hold.Judges[0] != judges[0] {
			return false
		}
	}
	return true
}

// decisive says that every judge of the plan watches the last hold that has any.
func decisive(p strategy.Plan) bool {
	last := 0
	for _, step := range p.Steps {
		if hold, ok := step.(strategy.Hold); ok && len(hold.Judges) > 0 {
			last = len(hold.Judges)
		}
	}
	return last > 0 && last == len(p.Judges())
}
