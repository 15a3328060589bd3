// Package schema holds flag/schema.json against documents, and verify/schema.json
// against suites, with a validator that others keep. It has only tests, and is a module of its own so that nobody who
// imports Guidon meets the validator.
//
// The go command does not notice when a file outside of a module changes, and calls
// an old result "(cached)": run the tests with -count=1. When documents in
// flag/testdata/broken came, went or changed:
//
//	go test . -run TestBroken -update
package schema
