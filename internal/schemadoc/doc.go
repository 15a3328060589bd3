// Package schemadoc is what the tests that write JSON Schemas from Go types share: JSON
// whose members keep their order, and the comments of a package. Nothing but tests
// imports it.
package schemadoc
