// Package strategy says how one version replaces another.
//
// A strategy is configuration that compiles to a [Plan]: a list of steps that a
// person can read, a test can pin, and JSON can carry. Nothing has moved yet:
//
//	plan, err := strategy.Canary{
//		Weights: []strategy.Share{1 * strategy.Percent, 10 * strategy.Percent, 100 * strategy.Percent},
//		Hold:    10 * time.Minute,
//		Gates:   []string{"smoke"},
//		Judges:  []string{"errors"},
//	}.Plan(strategy.Input{})
//	fmt.Println(plan)
//
// Package rollout drives a plan against a [Target]. Steps carry the names of the
// gates and judges they need; the rollout binds the names.
//
// # Guarantees
//
//   - Planning is pure: the same input gives the same plan.
//   - [Plan.Undo] gives the way back from any step, for every strategy.
//   - What a plan needs of its target is checked by [Plan.Check], before anything
//     moves.
package strategy
