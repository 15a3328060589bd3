package openfeature_test

import (
	"context"
	"fmt"
	"log"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/openfeature"
	of "github.com/open-feature/go-sdk/openfeature"
)

const shopFlags = `{"flags": {
	"new-checkout": {"rules": [{"if": {"attr": "user.plan", "eq": "pro"}, "serve": "on"}]},
	"cart-limit":   {"variants": {"small": 20, "large": 100}, "serve": "small"}
}}`

// The client is OpenFeature's; who gets what stands in a document of Guidon.
func Example() {
	flags := flag.New(flag.Bytes([]byte(shopFlags)), flag.Options{})
	provider := openfeature.New(flags, openfeature.Options{})
	ctx := context.Background()
	if err := of.SetProviderWithContextAndWait(ctx, provider); err != nil {
		log.Fatal(err)
	}
	defer of.Shutdown()

	client := of.NewClient("shop")
	anna := of.NewEvaluationContext("anna", map[string]any{"user": map[string]any{"plan": "pro"}})
	checkout, err := client.BooleanValueDetails(ctx, "new-checkout", false, anna)
	fmt.Println(checkout.Value, checkout.Variant, checkout.Reason, err)

	limit, err := client.IntValue(ctx, "cart-limit", 50, anna)
	fmt.Println(limit, err)

	_, err = client.StringValue(ctx, "cart-limit", "", anna)
	fmt.Println(err)
	// Output:
	// true on TARGETING_MATCH <nil>
	// 20 <nil>
	// error code: TYPE_MISMATCH: flag "cart-limit": its values are of another type, or would lose by it
}

// What is changed at run time is told to the handlers of OpenFeature.
func ExampleProvider_EventChannel() {
	flags := flag.New(flag.Bytes([]byte(shopFlags)), flag.Options{OnChange: func(flag.ChangeInfo) {}})
	if err := of.SetProviderAndWait(openfeature.New(flags, openfeature.Options{})); err != nil {
		log.Fatal(err)
	}
	defer of.Shutdown()

	changed := make(chan []string)
	handler := func(details of.EventDetails) { changed <- details.FlagChanges }
	of.AddHandler(of.ProviderConfigChange, &handler)
	defer of.RemoveHandler(of.ProviderConfigChange, &handler)

	if err := flags.Kill("new-checkout", flag.Change{Actor: "bob", Reason: "carts are empty"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-changed)
	// Output: [new-checkout]
}
