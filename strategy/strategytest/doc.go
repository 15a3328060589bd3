// Package strategytest holds a host's own targets to what package rollout expects of a
// [strategy.Target].
//
// [TestTarget] is called from a test. What it finds is reported as errors of that test,
// each with the rule that was broken:
//
//	func TestOurTarget(t *testing.T) {
//		strategytest.TestTarget(t, func(t testing.TB) strategy.Target {
//			fleet := newFleet(t, strategytest.Old, strategytest.New) // Old has all traffic
//			t.Cleanup(fleet.Close)                                   // when the kit has done with it
//			return fleet
//		})
//	}
//
// Run it with -race too. It starts no subtests, so that it can be called in a bubble of
// testing/synctest.
//
// What a kit cannot see it does not promise: where requests really go, or that a target
// tells the truth after its process has died.
package strategytest
