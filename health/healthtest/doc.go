// Package healthtest holds a host's own checks and judges to what package health
// expects of them.
//
// [TestCheck] and [TestJudge] are called from a test, once for each check or judge. What
// they find is reported as errors of that test, each with the rule that was broken:
//
//	func TestQueueCheck(t *testing.T) {
//		healthtest.TestCheck(t, func() health.Check { return queue.Check("orders") })
//	}
//
//	func TestOurJudge(t *testing.T) {
//		healthtest.TestJudge(t, func() health.Judge { return OurJudge{Alpha: 0.05} }, healthtest.JudgeOptions{})
//	}
//
// Run them with -race too: half of what can go wrong is seen only by it. They start no
// subtests, so that they can be called in a bubble of testing/synctest.
//
// What a kit cannot see it does not promise: that a check asks the right thing, or that a
// judge finds harm.
package healthtest
