package verify

import "reflect"

// SuiteFile is the type of a suite in a file.
var SuiteFile = reflect.TypeFor[suiteFile]()

// Malformed is what is wrong with a suite, without running it.
func Malformed(s *Suite) error {
	_, problems := s.compile()
	return problems.Err()
}
