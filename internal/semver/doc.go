// Package semver orders semantic versions (https://semver.org, version 2.0.0) and
// says whether one is in a range such as ">=1.2.0 <2.0.0" or "^1.2".
//
// The one idea: numbers are compared as the digits they are written with, first by
// length and then as text. So a number of any size is exact, and neither parsing
// nor comparing a version allocates.
package semver
