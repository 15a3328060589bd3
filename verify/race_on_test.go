//go:build race

package verify_test

const raceEnabled = true // pools forget what they hold, so allocations cannot be counted
