// Package jsontree is the one strict JSON reader of the library: flag documents,
// smoke suites and plans are all read with it.
//
// It differs from encoding/json in what it refuses and in what it says. Refused
// are duplicate keys, trailing data, a byte order mark, invalid UTF-8, lone
// surrogate escapes, nesting deeper than [MaxDepth], unknown fields, null where
// a value is wanted, and numbers that do not fit. What it says is everything at
// once: a [Problem] for each mistake, with its path and its place, in document
// order.
//
//	var doc struct {
//		Flags map[string]struct {
//			Percent float64 `json:"percent"`
//		} `json:"flags"`
//	}
//	err := jsontree.Unmarshal(data, &doc)
//	// flags.checkout.percnt (line 3, column 7): unknown field, did you mean "percent"?
//
// A parsed tree is immutable as long as nobody writes to its fields, and may
// then be read from several goroutines. Each of its nodes, and each string decoded
// out of it, keeps the whole text in memory. The size of a document is the caller's
// business: a tree takes some 10 times the memory of its text, up to 35 times if
// the text is all small numbers, and for a moment twice that while it is read.
package jsontree
