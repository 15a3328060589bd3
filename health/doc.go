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
//   - Recording a success takes no lock and allocates nothing, but for the first at a
//     ramp, and those slower than every threshold of latency. Everything but the
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
// DefaultJudge of errors, ramp at 10 %: rolled back, 300 runs a cell:
//
//	                                  a user per request    10,000 users, Zipf             500 users
//	harmless                                       1.7 %                 2.0 %                 2.0 %
//	harmless, incident x4                          3.0 %                 1.7 %                 2.3 %
//	harmless, bursts of 3                          1.3 %                 2.7 %                 4.0 %
//	harmless, bursts of 10                         2.0 %                 2.3 %                 1.7 %
//	harmless, users differ by 0.2                  2.3 %                 2.3 %                 2.7 %
//	harmless, users differ by 0.4                  1.3 %                 3.3 %                 3.0 %
//	harmless, chronic users                        1.7 %                 2.0 %                 2.3 %
//	harmless, 10 requests/s                        2.7 %                 1.7 %                 3.0 %
//	harmless, 10 % fail                            2.7 %                 2.3 %                 3.7 %
//	+50 %                                79.3 % in 4m38s        61.7 % in 5m0s       77.7 % in 4m38s
//	2x                                  100.0 % in 1m36s       98.3 % in 2m19s      100.0 % in 1m57s
//	5x                                    100.0 % in 13s        100.0 % in 19s        100.0 % in 14s
//	2x, bursts of 3                       81.3 % in 4m6s        60.7 % in 4m6s       64.3 % in 3m58s
//	5x, bursts of 10                    100.0 % in 1m58s       96.7 % in 2m19s       98.7 % in 1m46s
//	2x, chronic users                    99.7 % in 2m31s       74.7 % in 3m25s       63.0 % in 1m50s
//	5x, 10 requests/s                    100.0 % in 2m1s       98.7 % in 2m19s      100.0 % in 1m53s
//	+50 %, 10 % fail                      100.0 % in 41s        100.0 % in 51s        100.0 % in 51s
//
// DefaultJudge of errors, ramp 1, 5, 25, 50 %, two minutes each: rolled back, 300 runs a cell:
//
//	                                  a user per request    10,000 users, Zipf             500 users
//	harmless                                       2.0 %                 2.7 %                 2.3 %
//	harmless, incident x4                          1.3 %                 3.3 %                 3.0 %
//	harmless, bursts of 3                          3.3 %                 3.0 %                 4.7 %
//	harmless, bursts of 10                         2.3 %                 1.7 %                 2.3 %
//	harmless, users differ by 0.2                  2.3 %                 3.0 %                 2.0 %
//	harmless, users differ by 0.4                  2.7 %                 3.3 %                 3.7 %
//	harmless, chronic users                        1.7 %                 3.7 %                 2.7 %
//	harmless, 10 requests/s                        3.0 %                 3.3 %                 2.3 %
//	harmless, 10 % fail                            1.7 %                 3.3 %                 2.7 %
//	+50 %                                93.0 % in 6m12s        83.3 % in 7m4s       93.0 % in 6m24s
//	2x                                   100.0 % in 4m9s       100.0 % in 5m0s      100.0 % in 4m30s
//	5x                                  100.0 % in 1m36s       100.0 % in 2m7s      100.0 % in 1m36s
//	2x, bursts of 3                      95.3 % in 5m52s       82.0 % in 6m52s       90.3 % in 5m48s
//	5x, bursts of 10                    100.0 % in 4m17s      100.0 % in 4m46s      100.0 % in 4m19s
//	2x, chronic users                   100.0 % in 4m48s       97.3 % in 5m40s        97.7 % in 5m7s
//	5x, 10 requests/s                   100.0 % in 4m23s      100.0 % in 4m35s      100.0 % in 4m24s
//	+50 %, 10 % fail                    100.0 % in 2m58s      100.0 % in 3m36s       100.0 % in 3m9s
//
// DefaultJudge of latency, ramp at 10 %, ten minutes of history: rolled back, 300 runs a cell:
//
//	                                  a user per request    10,000 users, Zipf             500 users
//	harmless                                       3.7 %                 2.3 %                 2.3 %
//	+5 %                                 95.0 % in 3m27s       76.3 % in 4m27s       68.7 % in 3m46s
//	+10 %                               100.0 % in 1m11s      100.0 % in 1m31s       99.3 % in 1m21s
//	+25 %                                 100.0 % in 21s        100.0 % in 21s        100.0 % in 21s
//	2 % take 1 s more                     100.0 % in 38s        100.0 % in 51s        100.0 % in 41s
//	0.5 % take 1 s more                  73.7 % in 5m12s        56.3 % in 4m6s                44.0 %
//
// NoHarm of less than 2x, ramp at 10 %: passed, 300 runs a cell:
//
//	                                  a user per request    10,000 users, Zipf             500 users
//	2x                                             2.3 %                 4.7 %                 4.0 %
//	2x, users differ by 1                          2.3 %                 4.0 %                 3.3 %
//	2x, chronic users as well                      4.0 %                 3.3 %                 2.7 %
//	2x, bursts of 3                                0.3 %                 0.3 %                 1.0 %
//	2x, 10 % fail                                  4.3 %                 5.0 %                 2.0 %
//	harmless                             96.7 % in 3m36s        90.7 % in 4m6s        94.7 % in 4m6s
//
// DefaultJudge of errors, ramp by the candidate's requests: rolled back, 300 runs a cell:
//
//	                                  a user per request    10,000 users, Zipf             500 users
//	harmless                                       1.3 %                 4.0 %                 3.0 %
//	harmless, bursts of 10                         2.7 %                 2.0 %                 2.0 %
//	harmless, chronic users                        2.7 %                 3.3 %                 3.0 %
//	2x                                  100.0 % in 2m39s       100.0 % in 4m6s       98.0 % in 2m47s
//	5x                                  100.0 % in 1m34s       100.0 % in 2m9s       98.7 % in 1m30s
//	2x, chronic users                   100.0 % in 2m57s       99.0 % in 4m35s        94.7 % in 3m9s
//
// DefaultJudge of errors, the same in strict mode: rolled back, 300 runs a cell:
//
//	                                  a user per request    10,000 users, Zipf             500 users
//	harmless                                       2.3 %                 3.3 %                 2.0 %
//	harmless, bursts of 10                         1.0 %                 2.7 %                 1.3 %
//	harmless, chronic users                        2.0 %                 3.3 %                 4.3 %
//	2x                                  100.0 % in 3m15s       89.3 % in 4m37s       82.0 % in 3m25s
//	5x                                  100.0 % in 1m54s      100.0 % in 2m36s       98.3 % in 1m45s
//	2x, chronic users                   100.0 % in 3m51s       78.0 % in 5m23s       62.7 % in 3m40s
//
// DefaultJudge of errors, ramp at 10 %, ten minutes of history: rolled back, 300 runs a cell:
//
//	                                  a user per request    10,000 users, Zipf             500 users
//	harmless                                       2.0 %                 3.7 %                 3.0 %
//	harmless, incident x4                          2.0 %                 3.3 %                 2.7 %
//	harmless, bursts of 3                          2.7 %                 2.0 %                 6.7 %
//	harmless, bursts of 10                         3.7 %                 3.3 %                 2.0 %
//	harmless, users differ by 0.2                  2.3 %                 3.0 %                 3.3 %
//	harmless, users differ by 0.4                  2.0 %                 3.3 %                 2.3 %
//	harmless, chronic users                        2.3 %                 3.7 %                 3.7 %
//	harmless, 10 requests/s                        2.0 %                 3.7 %                 3.3 %
//	harmless, 10 % fail                            4.3 %                 4.0 %                 2.3 %
//	+50 %                                82.7 % in 4m16s        68.3 % in 4m6s       76.3 % in 4m38s
//	2x                                  100.0 % in 1m43s       99.3 % in 2m18s      100.0 % in 1m57s
//	5x                                    100.0 % in 14s        100.0 % in 19s        100.0 % in 14s
//	2x, bursts of 3                      85.3 % in 4m11s       63.7 % in 4m38s        74.3 % in 4m7s
//	5x, bursts of 10                    100.0 % in 1m52s       97.3 % in 2m19s      100.0 % in 1m57s
//	2x, chronic users                    99.3 % in 2m43s        92.0 % in 3m9s       98.0 % in 2m43s
//	5x, 10 requests/s                   100.0 % in 1m57s       99.3 % in 2m14s       99.7 % in 1m57s
//	+50 %, 10 % fail                      100.0 % in 39s        100.0 % in 54s        100.0 % in 51s
//
// The 6.7 % is luck: in 1,500 more runs of that cell it was 3.0 %.
package health
