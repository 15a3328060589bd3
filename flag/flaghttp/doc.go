// Package flaghttp gives every HTTP request one consistent view of the flags:
//
//	handler := flaghttp.Middleware(flags, who)(mux)
//
// It stands apart from package flag so that programs without HTTP do not link it.
package flaghttp
