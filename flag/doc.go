// Package flag decides who sees a change.
//
// A flag is declared once, in Go, with its type and the value that counts when
// in doubt; who gets which variant stands in a document that is validated and
// compiled whenever it changes. A request evaluates against one immutable
// snapshot, so all its decisions agree:
//
//	var NewCheckout = flag.Bool("new-checkout", false)
//
//	func main() {
//		flags, err := flag.Open("flags.json")
//		if err != nil {
//			log.Print(err) // every mistake, each with its place; what is right serves all the same
//		}
//		go flags.Run(context.Background()) // follows the file
//		log.Fatal(http.ListenAndServe(":8080", flaghttp.Middleware(flags, who)(mux)))
//	}
//
//	func checkout(w http.ResponseWriter, r *http.Request) {
//		if NewCheckout.On(r.Context()) {
//			// the new code path
//		}
//	}
//
// # Guarantees
//
//   - The same document, subject and salt give the same decision in every
//     process, on every architecture, in every version of the library.
//   - Raising a ramp never takes the flag from anybody; lowering it takes it
//     first from those who got it last.
//   - Evaluation never returns an error, panics, blocks, allocates, or writes to
//     the subject. In doubt the caller's default wins, and [Ref.Decide] says why.
//   - A definition that does not compile never replaces one that did. A flag with a
//     mistake, and what depends on it, stays as it was; the others load.
//   - A re-split by [Rebalance] moves the fewest units that any can, and flags of one
//     [Layer] never reach the same unit by a ramp or a split.
//   - What was changed at run time, by [Store.SetRamp], [Store.Kill] or [Store.Put],
//     lies over the document: a reload never undoes it, until [Store.Clear]; a
//     document that it does not fit is refused ([Options].Strict says what becomes of
//     a kill whose flag is dropped). Every evaluation that begins after the
//     call has returned sees it. With [Options.State] it outlives the process, whatever
//     ended that; without, it lies in memory, and after a restart the document alone
//     counts, and what a guarded rollout restores from its journal.
//   - Two who change a flag by what they saw of it do not overwrite each other:
//     [Change].Revision is compared first, and one of them gets [ErrConflict]. Revisions
//     are of one process: whoever saw a flag before a restart gets it, too, and has to
//     look again.
//   - [Set.Explain] says of a decision what [Ref.Decide] does, and why; [Set.Replay]
//     decides it again, bit for bit.
//   - No listener, hook or source is ever called with a lock held; a slow one harms
//     nobody but itself.
//
// # A flag's life
//
//   - From where: [File], [FS], [Bytes], flaghttp.NewSource, or any [Source];
//     [Options].Env and State.
//   - Changed: [Store.Create], [Store.Put], [Store.SetRamp], [Store.Advance],
//     [Store.Toggle], [Store.Override], [Store.Rebalance], [Store.Kill],
//     [Store.Revive], [Store.Clear]; seen by [Store.Watch] and [Ref.Follow].
//   - Understood: [Store.Explain], [Diff] of a [Store.Preview] or, for a document,
//     [Store.PreviewDocument], [Set.Replay].
//   - Ended: [Life] and [Store.Review].
//   - Tested: package flagtest, and flaghttp.Testers on the running service.
//
// The stories in testdata/stories tell of each, and a test plays them.
//
// # Pages
//
// DOCUMENTS.md beside this file describes documents: every condition and operator,
// ramps, splits, layers, and the order in which they decide. BUCKETING.md is the
// normative page on who is in which slot, with vectors in testdata/bucketing.json.
// schema.json is the JSON Schema of documents, made from the types of this package.
package flag
