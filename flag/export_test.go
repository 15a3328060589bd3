package flag

// SnapshotOf is the set that serves.
func SnapshotOf(s *Store) *Set { return s.snapshot() }
