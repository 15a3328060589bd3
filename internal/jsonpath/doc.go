// Package jsonpath selects values of a JSON document by a JSONPath, as RFC 9535
// has it, and says where in a document a value stands.
//
// Of the RFC there are names, indexes (from the end, too), wildcards, slices,
// descendants and lists of these. Filters, and the functions that only they may
// call, are refused when a path is compiled, with the place: a path is never
// understood in part. So is a slice with step 0, which selects nothing.
//
//	p, err := jsonpath.Compile("$.items[*].price")
//	nodes, err := p.Select(root)
//	at := jsonpath.Where(root, nodes[2]) // $.items[2].price
package jsonpath
