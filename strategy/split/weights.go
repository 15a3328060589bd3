package split

import (
	"errors"
	"fmt"
	"slices"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/strategy"
)

// Weight is the share of the traffic that a backend has.
type Weight struct {
	Backend string         // its name
	Share   strategy.Share // of the requests that are not pinned
}

// SetWeights says who serves from now on: every request that comes after it returns is
// placed by it, and those that are being answered are left alone. The slots of the
// traffic are given out in the order of the list, so the first backend has those below
// its share: it stands for the new version, and raising its share takes nobody away
// from it. With another one in its place, all that share the traffic are placed anew, as
// its name is part of the salt: it stays the first while several have traffic. The
// shares have to be 100 % together; backends that are left out get nothing.
func (s *Splitter) SetWeights(weights ...Weight) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var problems []error
	sum := int64(0)
	for i, w := range weights {
		if s.staying(w.Backend) == nil {
			problems = append(problems, fmt.Errorf("split: weights[%d]: no backend %q", i, w.Backend))
		}
		if slices.ContainsFunc(weights[:i], func(v Weight) bool { return v.Backend == w.Backend }) {
			problems = append(problems, fmt.Errorf("split: weights[%d]: found %q again, want each once", i, w.Backend))
		}
		if w.Share < 0 || w.Share > strategy.All {
			problems = append(problems, fmt.Errorf("split: weights[%d]: found %v, want from 0 to 100 %%", i, w.Share))
		}
		sum += int64(w.Share)
	}
	if sum != int64(strategy.All) && len(problems) == 0 {
		problems = append(problems, fmt.Errorf("split: weights: found %v together, want 100 %%", strategy.Share(sum)))
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	s.weights = slices.Clone(weights)
	s.publish()
	return nil
}

// Weights is who serves now, in the order of their slots.
func (s *Splitter) Weights() []Weight {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.weights)
}

// share is what a backend has; s.mu is held.
func (s *Splitter) share(name string) strategy.Share {
	for _, w := range s.weights {
		if w.Backend == name {
			return w.Share
		}
	}
	return 0
}

// routes says where requests go. It is replaced, and never changed.
type routes struct {
	lane     uint64     // gives a unit its slot
	ways     []way      // those with traffic, in the order of their slots
	backends []*backend // those that can be pinned
	first    strategy.Share
	shadow   *backend // gets copies; nil for nobody
	copied   uint64   // the highest of all random numbers that mean a copy
}

// way is a range of slots, from where the one before it ends.
type way struct {
	limit   uint64 // the highest hash that is in it
	backend *backend
}

// publish makes what was changed count; s.mu is held.
func (s *Splitter) publish() {
	r := &routes{}
	if len(s.weights) > 0 {
		r.lane = bucket.Lane(s.o.Salt+"/"+s.weights[0].Backend, bucket.Ramp)
	}
	sum := strategy.Share(0)
	for _, w := range s.weights {
		if w.Share > 0 {
			sum += w.Share
			r.ways = append(r.ways, way{bucket.Limit(int32(sum)), s.find(w.Backend)})
		}
	}
	if len(s.weights) > 1 { // one alone is nobody's new version
		r.first = s.weights[0].Share
	}
	for _, b := range s.backends {
		if b.leaving == 0 {
			r.backends = append(r.backends, b)
		}
	}
	if s.mirror > 0 {
		r.shadow, r.copied = s.find(s.new), bucket.Limit(int32(s.mirror))
	}
	s.routes.Store(r)
}

// weighted is the backend that has a unit's slot, by its hash.
func (r *routes) weighted(hash uint64) *backend {
	for i := range r.ways {
		if hash <= r.ways[i].limit {
			return r.ways[i].backend
		}
	}
	return nil
}

// pinned is the backend of that name, or nil.
func (r *routes) pinned(name string) *backend {
	if name == "" {
		return nil
	}
	for _, b := range r.backends {
		if b.Name == name {
			return b
		}
	}
	return nil
}
