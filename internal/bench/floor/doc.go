// Package floor is what evaluating a flag cannot cost less than: code written by
// hand for each scenario, that does only what the scenario demands.
//
// Its contract is that of a flag library, and nothing more:
//
//   - A store holds its flags behind one atomic pointer, so that they can change
//     while others read. A flag is reached by its index, or by its key in a map.
//   - A subject has an id and four attributes. It is built once per request: the
//     id is hashed, and strings that conditions compare are packed into a word.
//   - An answer may not be remembered: every call computes it from the flag's data
//     and the subject.
//   - The answers are right: those of flag/BUCKETING.md, bit for bit.
//
// Each function is called directly and not inlined, as a library's is.
package floor
