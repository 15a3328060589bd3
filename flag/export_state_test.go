package flag

// Fault lets a step of writing the store's state fail.
func (s *Store) Fault(fail func(step string) error) { s.state.fault = fail }

// Revision is the newest of the store.
func (s *Store) Revision() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revision
}
