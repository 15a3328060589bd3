// Package bench measures the in-process evaluation of flags: ours, that of other
// libraries, and the floor below both, all in the same scenarios.
//
// Every system stands in one file and has the same loops (see [System]), which call
// it directly. TestSemantics asks those very loops whether they do the work.
// README.md says how to run and read it.
package bench
