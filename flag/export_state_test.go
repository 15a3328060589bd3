package flag

// Fault lets a step of writing the store's state fail.
func (s *Store) Fault(fail func(step string) error) { s.state.fault = fail }
