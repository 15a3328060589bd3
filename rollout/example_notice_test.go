package rollout_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
)

// A host is told of what people want to know, and of nothing else; LogNotices is all
// that it takes for a log.
func ExampleLogNotices() {
	text := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "id" { // they differ each time
			return slog.Attr{}
		}
		return a
	}}))
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Environment: "production", OnNotice: rollout.LogNotices(text)})
	if err != nil {
		fmt.Println(err)
		return
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
	// Output:
	// level=INFO msg="rollout: has begun" kind=began rollout=shop@2.0 environment=production release="shop 2.0" phase=shifting share="0 %" reason="all at once of shop 2.0" actor=ann
	// level=INFO msg="rollout: is over" kind=over rollout=shop@2.0 environment=production release="shop 2.0" phase=succeeded share="100 %" outcome=succeeded reason="every step was taken and no judge saw harm" actor=engine
}

// Another process can tell, too: notices follow from the records alone.
func ExampleNotices() {
	journal := &rollout.Memory{}
	engine, err := rollout.New(journal, rollout.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err = engine.Deploy(ctx, rollout.Request{
		ID: "shop@2.0", Target: &splitter{}, Plan: strategy.Plan{Strategy: "all at once", Steps: []strategy.Step{strategy.Shift{To: strategy.All}}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for notice, err := range rollout.Notices(journal.Follow(ctx)) { // or rollout.Follow(ctx, "state")
		fmt.Println(notice, err)
		if notice.Kind == rollout.NoticeOver {
			return
		}
	}
	// Output:
	// shop@2.0 has begun, by host: all at once of a release <nil>
	// shop@2.0 is over, succeeded: every step was taken and no judge saw harm <nil>
}
