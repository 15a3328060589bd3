package rollout_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
)

// One release, built once, goes through every environment in order; production takes
// only what is good in staging, by its digest. The environments are data.
func Example_environments() {
	ctx := context.Background()
	build, err := os.MkdirTemp("", "build")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(build)
	shop := filepath.Join(build, "shop")
	if err := os.WriteFile(shop, []byte("the program"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	release := rollout.Release{Name: "shop", Version: "2.0"}
	if release.Digest, err = rollout.Digest(ctx, shop); err != nil {
		fmt.Println(err)
		return
	}

	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop"}) // for every environment
	if err != nil {
		fmt.Println(err)
		return
	}
	environments := []struct {
		name, after string // the one in which it must be good before
		weights     []strategy.Share
		target      strategy.Target
	}{
		{"staging", "", []strategy.Share{strategy.All}, &splitter{}},
		{"production", "staging", []strategy.Share{10 * strategy.Percent, strategy.All}, &splitter{}},
	}
	ship := func(release rollout.Release) {
		for _, env := range environments {
			plan, err := strategy.Canary{Weights: env.weights, Gates: []string{"good before"}}.Plan(strategy.Input{})
			if err != nil {
				fmt.Println(err)
				return
			}
			outcome, err := engine.Deploy(ctx, rollout.Request{
				ID:          release.String() + " in " + env.name,
				Environment: env.name,
				Release:     release,
				Artifact:    func(ctx context.Context) (string, error) { return rollout.Digest(ctx, shop) },
				Plan:        plan,
				Target:      env.target,
				Gates: map[string]rollout.Gate{"good before": func(context.Context) error {
					if good, _ := engine.Good("", env.after); env.after != "" && good.Digest != release.Digest {
						return fmt.Errorf("%v is not the good release of %s", release, env.after)
					}
					return nil
				}},
			})
			fmt.Printf("%v in %s: %v %v\n", release, env.name, outcome, err)
		}
	}
	ship(release)

	if err := os.WriteFile(shop, []byte("another program"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	release.Version = "2.1" // somebody forgot to compute its digest anew
	release.Digest = ""
	environments = environments[1:] // and wants to skip staging
	ship(release)
	status, _ := engine.Status("shop 2.1 in production")
	fmt.Println(status.State.Reason)
	// Output:
	// shop 2.0 in staging: succeeded <nil>
	// shop 2.0 in production: succeeded <nil>
	// shop 2.1 in production: cancelled <nil>
	// verify by good before: gate "good before" says no: shop 2.1 is not the good release of staging
}
