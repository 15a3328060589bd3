// Package logs writes what the hooks of all packages tell to a log of package slog, one
// line each. The methods of [Hooks] are such hooks:
//
//	hooks := logs.Hooks{Logger: logger}
//	flags := flag.New(source, flag.Options{OnLoad: hooks.Load, OnChange: hooks.Change})
//	engine, err := rollout.New(journal, rollout.Options{OnNotice: hooks.Notice, OnProblem: hooks.Problem})
//
// How loud each is, and what its attributes are; those of a type are the ones that its
// method LogValue documents:
//
//	Load        error if not all of the document serves, else information; of flag.LoadInfo
//	Change      warning for a kill and its end, else information; of flag.ChangeInfo
//	Exposure    debug; of flag.ExposureInfo, which leaves out whom
//	Ignored     information; error, and nothing of the request, as anybody can send it
//	Check       error if it is unhealthy, warning if degraded, else information; of health.Change
//	Transition  error if the deployment failed, warning if it is unhealthy or rolled back, else
//	            information; of health.Transition
//	Started     debug; stage, test, method, endpoint
//	Result      error if the test failed; warning if that does not decide, if it was flaky, or skipped
//	            although it decides; else information; stage, test, method, endpoint, state, and status and took, or reason if
//	            it was skipped, and result, all that is wrong, if it failed
//	Record      debug; of rollout.Record
//	Notice      as rollout.LogNotices says; of rollout.Notice
//	Problem     error, and information at its end; rollout, error
//	Exit        error; version, pid, status, output
//	Err         error, and information at its end; error
//
// Nothing that debugging alone would show allocates where that is not logged.
package logs
