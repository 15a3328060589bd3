package split

import (
	"context"
	"errors"
	"fmt"

	"github.com/guidon-go/guidon/strategy"
)

var errUnprepared = errors.New("nobody has said which versions: call Prepare first")

// Prepare says which backends a plan's old and new version are. Both have to be there
// and, together, have all of the traffic. While both have some, they are what they were:
// the new version is the first of the weights. Otherwise nobody moves, and from then on
// the salt is the new version's: see [Options].
func (s *Splitter) Prepare(ctx context.Context, old, new string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var problems []error
	add := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("split: prepare: "+format, args...))
	}
	for _, v := range []struct{ which, name string }{{"old", old}, {"new", new}} {
		switch {
		case v.name == "":
			add("%s: found no version, want the name of a backend", v.which)
		case s.staying(v.name) == nil:
			add("%s: no backend %q", v.which, v.name)
		}
	}
	if old == new && old != "" {
		add("old, new: found %q for both, want two versions", new)
	}
	if amiss := s.amiss(old, new); amiss != "" && len(problems) == 0 {
		add("%s", amiss)
	}
	if s.mirror > 0 && new != s.new && len(problems) == 0 {
		add("%q still gets copies of %v of the requests", s.new, s.mirror)
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	s.old, s.new = old, new
	if share := s.share(new); share == 0 || share == strategy.All { // nobody moves when the slots change places
		s.weights = []Weight{{new, share}, {old, strategy.All - share}}
		s.publish()
	}
	return nil
}

// amiss says why the traffic is not what Shift makes of it for the two; s.mu is held.
func (s *Splitter) amiss(old, new string) string {
	for _, w := range s.weights {
		if w.Share > 0 && w.Backend != old && w.Backend != new {
			return fmt.Sprintf("%q has %v of the traffic, which is neither %q nor %q", w.Backend, w.Share, old, new)
		}
	}
	if len(s.weights) == 0 {
		return "nobody has any traffic"
	}
	if first := s.weights[0].Backend; first != new && s.share(old) > 0 && s.share(new) > 0 {
		return fmt.Sprintf("%q is the first of the weights, so a shift would move users between %q and %q at random: want %q first, or all of the traffic on one of them", first, old, new, new)
	}
	return ""
}

// Shift gives the new version this share of the traffic and the old one the rest: the
// slots below it, as [Splitter.SetWeights] does.
func (s *Splitter) Shift(ctx context.Context, to strategy.Share) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.moves(ctx, to); err != nil {
		return fmt.Errorf("split: shift: %w", err)
	}
	weights := []Weight{{s.new, to}, {s.old, strategy.All - to}}
	for _, w := range weights {
		if w.Share > 0 && s.staying(w.Backend) == nil {
			return fmt.Errorf("split: shift: no backend %q, for %v of the traffic", w.Backend, w.Share)
		}
	}
	s.weights = weights
	s.publish()
	return nil
}

// Mirror sends the new version copies of this share of the requests that the old one
// gets, drawn at random. The copies have the header [MirrorHeader], their answers are
// thrown away, and the requests themselves are served as if there were none. No copy is
// made of a request that would change its protocol.
//
// A copy's context is its own: it has nothing that was put into the request's by whatever
// is in front of the splitter, such as the flags of this request, a router's parameters,
// or, with some routers, what is left of the path. A new version that needs them has
// them made in its own [Backend].Handler, or the splitter stands in front of them.
func (s *Splitter) Mirror(ctx context.Context, to strategy.Share) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.moves(ctx, to); err != nil {
		return fmt.Errorf("split: mirror: %w", err)
	}
	if to > 0 && s.staying(s.new) == nil {
		return fmt.Errorf("split: mirror: no backend %q", s.new)
	}
	if to > 0 && s.life.Err() != nil {
		return errors.New("split: mirror: it is closed")
	}
	s.mirror = to
	s.publish()
	return nil
}

// moves says why nothing can be moved; s.mu is held.
func (s *Splitter) moves(ctx context.Context, to strategy.Share) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case s.new == "":
		return errUnprepared
	case to < 0 || to > strategy.All:
		return fmt.Errorf("found %v, want from 0 to 100 %%", to)
	}
	return nil
}

// Observe reads back what serves now. If a third backend has traffic, or the weights are
// not in the order of Prepare, it says so in Why.
func (s *Splitter) Observe(ctx context.Context) (strategy.Observation, error) {
	if err := ctx.Err(); err != nil {
		return strategy.Observation{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.new == "" {
		return strategy.Observation{}, fmt.Errorf("split: observe: %w", errUnprepared)
	}
	return strategy.Observation{Share: s.share(s.new), Mirror: s.mirror, Why: s.amiss(s.old, s.new)}, nil
}
