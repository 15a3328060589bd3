// Package rollouttest holds a host's own journals, and the locks that come with
// them, to what package rollout expects of a [rollout.Journal].
//
// [TestJournal] is called from a test. What it finds is reported as errors of that
// test, each with the rule that was broken:
//
//	func TestOurJournal(t *testing.T) {
//		rollouttest.TestJournal(t, func() func() (rollout.Journal, error) {
//			table := newTable(t) // an empty place for each rule
//			return func() (rollout.Journal, error) { return ours.Open(table) }
//		})
//	}
//
// Run it with -race too. It starts no subtests, so that it can be called in a bubble of
// testing/synctest.
//
// What a kit cannot see it does not promise: that a record is still there after the
// power failed, or what an append that failed half way leaves behind.
package rollouttest
