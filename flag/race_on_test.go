//go:build race

package flag_test

const raceEnabled = true // pools forget what they hold, so bytes cannot be counted
