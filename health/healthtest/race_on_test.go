//go:build race

package healthtest_test

const raceEnabled = true // where a simulation would run about ten times slower
