// Package prometheus shows flags, health and rollouts to Prometheus:
//
//	client.MustRegister(prometheus.New(prometheus.Options{Flags: flags, Engine: engine}))
//
// where client is github.com/prometheus/client_golang/prometheus.
//
// # What a collector shows
//
// Each name begins with guidon_. What has no value has no series, never a zero.
//
//	flag_evaluations_total{flag,variant}              since the store has the flag; an empty variant is the caller's default
//	flag_ramp_ratio{flag}                             what the ramp admits, 0 to 1; of ramps without a schedule
//	flag_state{flag,state}                            1: killed, overridden, disabled, quarantined or missing; of no other flags
//	flags{state}                                      how many are in each state, "serving" included
//	window_latency_seconds{window}                    a histogram of what is in the window now, native and classic
//	window_error_ratio{window}                        0 to 1
//	window_requests_per_second{window}
//	window_dropped_outcomes_total{window}             that came too late
//	health_status{status}, check_status{check,status} 1 for the present status, 0 for the others
//	check_duration_seconds{check}                     of the newest probe
//	check_last_probe_timestamp_seconds{check}
//	rollout_share_ratio{rollout,service,environment,version}
//	rollout_phase{rollout,phase}                      1 for "analysing", "rolling back", ...
//	rollout_started_timestamp_seconds{rollout}
//	rollout_stuck{rollout}                            1: it cannot go on at the moment
//	rollout_log_evidence{rollout}, rollout_log_evidence_threshold{rollout}
//	rollout_requests_total{rollout,side,outcome}      what a guard has compared
//	delivery_deployments, delivery_failed_deployments, delivery_rework_deployments {service,environment}
//	delivery_deployments_per_day, delivery_change_failure_ratio, delivery_rework_ratio
//	delivery_lead_time_seconds, delivery_recovery_time_seconds {statistic}
//	collector_left_out{source}                        how many series this scrape does not have
//
// A window forgets, so its histogram is a gauge: ask
//
//	histogram_quantile(0.99, guidon_window_latency_seconds)
//
// without rate(), which would take what was forgotten for restarts; the client's
// registry has no type of its own for that. The histogram is within 0.78 % of each
// latency, as the window is, in buckets 9 % wide; its sum is estimated from them, within
// 5 %. It ends at 68 s, where the window does: what took longer counts as that, in the
// sum, too. A server that takes no native histograms gets octaves from 1 ms to 64 s
// under the name that is usual for them, so ask it
//
//	histogram_quantile(0.99, guidon_window_latency_seconds_bucket)
//
// # What a reader counts
//
// A [Reader] is for the other way round: the two versions run anywhere, Prometheus has
// their counters, and a judge compares them before a rollout goes on:
//
//	reader, err := prometheus.NewReader(prometheus.ReaderOptions{
//		URL:       "http://prometheus:9090",
//		Candidate: `http_requests_total{job="shop",version="42"}`,
//		Baseline:  `http_requests_total{job="shop",version="41"}`,
//	})
//	request.Gates = map[string]rollout.Gate{"compare": reader.Gate(health.Comparison{PassRatio: 2})}
//	request.Alarms = map[string]rollout.Gate{"errors": reader.Alarm(health.Comparison{})}
//	request.StepTimeout = time.Hour // for as long as the gate may take
//
// Each call of a gate counts from its own beginning, so that each step which asks it is
// judged by its own traffic. An alarm counts from its first call.
//
// It fails closed. A server that answers too late, in part, with what is no number of
// requests, or not at all is missing data ([ErrMissing]): nothing is counted, the judge
// does not look, and the gate cannot tell, which by default counts as a no. Answers are
// bounded in size and in counters. Counters that are not scraped any more are no new
// data either, as the reader asks for the samples themselves and not for the last ones
// known.
//
// A reading has all samples since the one before, for an hour at most, so what came and
// went between two readings counts; what a process did after its last scrape, nobody
// knows. After a longer time counting begins anew. So that the history of a counter is
// not taken for news, the first reading knows what the server had in the hour before,
// and waits until it has had the baseline for ReaderOptions.MaxAge, without a gap that
// is longer than that.
package prometheus
