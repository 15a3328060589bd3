package strategy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// way is a list of steps that is being written, and where they lead to. What would
// move nothing is not written.
type way struct {
	steps  []Step
	at     Observation
	from   Share         // what the new version had at its beginning
	within time.Duration // for each scale
}

// begin is an empty way from where the input stands.
func (in Input) begin() way {
	return way{at: Observation{Share: in.From, Old: in.Instances}, from: in.From, within: in.progress()}
}

// progress is by when new instances have to be ready.
func (in Input) progress() time.Duration { return cmp.Or(in.Progress, 10*time.Minute) }

// end is the plan that the way has come to.
func (w *way) end(name string, in Input) Plan {
	w.steps = append(w.steps, Promote{})
	return Plan{name, in.Old, in.New, w.steps}
}

func (w *way) verify(gates []string) {
	if len(gates) > 0 {
		w.steps = append(w.steps, Verify{slices.Clone(gates)})
	}
}

func (w *way) mirror(to Share) {
	if to != w.at.Mirror {
		w.steps = append(w.steps, Mirror{w.at.Mirror, to})
		w.at.Mirror = to
	}
}

func (w *way) shift(to Share) {
	if to != w.at.Share {
		w.steps = append(w.steps, Shift{w.at.Share, to})
		w.at.Share = to
	}
}

func (w *way) scale(old, new int) {
	if old != w.at.Old || new != w.at.New {
		w.steps = append(w.steps, Scale{Count{w.at.Old, old}, Count{w.at.New, new}, w.within})
		w.at.Old, w.at.New = old, new
	}
}

func (w *way) hold(h Hold) {
	if h.For != 0 || h.Exposed != 0 || h.Approval || len(h.Judges) > 0 {
		w.stop(h)
	}
}

// fewest is how many requests the new version must have answered during a hold under
// judges that does not say so itself: who has seen nothing has seen no harm.
const fewest = 20

// stop is a hold, even for no time.
func (w *way) stop(h Hold) {
	h.Judges = append([]string(nil), h.Judges...) // none is nil, as after JSON
	if len(h.Judges) > 0 && w.at.Share > 0 && h.Exposed == 0 {
		h.Exposed = fewest
	}
	w.steps = append(w.steps, h)
}

// watched wants each judge to watch a hold in which the new version has traffic.
func (p *problems) watched(w way, judges []string) {
	share := w.from
	seeing := map[string]bool{}
	for _, step := range w.steps {
		switch step := step.(type) {
		case Shift:
			share = step.To
		case Hold:
			for _, name := range step.Judges {
				seeing[name] = seeing[name] || share > 0
			}
		}
	}
	if blind := slices.DeleteFunc(slices.Clone(judges), func(name string) bool { return seeing[name] }); len(blind) > 0 {
		p.add("judges: found %q, and no hold in which the new version has traffic, when would they watch", blind)
	}
}

// retire sends the last of the old version away, once it has been kept for a while
// for an instant way back.
func (w *way) retire(keep time.Duration, in Input) {
	w.hold(Hold{For: keep})
	if in.NoReturn != "" {
		w.steps = append(w.steps, NoReturn{in.NoReturn})
	}
	w.scale(0, w.at.New)
}

// problems collects what is wrong with a strategy and its input.
type problems struct {
	strategy string
	all      []error
}

func (p *problems) add(format string, args ...any) {
	p.all = append(p.all, fmt.Errorf("strategy: "+p.strategy+": "+format, args...))
}

func (p *problems) err() error { return errors.Join(p.all...) }

// mostInstances is far more than anybody runs, and a plan for it still fits.
const mostInstances = 100_000

// input checks what every strategy is given.
func (p *problems) input(in Input) {
	switch {
	case in.From < 0 || in.From >= All:
		p.add("from: found %v, want less than 100 %%: there is nothing left to move", in.From)
	case in.From > 0 && in.Instances > 0:
		p.add("from: found %v with %d instances, want 0 %%: nobody knows how many of them are new", in.From, in.Instances)
	}
	if in.Instances < 0 || in.Instances > mostInstances {
		p.add("instances: found %d, want from 0 to %d", in.Instances, mostInstances)
	}
	if in.Progress < 0 {
		p.add("progress: found %v, want no negative time", in.Progress)
	}
	if in.Old == in.New && in.Old != "" {
		p.add("old, new: found %q for both, want two versions", in.New)
	}
	if in.New == "" && in.Old != "" {
		p.add("new: found none beside the old version %q, want one", in.Old)
	}
}

// instances wants some.
func (p *problems) instances(in Input) {
	if in.Instances == 0 {
		p.add("instances: found none, want how many serve everybody")
	}
}

// within wants a time to be shorter than the progress deadline.
func (p *problems) within(name string, d time.Duration, in Input) {
	switch {
	case d < 0:
		p.add("%s: found %v, want no negative time", name, d)
	case in.Progress >= 0 && d >= in.progress():
		p.add("%s: found %v, want less than the progress deadline of %v", name, d, in.progress())
	}
}

// hold checks one, and its judges.
func (p *problems) hold(name string, h Hold) {
	p.wait(name, h)
	p.names(name+".judges", h.Judges)
}

// wait checks what a hold waits for.
func (p *problems) wait(name string, h Hold) {
	if text := h.problem(); text != "" {
		p.add("%s: %s", name, text)
	}
	if h.Exposed > 0 && len(h.Judges) == 0 {
		p.add("%s: found %d requests without judges, who would count them", name, h.Exposed)
	}
}

// names wants each name once.
func (p *problems) names(name string, list []string) {
	known := map[string]bool{"": true}
	for i, one := range list {
		if known[one] {
			p.add("%s[%d]: found %q, want each name once, and none empty", name, i, one)
		}
		known[one] = true
	}
}

// mirror checks a share to be copied.
func (p *problems) mirror(to Share, during Hold) {
	if to < 0 || to > All {
		p.add("mirror: found %v, want from 0 to 100 %%", to)
	}
	if to > 0 && during.For <= 0 && !during.Approval {
		p.add("mirror: found %v for no time, want a hold before anybody is exposed", to)
	}
}
