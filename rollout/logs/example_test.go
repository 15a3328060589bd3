package logs_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/rollout/logs"
	"github.com/guidon-go/guidon/strategy"
)

// One value has a method for every hook: what happens to flags, checks and rollouts is in
// one log, each as loud as it deserves.
func ExampleHooks() {
	hooks := logs.Hooks{Logger: slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "revision" || a.Key == "id" { // they differ each time
			return slog.Attr{}
		}
		return a
	}}))}
	flags := flag.New(nil, flag.Options{OnLoad: hooks.Load, OnChange: hooks.Change})
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Environment: "production", OnNotice: hooks.Notice, OnProblem: hooks.Problem})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = flags.Create("new-checkout", flag.FeatureFlag{Serve: "on"}, flag.Change{Actor: "ann", Reason: "the shop's new checkout"})
	if err != nil {
		fmt.Println(err)
	}
	_, err = engine.Deploy(context.Background(), rollout.Request{
		ID:      "shop@2.0",
		Release: rollout.Release{Name: "shop", Version: "2.0"},
		Plan:    strategy.Plan{Strategy: "all at once", Steps: []strategy.Step{strategy.Shift{To: strategy.All}, strategy.Promote{}}},
		Target:  &splitter{},
		Actor:   "ann",
	})
	if err != nil {
		fmt.Println(err)
	}
	if err := flags.Kill("new-checkout", flag.Change{Actor: "bob", Reason: "carts are empty"}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// level=INFO msg="flags: changed at run time" op=create flag=new-checkout actor=ann reason="the shop's new checkout"
	// level=INFO msg="rollout: has begun" kind=began rollout=shop@2.0 environment=production release="shop 2.0" phase=shifting share="0 %" reason="all at once of shop 2.0" actor=ann
	// level=INFO msg="rollout: is over" kind=over rollout=shop@2.0 environment=production release="shop 2.0" phase=succeeded share="100 %" outcome=succeeded reason="every step was taken and no judge saw harm" actor=engine
	// level=WARN msg="flags: changed at run time" op=kill flag=new-checkout actor=bob reason="carts are empty"
}

// splitter stands for what moves the traffic of the host.
type splitter struct{ share strategy.Share }

func (s *splitter) Shift(_ context.Context, to strategy.Share) error {
	s.share = to
	return nil
}

func (s *splitter) Observe(context.Context) (strategy.Observation, error) {
	return strategy.Observation{Share: s.share}, nil
}
