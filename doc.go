// Package guidon is the map of the library; it holds no code, and nothing
// imports it.
//
// Guidon decides who sees a change, watches what happens to them, and takes the
// change from 0 % to 100 % or back by itself, in your own process, with no
// server.
//
//   - [github.com/guidon-go/guidon/flag]: who sees it?
//   - [github.com/guidon-go/guidon/health]: is it well?
//   - [github.com/guidon-go/guidon/verify]: does it work?
//   - [github.com/guidon-go/guidon/strategy]: how does one version replace another?
//   - [github.com/guidon-go/guidon/rollout]: what happens next, and what happened?
//
// flag, health, verify and strategy know nothing of one another; rollout is the
// only package that knows them all.
//
// # The pieces, and what shows them
//
//   - Feature flags, their targeting and their counts. Package flag: ExampleByKey,
//     ExampleCondition, ExampleSegment, ExampleStore_Status.
//   - A flag service: create, roll out a step further, roll back in an emergency. Package
//     flag: ExampleStore_Put, ExampleStore_Advance, ExampleStore_Kill.
//   - Strategies, chosen in Go or by configuration. Package strategy: ExampleRolling_Plan,
//     ExampleBlueGreen_Plan, ExampleCanary_Plan, ExampleRecreate_Plan, ExampleParse.
//   - Health checks, metrics and availability. Package health: ExampleMonitor,
//     ExampleWindow, ExampleDeploymentMonitor, ExampleAvailability.
//   - Triggers of a rollback. Package health: ExampleFirstFailure, ExamplePlacebo,
//     ExampleSLO; package rollout: ExampleEngine_Guard.
//   - Smoke tests. Package verify: ExampleSuite_Probe, ExampleReport_String.
//   - Pipelines of stages, and what became of each. Package rollout: ExampleEngine_Run,
//     ExampleParsePipeline, ExampleReport_WriteSVG.
//   - Delivery metrics: deployment frequency, lead time for changes, change failure rate,
//     time to recover. Package rollout: ExampleEngine_Delivery.
//
// # The practices, and what shows them
//
//   - Production readiness, and tests before every deployment: gates that say yes before
//     anybody is exposed. Package verify: ExampleSuite_Check; package rollout:
//     ExampleEngine_Deploy.
//   - Automated deployment, with no person in the loop unless asked for. Package rollout:
//     ExampleEngine_Guard, ExampleEngine_Act; examples/quickstart.
//   - Flags that separate deploy from release. Package rollout: ExampleGuard_Do; package
//     flag: ExampleStore_SetRamp.
//   - The same definition in every environment, which is data. Package rollout:
//     Example_environments.
//   - Blue-green and canary, which bound the risk. Package strategy: Example_plan; package
//     rollout: ExampleBudget; examples/deploy.
//   - Continuous monitoring with automatic rollback. Package rollout: ExampleEngine_Guard,
//     Example_splitter.
//   - Deployments that are safe to run again, also after a crash. Package rollout:
//     ExampleOpenFile, ExampleFileJournal, and the tests that its documentation names.
//   - Logs and an audit trail. Package rollout: ExampleFilter, ExampleFollow,
//     ExampleReadLines, ExampleEngine_Explain, ExampleLogNotices; package rollout/logs:
//     ExampleHooks.
//   - Immutable artifacts, built once and verified. Package rollout: ExampleDigest,
//     Example_environments.
//   - Schema migrations that survive a rollback: expand, migrate, contract, with a point of
//     no return. Package rollout: ExampleEngine_Run_noReturn; examples/pipeline.
//   - Several services together or not at all, and waves of regions. Package rollout:
//     Example_together, Example_waves.
//   - Practised deployments and incidents. Package rollout: ExampleEngine_Simulate,
//     ExampleGameDay, ExampleBacktest, ExampleEngine_Drill.
package guidon
