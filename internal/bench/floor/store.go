package floor

import "sync/atomic"

// Store holds flags of one kind.
type Store[F any] struct{ now atomic.Pointer[snapshot[F]] }

type snapshot[F any] struct {
	flags []F
	byKey map[string]*F
}

// NewStore returns a store with these flags, the i-th of which has the i-th key.
func NewStore[F any](keys []string, flags []F) *Store[F] {
	next := &snapshot[F]{flags: flags, byKey: make(map[string]*F, len(flags))}
	for i, key := range keys {
		next.byKey[key] = &flags[i]
	}
	s := &Store[F]{}
	s.now.Store(next)
	return s
}

func (s *Store[F]) ref(i int) *F { return &s.now.Load().flags[i] }

func (s *Store[F]) key(key string) *F { return s.now.Load().byKey[key] }

// Nothing is a call that evaluates nothing, to tell what the loops themselves cost.
//
//go:noinline
func Nothing(*Store[Ramp], int, *Subject) bool { return true }
