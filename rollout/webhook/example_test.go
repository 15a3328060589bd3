package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/rollout/webhook"
	"github.com/guidon-go/guidon/strategy"
)

// A receiver checks the signature, and is told what people want to know. With a journal
// in a folder, follow is rollout.Follow of that, and Options.Cursor a file in it.
func ExampleRun() {
	const secret = webhook.Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	ctx, stop := context.WithCancel(context.Background())
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err == nil {
			err = webhook.Verify(r.Header, body, time.Now(), secret)
		}
		var payload webhook.Payload
		if err == nil {
			err = json.Unmarshal(body, &payload)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		fmt.Println(payload.Type + ": " + payload.Text)
		if payload.Data.Kind == rollout.NoticeOver {
			stop()
		}
	}))
	defer receiver.Close()

	journal := &rollout.Memory{}
	engine, err := rollout.New(journal, rollout.Options{Service: "shop", Environment: "production"})
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		_, _ = engine.Deploy(ctx, rollout.Request{
			ID: "shop@2.0", Target: &target{}, Plan: strategy.Plan{Strategy: "all at once", Steps: []strategy.Step{strategy.Shift{To: strategy.All}}},
			Actor: "ann", Reason: "new prices",
		})
	}()
	err = webhook.Run(ctx, journal.Follow, webhook.Options{URL: receiver.URL, Secrets: []webhook.Secret{secret}})
	fmt.Println(err)
	// Output:
	// rollout.began: shop@2.0 in production has begun, by ann: all at once of a release: new prices
	// rollout.over: shop@2.0 in production is over, succeeded: every step was taken and no judge saw harm
	// context canceled
}
