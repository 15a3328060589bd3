package split

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Add adds a backend, with no traffic. A name that is there already is an error, also
// while [Splitter.Remove] waits for its last requests.
func (s *Splitter) Add(b Backend) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.add(b); err != nil {
		return fmt.Errorf("split: add: %w", err)
	}
	s.publish()
	return nil
}

// add adds it for whoever publishes; s.mu is held, unless nobody else knows s yet.
func (s *Splitter) add(b Backend) error {
	switch {
	case b.Name == "":
		return errors.New("found no name, want the version's")
	case b.Handler == nil:
		return fmt.Errorf("%q has no handler", b.Name)
	case s.find(b.Name) != nil:
		return fmt.Errorf("found %q again, want each once", b.Name)
	}
	s.backends = append(s.backends, &backend{Backend: b})
	return nil
}

// find is the backend of that name, or nil; s.mu is held.
func (s *Splitter) find(name string) *backend {
	for _, b := range s.backends {
		if b.Name == name {
			return b
		}
	}
	return nil
}

// staying is the backend of that name if it can get traffic, or nil; s.mu is held.
func (s *Splitter) staying(name string) *backend {
	if b := s.find(name); b != nil && b.leaving == 0 {
		return b
	}
	return nil
}

// Remove takes a backend away, and returns when the last of its requests is answered.
// It is an error if the backend has traffic, or gets copies. While Remove waits, pinned
// requests do not reach it, and it can be given no traffic. When the context ends first
// the backend stays, as if Remove had not been called: a connection that never ends is
// not in the way of a way back. An [Upstream] whose transport is its own lets go of its
// idle connections.
func (s *Splitter) Remove(ctx context.Context, name string) error {
	b, err := s.leave(name)
	if err != nil {
		return fmt.Errorf("split: remove: %w", err)
	}
	err = b.drained(ctx)
	s.mu.Lock()
	b.leaving--
	if err == nil {
		s.backends = slices.DeleteFunc(s.backends, func(x *backend) bool { return x == b })
	}
	s.publish()
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("split: remove: %w", err)
	}
	if u, ok := b.Handler.(*upstream); ok {
		u.closeIdle()
	}
	return nil
}

// leave stops requests from coming to a backend.
func (s *Splitter) leave(name string) (*backend, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.find(name)
	switch {
	case b == nil:
		return nil, fmt.Errorf("no backend %q", name)
	case s.share(name) > 0:
		return nil, fmt.Errorf("%q has %v of the traffic, want none", name, s.share(name))
	case s.mirror > 0 && s.new == name:
		return nil, fmt.Errorf("%q gets copies of %v of the requests, want none", name, s.mirror)
	}
	b.leaving++
	s.publish()
	return b, nil
}

// Drain returns when none of the backend's requests is in flight, and their outcomes
// have been told. While it has traffic that may be never: give it a context that ends.
func (s *Splitter) Drain(ctx context.Context, name string) error {
	s.mu.Lock()
	b := s.find(name)
	s.mu.Unlock()
	if b == nil {
		return fmt.Errorf("split: drain: no backend %q", name)
	}
	if err := b.drained(ctx); err != nil {
		return fmt.Errorf("split: drain: %w", err)
	}
	return nil
}

func (b *backend) drained(ctx context.Context) error {
	if err := b.flights.wait(ctx); err != nil {
		return fmt.Errorf("%d requests to %q are not answered: %w", b.flights.count(), b.Name, err)
	}
	return nil
}

// InFlight is how many requests a backend has not answered yet, copies included: a
// stream, and a connection that an [Upstream] took over, until they end. It is 0 for a
// name that is not there.
func (s *Splitter) InFlight(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.find(name); b != nil {
		return b.flights.count()
	}
	return 0
}
