// Package lint holds the house rules of this repository, as tests: run them with
//
//	go test ./internal/lint
//
// There is no code here to import. Each rule is a function from a checkout to a
// list of problems; one test runs it on this checkout, and another on a planted
// one, to prove that it still catches what it is there for.
package lint
