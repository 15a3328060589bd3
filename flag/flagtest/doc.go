// Package flagtest is for tests of programs that use package flag.
//
// [TestSource] holds a host's own source of documents to what a [flag.Store] expects
// of a [flag.Source].
package flagtest
