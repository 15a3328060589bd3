// Package viewtest is how what a test sets in a context, by package flagtest, reaches the
// views that a middleware makes later, so that neither package exports it.
package viewtest

// Key is what a context has it under: a func(*flag.View) *flag.View that sets it in
// another view.
type Key struct{}
