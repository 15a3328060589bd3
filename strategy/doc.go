// Package strategy says how one version replaces another.
//
// A strategy is configuration that compiles to a [Plan]: a list of steps that a
// person can read, a test can pin, and JSON can carry. Nothing has moved yet. This is a
// whole program: it says what a file is going to do, and what would be done if it went
// wrong at the end.
//
//	func main() {
//		text, err := os.ReadFile("deploy.json") // {"strategy": "blue-green", "instances": 3, "keep": "1h", ...}
//		if err != nil {
//			log.Fatal(err)
//		}
//		config, err := strategy.Parse(text)
//		if err != nil {
//			log.Fatal(err) // every mistake, each with its place
//		}
//		plan, err := config.Plan()
//		if err != nil {
//			log.Fatal(err) // everything that is wrong with the strategy
//		}
//		fmt.Println(plan) // a table of steps, instances and traffic
//		for _, step := range plan.Undo(len(plan.Steps) - 1) {
//			fmt.Println("back:", step)
//		}
//	}
//
// Package rollout drives a plan against a [Target]. Steps carry the names of the
// gates and judges they need; the rollout binds the names.
//
// # Strategies
//
//	            what it does                                  needs of a target, beside Observe
//	Rolling     a few instances at a time; traffic follows    Scale, Shift
//	BlueGreen   all new ones beside the old, then one shift   Shift; Scale with instances; Mirror for copies
//	Canary      ever more of the traffic, held at each weight the same
//	Recreate    all old ones stop, then all new ones start    Scale, Shift
//
// Each holds and is judged where it says so, has a way back from every step up to a
// [NoReturn], and ends with a [Promote], which a target need not know.
//
// # Guarantees
//
// Each holds forwards, on the way back from every step, whether or not the step came
// through, and on a way back that is itself taken back (TestForward,
// TestBackFromEveryStep, TestBackFromTheWayBack):
//
//   - Every step begins where the one before ended, moves the traffic or scales one version,
//     and the way back ends where the plan began. Going forward, the new version's share
//     only grows.
//   - Rolling: never fewer instances ready than the desired number without those that may be
//     missing, never more than it with its surge. A version's share of the traffic is never
//     more than its instances bear if as many as must be ready bear all of it.
//   - BlueGreen, Canary: a version's share of the traffic is never more than its instances
//     bear if [Input].Instances bear all of it. Unless it goes by instances, the old version
//     keeps all of them until it has no traffic.
//   - Recreate: never an instance of each version at a time, and no traffic for the new one
//     before all of its instances are ready.
//   - Whichever version is promoted has its traffic, and has instances.
//
// And of plans as values:
//
//   - Planning is pure: the same input gives the same plan, which shares nothing with its
//     strategy, equals itself after JSON, and prints the same:
//     TestPlansArePureAndSurviveJSON, FuzzPlanFromJSON.
//   - All that is wrong with a strategy and its input is said at once, with what was found and
//     wanted, and in a file with the place: TestProblems, TestParseRefuses, FuzzParse.
//   - What a plan needs of its target is checked by [Plan.Check], before anything
//     moves: TestCheckNamesWhatIsMissing.
//   - [Limits], [NextRolling], [InstancesFor], [ShareOf] and [Divide] are exact, for people who
//     build their own: TestLimitsExactly, TestNextRollingKeepsItsLimits,
//     TestDivideAgainstEveryDivision.
//   - What is done with a plan takes time in proportion to its steps:
//     TestPlansGrowWithTheirInstances.
//
// The stories in testdata/stories tell of each strategy, and TestStories plays them.
//
// Plans and strategies are values: they may be read by many goroutines at once, and are not
// to be changed once they are in use.
package strategy
