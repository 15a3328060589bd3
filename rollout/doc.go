// Package rollout drives a change from 0 % to 100 %, or back.
//
// A rollout is a [strategy.Plan], driven by a pure [Machine], whose every move is
// in a [Journal] before it happens. Status, audit, resume after a crash and the
// delivery metrics are folds over that journal. The everyday case is a flag that
// ramps itself on live traffic:
//
//	journal, err := rollout.OpenFile("state")
//	engine, err := rollout.New(journal, rollout.Options{Service: "shop", Environment: "production"})
//	guard, err := engine.Guard(flags, rollout.Guarded{Flag: NewCheckout, Hold: 10 * time.Minute})
//	handler := flaghttp.Middleware(flags, who)(guard.Middleware(mux))
//	go http.ListenAndServe(":8080", handler)
//	outcome, err := guard.Run(ctx)
//
// # The machine
//
//	Pending
//	   | requested
//	   v          begun, done
//	Forward(0) -----------------> Forward(n) ----- finished ----> Done(Succeeded)
//	   |                           |  ^   |
//	   |                   waiting |  |   |
//	   |                           v  |   |
//	   |        Waiting(n) <-------+  |   |
//	   |         |    |     done      |   |
//	   |         |    +---------------+   |
//	   | failed, | looked: fail,          | failed,
//	   | replaced| failed, replaced       | replaced
//	   v         v                        v
//	Back(0) -- begun, done --> Back(n) ----- finished ----> Done(RolledBack)
//	              failed: again, later                      or Done(Superseded)
//
// # Guarantees
//
//   - Nothing moves before the journal says that it begins, and nothing is called
//     done before it was read back.
//   - After a crash between any two records, resuming ends in the same outcome: a
//     step that was acknowledged is not taken again, and one whose end nobody knows
//     is taken again, which every [strategy.Target] must bear.
//   - A guarded flag never serves more users than the journal allows, from the
//     moment [Engine.Guard] returns.
//   - A way back that fails is tried again until it is seen to have worked; it is
//     never called rolled back before.
//   - A context that ends stops the engine and is no abort: the journal goes on from
//     there. No goroutine outlives the call that was given the context.
//   - There is exactly one finished record for a rollout.
//   - Whoever moves the target by hand meanwhile ends the rollout, and the journal
//     says so.
//   - A change that fails is taken back even if the journal cannot be written; the
//     next process, which cannot know, goes on where the journal ends.
//   - With the default judge, a change that does nothing is rolled back by it with
//     probability at most 5 %, however often it looks; [health.FirstFailure] and
//     [health.Placebo] say what that rests on, and what is proved where: a hold that
//     waits for requests of the new side is outside the proof, unless the cohorts
//     count in strict mode, and measured at the same 5 %.
package rollout
