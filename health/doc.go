// Package health says whether a service is well, and whether a change made it
// worse.
//
// The one idea: whoever decides by hash which users get a change, in the process
// that sees what happens to them, is running a randomised experiment. So the
// question "is it the change?" has an answer that holds for any traffic, as often
// as one likes to ask.
//
// Two things are measured. A [Window] is what one service did in the last minute:
// rates, latency quantiles, throughput. [Cohorts] are what a rollout did since it
// began, candidate beside baseline, and a [Judge] such as [FirstFailure] turns
// them into a [Verdict]. And a [Monitor] asks what cannot be measured: it runs
// checks, and answers probes of the platform, people, and gates.
//
//	window := health.NewWindow(health.WindowOptions{})
//	cohorts := health.NewCohorts(health.CohortsOptions{})
//	judge := health.FirstFailure{Alpha: 0.05}
//
//	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
//		unit, slot, ramp := decide(r) // the rollout's own hash, slot and ramp
//		health.Observe(w, r, service(slot < ramp), func(res health.Response) {
//			cohorts.Record(health.Outcome{
//				Unit: unit, Slot: slot, Ramp: ramp,
//				Class: health.ByStatus(res.Status), Latency: res.Latency,
//			})
//		})
//	})
//	go http.ListenAndServe(":8080", window.Middleware(handler))
//
//	var state health.State
//	for range time.Tick(time.Second) {
//		var verdict health.Verdict
//		verdict, state = judge.Look(state, cohorts.Snapshot())
//		slog.Info("look", "verdict", verdict, "service", window.Snapshot(time.Now()).String())
//		if verdict.Call == health.Fail {
//			rollBack(verdict.Reason)
//			break
//		}
//	}
//
// # Guarantees
//
//   - Where there is no data there is no value: never a rate of 0 or 1, and never
//     a Pass. An outcome that nobody classified is a failure.
//   - A harmless change is failed by FirstFailure with probability at most Alpha
//     over the whole rollout, however often one looks; what that rests on is in
//     its documentation.
//   - Latency quantiles are off by at most 0.78 % between 2 µs and 68 s.
//   - A check that panics, hangs, answers too late or is removed harms no other; at
//     most one goroutine runs its probe. A check is never healthy before it has passed
//     [Check.PassAfter] times in a row, and unknown when it was not asked for too long.
//     Readers of a monitor never wait for a probe.
//   - Recording a success takes no lock and allocates nothing. Everything but the
//     order of Restore and Record is safe for concurrent use.
//   - Snapshots, samples, checkpoints and verdicts are values: nothing changes
//     them later. Equal outcomes in equal order give samples and checkpoints that
//     are equal byte for byte in JSON; what one version wrote, later ones read.
//   - Judges are pure: a look can be repeated from a journal, with the same result.
package health
