package process_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/process"
)

// Version 2 takes over from version 1, both of them real processes. Package rollout
// would take the plan's steps; here they are taken by hand.
func Example() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "deploy")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	fleet, err := process.Open(process.Options{
		State: filepath.Join(folder, "deploy.json"),
		Command: func(version string) *exec.Cmd { // a server; most have one in a folder of each version
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "GUIDON_TEST_CHILD="+version)
			return cmd
		},
		Serving: "v1",
		Ready:   "/healthz",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer fleet.Close()
	defer fleet.Stop(ctx)

	plan, err := strategy.BlueGreen{Keep: time.Hour}.Plan(strategy.Input{Old: fleet.Serving(), New: "v2", Instances: 1})
	fmt.Println(plan)
	fmt.Println(errors.Join(err, plan.Check(fleet)))

	err = errors.Join(fleet.Start(ctx), fleet.Prepare(ctx, plan.Old, plan.New))
	see := func(what string) {
		answer := httptest.NewRecorder()
		fleet.ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
		seen, wrong := fleet.Observe(ctx)
		fmt.Printf("%s: %s answers, %d old and %d new, %v\n", what, answer.Body, seen.Old, seen.New, errors.Join(err, wrong))
	}
	see("before")
	err = fleet.Scale(ctx, 1, 1)
	see("started")
	err = fleet.Shift(ctx, strategy.All)
	see("shifted")
	err = errors.Join(fleet.Scale(ctx, 0, 1), fleet.Promote(ctx, "v2"))
	see("retired")
	fmt.Println("serving", fleet.Serving())
	// Output:
	// blue-green from v1 to v2, 1h0m0s of holds
	//                                                         old   new  traffic
	//   1  scale the new version from 0 to 1, within 10m0s      1     1  0 %
	//   2  shift from 0 % to 100 %                              1     1  100 %
	//   3  hold 1h0m0s                                          1     1  100 %
	//   4  scale the old version from 1 to 0, within 10m0s      0     1  100 %
	//   5  promote                                              0     1  100 %
	// <nil>
	// before: v1 answers, 1 old and 0 new, <nil>
	// started: v1 answers, 1 old and 1 new, <nil>
	// shifted: v2 answers, 1 old and 1 new, <nil>
	// retired: v2 answers, 0 old and 1 new, <nil>
	// serving v2
}
