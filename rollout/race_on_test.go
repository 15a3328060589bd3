//go:build race

package rollout_test

const raceEnabled = true // pools forget what they hold, so bytes cannot be counted
