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
// DefaultJudge of errors, ramp at 10 %: rolled back, 200 runs a cell:
//
//	                                  a user per request    10,000 users, Zipf             500 users
//	harmless                                       2.5 %                 3.0 %                 3.5 %
//	harmless, incident x4                          3.0 %                 1.0 %                 3.0 %
//	harmless, bursts of 3                          1.5 %                 2.0 %                 4.5 %
//	harmless, bursts of 10                         3.0 %                 1.5 %                 1.5 %
//	harmless, users differ by 0.2                  1.5 %                 3.0 %                 2.5 %
//	harmless, users differ by 0.4                  1.5 %                 3.0 %                 3.0 %
//	harmless, chronic users                        2.5 %                 2.5 %                 3.0 %
//	harmless, 10 requests/s                        3.0 %                 1.0 %                 3.5 %
//	harmless, 10 % fail                            2.0 %                 1.5 %                 4.0 %
//	+50 %                                79.5 % in 4m38s       62.0 % in 4m38s        76.5 % in 4m6s
//	2x                                  100.0 % in 1m46s       98.5 % in 2m19s      100.0 % in 1m57s
//	5x                                    100.0 % in 14s        100.0 % in 19s        100.0 % in 16s
//	2x, bursts of 3                       81.5 % in 4m4s       60.0 % in 4m28s       65.0 % in 3m52s
//	5x, bursts of 10                    100.0 % in 1m51s       98.5 % in 2m27s       99.5 % in 1m43s
//	2x, chronic users                    99.5 % in 2m22s        75.0 % in 3m1s       60.0 % in 1m46s
//	5x, 10 requests/s                   100.0 % in 1m57s       99.0 % in 2m17s      100.0 % in 1m57s
//	+50 %, 10 % fail                      100.0 % in 41s       100.0 % in 1m2s        100.0 % in 51s
//
// DefaultJudge of errors, ramp 1, 5, 25, 50 %, two minutes each: rolled back, 200 runs a cell:
//
//	                                  a user per request    10,000 users, Zipf             500 users
//	harmless                                       2.0 %                 4.0 %                 2.0 %
//	harmless, incident x4                          1.5 %                 4.0 %                 4.0 %
//	harmless, bursts of 3                          2.0 %                 3.0 %                 4.5 %
//	harmless, bursts of 10                         1.5 %                 2.5 %                 1.5 %
//	harmless, users differ by 0.2                  2.0 %                 4.0 %                 2.5 %
//	harmless, users differ by 0.4                  2.0 %                 2.5 %                 3.5 %
//	harmless, chronic users                        1.5 %                 3.5 %                 2.0 %
//	harmless, 10 requests/s                        2.5 %                 3.5 %                 4.0 %
//	harmless, 10 % fail                            2.5 %                 2.0 %                 1.5 %
//	+50 %                                93.5 % in 6m14s        82.5 % in 7m4s       93.5 % in 6m24s
//	2x                                  100.0 % in 4m13s      100.0 % in 4m51s      100.0 % in 4m38s
//	5x                                  100.0 % in 1m30s      100.0 % in 2m10s      100.0 % in 1m41s
//	2x, bursts of 3                      94.0 % in 5m48s        81.5 % in 7m4s       88.5 % in 5m58s
//	5x, bursts of 10                    100.0 % in 4m18s      100.0 % in 4m49s      100.0 % in 4m28s
//	2x, chronic users                   100.0 % in 4m50s       96.0 % in 5m36s        97.0 % in 5m9s
//	5x, 10 requests/s                   100.0 % in 4m23s      100.0 % in 4m36s      100.0 % in 4m28s
//	+50 %, 10 % fail                    100.0 % in 2m51s      100.0 % in 3m36s       100.0 % in 3m9s
//
// DefaultJudge of latency, ramp at 10 %, ten minutes of history: rolled back, 200 runs a cell:
//
//	                                  a user per request    10,000 users, Zipf             500 users
//	harmless                                       3.5 %                 4.0 %                 3.5 %
//	+5 %                                 95.5 % in 3m27s        74.5 % in 4m6s       69.5 % in 4m27s
//	+10 %                               100.0 % in 1m11s      100.0 % in 1m31s      100.0 % in 1m21s
//	+25 %                                 100.0 % in 15s        100.0 % in 21s        100.0 % in 11s
//	2 % take 1 s more                     100.0 % in 38s        100.0 % in 41s        100.0 % in 41s
//	0.5 % take 1 s more                  74.5 % in 5m35s       55.5 % in 3m46s                43.0 %
//
// NoHarm of less than 2x, ramp at 10 %: passed, 200 runs a cell:
//
//	                                  a user per request    10,000 users, Zipf             500 users
//	2x                                             2.5 %                 4.0 %                 3.0 %
//	2x, users differ by 1                          2.5 %                 5.0 %                 3.5 %
//	2x, chronic users as well                      5.0 %                 5.0 %                 3.0 %
//	2x, bursts of 3                                0.0 %                 0.0 %                 0.0 %
//	2x, 10 % fail                                  5.5 %                 4.5 %                 1.0 %
//	harmless                             98.0 % in 3m25s        89.5 % in 4m6s       96.0 % in 3m26s
//
// DefaultJudge of errors, ramp by the candidate's requests: rolled back, 200 runs a cell:
//
//	                                  a user per request    10,000 users, Zipf             500 users
//	harmless                                       1.0 %                 5.0 %                 3.0 %
//	harmless, bursts of 10                         2.5 %                 1.5 %                 0.5 %
//	harmless, chronic users                        2.0 %                 3.0 %                 3.5 %
//	2x                                  100.0 % in 2m41s       100.0 % in 4m6s        98.5 % in 3m9s
//	5x                                  100.0 % in 1m29s      100.0 % in 2m16s       99.0 % in 1m29s
//	2x, chronic users                    100.0 % in 3m0s       98.0 % in 4m33s       94.0 % in 3m12s
//
// DefaultJudge of errors, the same in strict mode: rolled back, 200 runs a cell:
//
//	                                  a user per request    10,000 users, Zipf             500 users
//	harmless                                       1.0 %                 0.0 %                 0.5 %
//	harmless, bursts of 10                         0.5 %                 0.0 %                 0.5 %
//	harmless, chronic users                        0.0 %                 0.5 %                 0.5 %
//	2x                                  100.0 % in 3m34s       78.0 % in 5m27s       56.5 % in 3m51s
//	5x                                   100.0 % in 2m3s       100.0 % in 3m5s       98.5 % in 2m23s
//	2x, chronic users                   100.0 % in 4m10s        71.0 % in 6m3s       56.0 % in 3m57s
//
// DefaultJudge of errors, ramp at 10 %, ten minutes of history: rolled back, 200 runs a cell:
//
//	                                  a user per request    10,000 users, Zipf             500 users
//	harmless                                       2.0 %                 4.0 %                 2.0 %
//	harmless, incident x4                          2.0 %                 2.5 %                 1.5 %
//	harmless, bursts of 3                          2.0 %                 2.0 %                 5.5 %
//	harmless, bursts of 10                         2.5 %                 3.0 %                 5.0 %
//	harmless, users differ by 0.2                  2.5 %                 3.0 %                 2.5 %
//	harmless, users differ by 0.4                  2.0 %                 5.0 %                 2.5 %
//	harmless, chronic users                        3.0 %                 3.5 %                 2.0 %
//	harmless, 10 requests/s                        3.0 %                 3.5 %                 2.5 %
//	harmless, 10 % fail                            2.5 %                 5.0 %                 2.0 %
//	+50 %                                82.5 % in 4m36s        63.5 % in 4m6s       76.0 % in 5m47s
//	2x                                  100.0 % in 1m36s       99.0 % in 2m19s      100.0 % in 2m19s
//	5x                                    100.0 % in 13s        100.0 % in 19s        100.0 % in 15s
//	2x, bursts of 3                      84.5 % in 4m14s       56.0 % in 4m38s       67.0 % in 4m13s
//	5x, bursts of 10                    100.0 % in 1m55s       96.5 % in 2m19s       99.0 % in 1m57s
//	2x, chronic users                    99.5 % in 2m42s        83.0 % in 3m3s       62.0 % in 2m19s
//	5x, 10 requests/s                   100.0 % in 1m57s       99.0 % in 2m19s       99.5 % in 1m51s
//	+50 %, 10 % fail                      100.0 % in 37s        100.0 % in 51s        100.0 % in 51s
package health
