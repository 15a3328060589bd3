package rollout_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
)

// Why did it go back?
func ExampleEngine_Explain() {
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	outcome, err := engine.Deploy(context.Background(), rollout.Request{
		ID:     "shop@2.0",
		Plan:   strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: 10 * strategy.Percent}, strategy.Verify{Gates: []string{"smoke"}}}},
		Target: &splitter{},
		Gates:  map[string]rollout.Gate{"smoke": func(context.Context) error { return errors.New("/cart answers 500") }},
	})
	fmt.Println(outcome, err)
	reasons, err := engine.Explain("shop@2.0")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range reasons { // printed as it is, with its time, it is a line of its own
		fmt.Printf("%s by %s: %s\n", r.What, r.Rule, r.Text)
	}
	// Output:
	// rolled back <nil>
	// rolled back by gate smoke: verify by smoke: gate "smoke" says no: /cart answers 500
}
