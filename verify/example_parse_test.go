package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/guidon-go/guidon/verify"
)

// A suite may stand in a file: embedded, or beside the program.
func ExampleParse() {
	suite, err := verify.Parse([]byte(`{
		"$schema": "https://raw.githubusercontent.com/guidon-go/guidon/main/verify/schema.json",
		"name": "shop",
		"tests": [
			{"endpoint": "/healthz", "expected_response": {"status": "ok"}},
			{"endpoint": "/cart", "expect": [
				{"json_path": {"path": "$.items[*].price", "nodes": "all", "type": "number"}},
				{"within": "2s"}
			]},
			{"endpoint": "/orders", "expected_status": ["2xx", 404]}
		]
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	suite.Handler = api // or suite.URL, if the file has none
	fmt.Println(suite.Check(context.Background()))

	// Output:
	// suite "shop" against a handler is not healthy: 2 of 3 tests passed
	// GET /cart -> $.items[0].price: want a number, got "10.5"
}

// All that is wrong with a file is said at once, with its places.
func ExampleParse_problems() {
	_, err := verify.Parse([]byte(`{
  "tests": [
    {"endpont": "/healthz"},
    {"endpoint": "/cart", "timeout": "5", "expect": [{"body_matches": "("}]},
    {"endpoint": "orders", "expected_status": "2x", "need": []}
  ]
}`))
	fmt.Println(err)
	fmt.Println(errors.Is(err, verify.ErrInvalid))

	// Output:
	// suite is malformed:
	// tests[0].endpont (line 3, column 6): unknown field, did you mean "endpoint"?
	// tests[1].timeout (line 4, column 38): found string "5", want a duration of more than 0 like "1m30s"
	// tests[1].expect[0].body_matches (line 4, column 71): not a regular expression: error parsing regexp: missing closing ): `(`
	// tests[2].endpoint (line 5, column 18): want a path that begins with "/", found "orders"
	// tests[2].expected_status (line 5, column 47): found string "2x", want a status from 200 to 599, a class like "2xx", a range like "500-503" or a list of these
	// tests[2].need (line 5, column 53): unknown field, did you mean "needs"?
	// true
}

// A file names checks that only Go can make, and secrets that it must not hold. The
// program that reads it has both.
func ExampleParse_customAndSecrets() {
	suite, err := verify.Parse([]byte(`{
		"secrets": ["token"],
		"tests": [{
			"endpoint": "/healthz",
			"header": {"Authorization": "Bearer ${token}"},
			"expect": [{"custom": "no old version"}]
		}]
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	suite.Handler = api
	fmt.Println(suite.Check(context.Background())) // before they are given

	suite.Secrets["token"] = "from the environment"
	suite.Custom = map[string]func(verify.Answer) error{"no old version": func(a verify.Answer) error {
		var body struct{ Version string }
		if err := json.Unmarshal(a.Body, &body); err != nil {
			return err
		}
		if body.Version < "2" {
			return fmt.Errorf("%s is too old", body.Version)
		}
		return nil
	}}
	fmt.Println(suite.Check(context.Background()))

	// Output:
	// suite against a handler is malformed:
	// Secrets.token: want 4 to 4096 bytes, found 0
	// Tests[0].Expect[0].Func: want a function, found nil
	// suite against a handler is not healthy: 0 of 1 tests passed
	// GET /healthz -> no old version: want no error, got an error: 1.4.0 is too old
}
