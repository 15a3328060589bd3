//go:build race

package health_test

const raceEnabled = true // the simulation runs about ten times slower
