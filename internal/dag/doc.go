// Package dag compiles names, and what each needs, into a graph without cycles.
//
// The one idea: everything that is wrong is found at once, each with its place, in
// time linear in names and needs.
//
//	graph, problems := dag.New([]string{"build", "smoke"}, func(i int) []string { return needs[i] })
//
// A graph is immutable: it may be read from several goroutines.
package dag
