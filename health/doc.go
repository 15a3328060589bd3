// Package health says whether a service is well, and whether a change made it
// worse.
//
//	window := health.NewWindow(health.WindowOptions{})
//	cohorts := health.NewCohorts(health.CohortsOptions{})
//	judge := health.DefaultJudge(time.Hour) // for as long as the rollout is watched
//	const ramp = 10_000                     // 10 %, in slots of 0.001 %
//
//	oldCheckout := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
//	newCheckout := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
//	shop := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
//		// Which users are in: a hash with a salt that nothing else uses.
//		hash := sha256.Sum256([]byte("new checkout/" + r.Header.Get("X-User")))
//		unit := binary.BigEndian.Uint64(hash[:])
//		slot := int32(unit % 100_000)
//		checkout := oldCheckout
//		if slot < ramp {
//			checkout = newCheckout
//		}
//		health.Observe(w, r, checkout, func(answer health.Response) {
//			cohorts.Record(health.Outcome{Unit: unit, Slot: slot, Ramp: ramp, Class: answer.Class(), Latency: answer.Latency})
//		})
//	})
//	handler := window.Middleware(shop) // http.ListenAndServe(":8080", handler)
//
//	var state health.State // small; keep it with the verdict, to go on after a crash
//	began := time.Now()
//	for visit := range 10_000 { // users, and a look after each of them; once a second does, too
//		r := httptest.NewRequest(http.MethodPost, "/checkout", nil)
//		r.Header.Set("X-User", fmt.Sprint("user-", visit))
//		handler.ServeHTTP(httptest.NewRecorder(), r)
//
//		sample := cohorts.Snapshot()
//		sample.Elapsed = time.Since(began)
//		var verdict health.Verdict
//		if verdict, state = judge.Look(state, sample); verdict.Call == health.Fail {
//			fmt.Println(verdict) // here the ramp goes back to 0
//			break
//		}
//	}
//	fmt.Println(window.Snapshot(time.Now()).Requests(), "requests in the last minute")
//
// The one idea: whoever decides by hash which users get a change, in the process
// that sees what happens to them, is running a randomised experiment. So the
// question "is it the change?" has an answer that holds for any traffic, as often
// as one likes to ask.
//
// # What there is
//
// A [Window] is what one service did in the last minute: rates, latency quantiles,
// throughput. An [SLO] says how fast the error budget burns, an [Availability] for
// how much of the time something was up.
//
// [Cohorts] are what a rollout did since it began, candidate beside baseline, and a
// [Judge] turns them into a [Verdict]: [DefaultJudge] for most, made of
// [FirstFailure] and [Placebo]; [NoHarm] for evidence that a change may pass;
// [Shared] for several that share one alpha; [Comparison], [ErrorLimit] and
// [Threshold] where requests are independent of one another. [Placebo] of [Traffic]
// is the alarm for a sample ratio that cannot be: if it fails, one of the sides
// loses requests or attracts them, and what the other judges say is not to be
// trusted. [Merge] makes one sample of several processes', and a [Planner] says
// beforehand how soon harm would be seen.
//
// A [Monitor] asks what cannot be measured: it runs checks, and answers probes of
// the platform, people, and gates. A [Gauge] does so for a number of the host's own.
// A [DeploymentMonitor] ties all of it together for one deployment, and says when to
// go back. Package healthtest holds a host's own checks and judges to the rules.
//
// # Guarantees
//
//   - Where there is no data there is no value: never a rate of 0 or 1, and never
//     a Pass. An outcome that nobody classified is a failure.
//   - If turning the change on alters no request's outcome, timing or traffic, the
//     default judge fails it with probability at most 5 %, however often it looks
//     and whatever users do (retries, bursts, heavy users, incidents, daily
//     patterns). It rests on this: units are assigned by a hash with a fresh salt
//     that nothing else uses, the counted unit is the hashed unit, outcomes are
//     recorded the same way on both sides, and the ramp follows time or total
//     traffic; where verdicts, people or the candidate's numbers steer it, use
//     [CohortsOptions.Strict]. It is no statement about equal averages; and a Pass
//     assumes the model of harm that [NoHarm] states.
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
//
// # Operating characteristics
//
// How often the judges call, measured on simulated traffic of 100 requests per
// second, of which 1 % fail, for ten minutes: a harmless change should be rolled back
// in at most 5 % of runs, a harmful one in all, soon. The time is the median of
// those rolled back. The command is
// go run ./internal/simulation/cmd/characteristics
//
// TABLES
package health
