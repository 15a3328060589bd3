//go:build !race

package guidongrpc_test

const raceEnabled = false
