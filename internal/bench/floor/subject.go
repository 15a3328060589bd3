package floor

import "github.com/cespare/xxhash/v2"

// Subject is whom flags are evaluated for.
type Subject struct {
	id      string
	unit    uint64 // the hash of the id
	country uint64 // packed
	plan    uint64 // packed
	age     int
	email   string
}

// For returns a subject. The country and the plan have at most seven bytes.
func For(id, country, plan string, age int, email string) Subject {
	return Subject{id, xxhash.Sum64String(id), pack(country), pack(plan), age, email}
}

// pack puts a string of at most seven bytes into a word: its bytes from below, its
// length above. Longer parts are read in two halves that may overlap.
func pack(s string) uint64 {
	n := len(s)
	length := uint64(n) << 56
	switch {
	case n >= 4:
		return length | word4(s) | word4(s[n-4:])<<(8*(n-4))
	case n >= 2:
		return length | word2(s) | word2(s[n-2:])<<(8*(n-2))
	case n == 1:
		return length | uint64(s[0])
	}
	return 0
}

func word4(s string) uint64 {
	_ = s[3]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}

func word2(s string) uint64 {
	_ = s[1]
	return uint64(s[0]) | uint64(s[1])<<8
}
