package rollout_test

import (
	"strings"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// planned reads a plan: "canary 5% 100% hold=10m gates=smoke judges=errors", or step
// by step: "verify=smoke shift=5% hold=10m judges=errors shift=100% promote".
func (s *stage) planned(words []string) strategy.Plan {
	p := strategy.Plan{Strategy: "plan"}
	canary := words[0] == "canary"
	var c strategy.Canary
	var from strategy.Share
	var hold strategy.Hold
	flush := func() {
		if hold.For > 0 {
			p.Steps = append(p.Steps, hold)
		}
		hold = strategy.Hold{}
	}
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "canary":
		case "hold":
			flush()
			var err error
			hold.For, err = time.ParseDuration(value)
			require.NoError(s, err)
		case "judges":
			hold.Judges = strings.Split(value, ",")
		case "exposed":
			hold.Exposed = number(value)
		case "approval":
			hold.Approval = true
		case "gates":
			c.Gates = strings.Split(value, ",")
		case "verify":
			flush()
			p.Steps = append(p.Steps, strategy.Verify{Gates: strings.Split(value, ",")})
		case "shift":
			flush()
			p.Steps = append(p.Steps, strategy.Shift{From: from, To: share(value)})
			from = share(value)
		case "no-return":
			flush()
			p.Steps = append(p.Steps, strategy.NoReturn{Why: strings.ReplaceAll(value, "-", " ")})
		case "promote":
			flush()
			p.Steps = append(p.Steps, strategy.Promote{})
		default:
			c.Weights = append(c.Weights, share(word))
		}
	}
	if canary {
		c.Hold, c.Judges, c.Exposed = hold.For, hold.Judges, hold.Exposed
		p, err := c.Plan(strategy.Input{})
		require.NoError(s, err)
		if c.Exposed == 0 {
			p = hasty(p)
		}
		return p
	}
	flush()
	return p
}

// asked reads a request: its ID, and what is not zero in it.
func (s *stage) asked(words []string) rollout.Request {
	r := rollout.Request{ID: words[0], Service: "shop", Environment: "production", Plan: s.plan, Look: 30 * time.Second, Gates: map[string]rollout.Gate{}, Alarms: map[string]rollout.Gate{}}
	r.Release.Version = words[0]
	digested := true
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "service":
			r.Service = value
		case "version":
			r.Release.Version = value
		case "by":
			r.Actor = value
		case "overlap":
			r.Overlap = map[string]rollout.Overlap{"supersede": rollout.Supersede, "queue": rollout.Queue, "reject": rollout.Reject}[value]
		case "doubt":
			require.NoError(s, r.Doubt.UnmarshalText([]byte(strings.ReplaceAll(value, "-", " "))))
		case "evidence":
			r.Promotion = rollout.EvidenceOfNoHarm
		case "pauses", "reports":
			s.thens[r.ID+" "+value] = map[string]rollout.Expiry{"pauses": rollout.ThenPause, "reports": rollout.ThenGoOn}[key]
		case "shadow":
			r.Shadow = true
		case "timeout":
			r.StepTimeout = s.deadline(value).Within
		case "alarms":
			for name := range strings.SplitSeq(value, ",") {
				r.Alarms[name] = s.gate("alarm " + name)
			}
		case "artifact":
			r.Artifact = s.artifact(r.ID)
		case "no-digest":
			digested = false
		case "ask-stable":
			r.Stable = s.gate("stable")
		case "progress":
			r.Deadlines.Progress = s.deadline(value)
		case "approval":
			r.Deadlines.Approval = s.deadline(value)
		case "pause":
			r.Deadlines.Pause = s.deadline(value)
		case "overall":
			r.Deadlines.Overall = s.deadline(value)
		default:
			s.Fatalf("a request with %q", word)
		}
	}
	r.Release.Name = r.Service
	if digested {
		r.Release.Digest = "sha256:" + r.Release.Version
	}
	for _, name := range r.Plan.Gates() {
		r.Gates[name] = s.gate("gate " + name)
	}
	r.Target = s.service(r.Service)
	return r
}

// deadline reads "5m", or "5m/go-on".
func (s *stage) deadline(text string) rollout.Deadline {
	within, then, _ := strings.Cut(text, "/")
	d, err := time.ParseDuration(within)
	require.NoError(s, err)
	out := rollout.Deadline{Within: d}
	if then != "" {
		require.NoError(s, out.Then.UnmarshalText([]byte(strings.ReplaceAll(then, "-", " "))))
	}
	return out
}

// optional reads what the engine is tuned with.
func (s *stage) optional(words []string) {
	for i := 0; i < len(words); i++ {
		switch key, value, _ := strings.Cut(words[i], "="); key {
		case "cooldown":
			s.options.Cooldown = s.deadline(value).Within
		case "rollbacks-per-hour":
			s.options.RollbacksPerHour = number(value)
		case "freeze": // name from to
			s.options.Freezes = append(s.options.Freezes, rollout.Freeze{Name: words[i+1], From: words[i+2], To: words[i+3]})
			i += 3
		default:
			s.Fatalf("options with %q", words[i])
		}
	}
}
