//go:build !race

package healthtest_test

const raceEnabled = false
