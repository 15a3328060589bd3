// Package evidence turns failures under a hash-assigned ramp into evidence that
// the change causes them.
//
// The one idea: a unit's slot is a uniform random number that the hash drew and
// that nothing else depends on. When a unit fails, looking up on which side of
// the ramp it is tosses a coin whose bias is known exactly. A change that does
// nothing cannot bend that coin, whatever its users do. [Process] bets on "the
// candidate side comes up too often"; the wealth of that bet, E, has expectation
// 1 under a harmless change, so by Ville's inequality it ever reaches 1/alpha
// with probability at most alpha.
//
// A unit tosses once. When the ramp has risen above the point up to which its
// slot is known, it may toss again for the rest: [Reveal] is that rule.
//
// Where units fail anyway, tossing each once says little. [Lanes] compare the real
// assignment of buckets of slots with random ones of the same traffic instead: a
// change that does nothing makes it one of them like any other.
//
// [Harm], [NoHarm], [OneSample] and [Wilson] are the classical tests of counts, for
// requests that are independent of one another.
//
// Everything here is pure: no clock, no goroutine, no randomness but what a seed
// draws.
package evidence
