package prometheus

import (
	"github.com/guidon-go/guidon/flag"
)

var (
	evaluations = metric("flag_evaluations_total", "Evaluations of a flag by the variant that they got; the caller's default is an empty variant.", "flag", "variant")
	ramp        = metric("flag_ramp_ratio", "Share of the traffic that a flag's ramp admits, 0 to 1; of ramps without a schedule.", "flag")
	notServing  = metric("flag_state", "1 for a flag that does not just serve its definition: killed, overridden, disabled, quarantined or missing.", "flag", "state")
	flags       = metric("flags", "Flags by what they serve: one state for each flag, the first that it is in.", "state")
)

// flagStates are in the order in which the store asks for them.
var flagStates = []struct {
	name string
	is   func(flag.Status) bool
}{
	{"missing", func(f flag.Status) bool { return f.Missing }},
	{"killed", func(f flag.Status) bool { return f.Killed }},
	{"overridden", func(f flag.Status) bool { return f.Override != "" }},
	{"disabled", func(f flag.Status) bool { return f.Disabled }},
	{"quarantined", func(f flag.Status) bool { return f.Quarantined }},
	{"serving", func(flag.Status) bool { return true }},
}

func (c *Collector) flags(s *scrape) {
	count := make([]int, len(flagStates))
	s.room -= len(count) // that there are too many flags must be seen
	for f := range c.o.Flags.All() {
		for i, state := range flagStates {
			if !state.is(f) {
				continue
			}
			count[i]++
			if state.name != "serving" {
				s.gauge(notServing, 1, f.Key, state.name)
			}
			break
		}
		for variant, n := range f.Counts {
			s.counter(evaluations, n, f.Key, variant)
		}
		if f.Ramp.Serve != "" && f.Ramp.Schedule == nil {
			s.gauge(ramp, float64(f.Ramp.Share)/float64(flag.All), f.Key)
		}
	}
	s.room += len(count)
	for i, state := range flagStates {
		s.gauge(flags, float64(count[i]), state.name)
	}
}
