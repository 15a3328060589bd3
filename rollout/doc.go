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
// Whatever else can be moved a little at a time is a [Request] with a target of the
// host's own, which [Engine.Deploy] carries out. What people do is [Engine.Act]: pause,
// continue, approve, abort, promote, roll back.
//
// # Pipelines
//
// A [Pipeline] takes a release all the way: stages, and which of them each needs.
//
//	pipeline := rollout.Pipeline{Stages: []rollout.Stage{
//		{Name: "build", Do: build},
//		{Name: "smoke", Needs: []string{"build"}, Do: rollout.Ask(suite.Check)},
//		{Name: "expand", Needs: []string{"smoke"}, Do: addColumn, Undo: dropColumn},
//		{Name: "production", Needs: []string{"expand"}, Deploy: production},
//		{Name: "contract", Needs: []string{"production"}, Do: dropOld, NoReturn: "orders.total is dropped"},
//	}}
//	report, err := engine.Run(ctx, rollout.RunRequest{ID: "shop 42", Release: release}, pipeline)
//
// A stage is a function, a gate, a [Request] with a strategy, or a guarded flag. When one
// fails, those before it are taken back, the last first; after a point of no return the
// run freezes, and a person decides. Its records stand in the same journal, from which
// [Engine.Report] tells of it. [ParsePipeline] reads one from a file.
//
// # Simulation
//
// What would become of it? [Engine.Simulate] plays a request, and [Engine.SimulateRun] a
// pipeline, in a made-up [World]: with this traffic, a change that harms so much, and these
// faults. The engine is the real one, on a time of its own, so days take seconds, and
// nothing of the host is touched:
//
//	s, err := engine.Simulate(ctx, request, rollout.World{Rate: 100, Users: 10_000, ErrorRate: 0.01, Harm: 5})
//	fmt.Println(s.Outcome, "after", s.Took, s.Harmed, "users were harmed")
//
// [GameDay] does so with one fault after the other, and says which are not borne.
//
// # The machine
//
//	Pending
//	   | requested                (paused and frozen lie over Forward and Waiting:
//	   v          begun, done      nothing goes forward, and judges go on)
//	Forward(0) -----------------> Forward(n) ----- finished ----> Done(Succeeded)
//	   |                           |  ^   |
//	   |                   waiting |  |   |
//	   |                           v  |   |
//	   |        Waiting(n) <-------+  |   |
//	   |         |    |     done      |   |     a person promotes: Forward(0) again,
//	   |         |    +---------------+   |     with no gate and no hold
//	   | failed, | looked: fail,          | failed,           ^
//	   | abort,  | failed, abort,         | abort,            |
//	   | replaced| replaced               | replaced          |
//	   v         v                        v                   |
//	Back(0) -- begun, done --> Back(n) ----- finished ----> Done(RolledBack),
//	  held: the old version is       failed: again, later   Done(Cancelled) if nobody
//	  no better, so it waits           left by a person:    was exposed, or
//	                                   Done(Failed)         Done(Superseded)
//
// Past a [strategy.NoReturn] nothing leads to Back: what fails there pauses. The way
// back of a rollout that has succeeded is one of its own, and begins at Back(0).
//
// # Guarantees
//
// Each is held by the test beside it.
//
//   - Nothing moves before the journal says that it begins, and nothing is called
//     done before it was read back: TestTargetsAreReadBack, TestModel.
//   - After a crash between any two records, resuming ends in the same outcome: a
//     step that was acknowledged is not taken again, and one whose end nobody knows
//     is taken again, which every [strategy.Target] must bear: TestCrashAnywhere,
//     TestModel, TestKill.
//   - Shares lie between 0 and 100 % after every record, and the target never has
//     more than the journal allows: TestModel, FuzzMachine.
//   - There is exactly one finished record for a rollout, and at most one rollout of
//     a service, environment and flag at a time: TestModel, TestStories.
//   - No step is left while a gate says no or a judge says that the change fails,
//     unless a person promotes it or judges only report: TestModel, TestStories.
//   - With an Artifact, no instance starts from one, and none is promoted, whose digest
//     is not its release's: it is refused before anything is prepared, or goes back by
//     itself, which needs nothing of it. What cannot be read is no better, unless
//     Request.Doubt says so: TestArtifactIsVerified, TestArtifactInDoubt, TestStories.
//   - A digest is the same on every machine, and for other tools: TestDigestVector,
//     TestDigestTellsApart.
//   - After a way back the target is where it was before; one that fails is tried
//     again until it is seen to have worked, and is never called rolled back before:
//     TestTheWayBackIsTriedAgain, TestModel.
//   - What people are told follows from the records: each rollout begins once, and is
//     over once, and an engine tells what its journal does: TestStories, TestNotices.
//   - Replaying the journal gives the same state: TestModel, TestStories.
//   - A guarded flag never serves more users than the journal allows, from the
//     moment [Engine.Guard] returns: TestGuardSurvivesCrashes.
//   - A context that ends stops the engine and is no abort: the journal goes on from
//     there. No goroutine outlives the call that was given the context, but for that of a
//     stage that does not return, which is given up after ten seconds, and of a file
//     journal whose disk does not answer: TestCancelIsNoAbort, TestPipelines.
//   - Freezes, pauses and deadlines never hold up a way back: TestStories.
//   - A hold is never shorter than it says, whatever the clock does, and only time in
//     which somebody watched counts; of a process that is gone, that is up to its last
//     look: TestStories, TestOnlyWatchedTimeCounts, TestGapsAreNotWatched.
//   - Whoever moves the target by hand meanwhile ends the rollout, and the journal
//     says so: TestTargetsAreReadBack.
//   - While the journal cannot be written, or has not answered for five seconds, nothing
//     goes forward; a change that fails meanwhile is taken back all the same, and written
//     down when that is possible. If the process ends first, the next one, which cannot
//     know, goes on where the journal ends: TestRetreatWithoutJournal,
//     TestRetreatWhileTheJournalHangs, TestNothingMovesWithoutJournal, TestDiskThatHangs.
//   - What a run has deployed, and somebody has taken back since, counts as failed before
//     anything else of it begins; what a person makes go back is not tried again; and an
//     optional rollout is not left in the air: TestWhatWasTakenBackIsNotDone,
//     TestRetriesLeaveWhatPeopleDecide, TestNoRolloutIsLeftInTheAir.
//   - A stage of a pipeline begins when all that it needs is done, and is never run again
//     after the journal has it as done; it is taken back before what it needs. A run that
//     is called rolled back has nothing left that can be taken back. After a crash at any
//     record it ends as it would have: TestCourse, TestPipelineCrashAnywhere,
//     TestPipelines.
//   - There is one run at a time of a pipeline in a service and environment; others wait, or
//     are refused if nobody carries it out: TestOneRunAtATime, TestRunsThatNobodyCarriesOut.
//   - What a simulation does is what the engine does: the same journal, by package time and
//     by simulated time. Equal worlds give equal journals, byte for byte, and what is kept
//     of it does not grow with the time: TestSimulationIsReal, TestSimulatedRunIsReal,
//     TestSimulationsAreEqual, TestSimulatedRunsAreEqual, TestSimulationForgets,
//     TestSimulations.
//   - With the default judge, a change that does nothing is rolled back by it with
//     probability at most 5 %, however often it looks; [health.FirstFailure] and
//     [health.Placebo] say what that rests on, and what is proved where: a hold that
//     waits for requests of the new side is outside the proof, unless the cohorts
//     count in strict mode, and measured at the same 5 %. Alarms are no part of that
//     bound.
package rollout
