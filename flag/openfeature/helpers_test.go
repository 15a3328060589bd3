package openfeature_test

import (
	"context"
	"testing"

	"github.com/guidon-go/guidon/flag"
	of "github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"
)

// client is one of an API of the test's own, which has the provider.
func client(t testing.TB, provider of.FeatureProvider) *of.Client {
	t.Helper()
	api := isolated.NewAPI()
	t.Cleanup(func() { _ = api.Shutdown(context.Background()) })
	if err := api.SetProviderAndWait(context.Background(), provider); err != nil {
		t.Fatal(err)
	}
	return api.NewClient()
}

// loaded is a store with a document.
func loaded(t testing.TB, document string) *flag.Store {
	t.Helper()
	flags := flag.New(flag.Bytes([]byte(document)), flag.Options{OnChange: func(flag.ChangeInfo) {}})
	if err := flags.Load(context.Background()); err != nil {
		t.Fatal(err)
	}
	return flags
}

var someone = of.NewEvaluationContext("anna", map[string]any{
	"country": "SE", "plan": "pro", "age": 30, "email": "anna@shop.example",
})
