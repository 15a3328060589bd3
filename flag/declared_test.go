package flag_test

import "github.com/guidon-go/guidon/flag"

// The types that broken documents are checked against. Their lines are in the problems.
var (
	_ = flag.Int("declared-int", 0)
	_ = flag.JSON("declared-json", struct{ Color string }{})
	_ = flag.Bool("declared-twice", false)
	_ = flag.String("declared-twice", "")
	_ = flag.Bool("declared-bool", false)
	_ = flag.String("declared-string", "")
	_ = flag.Float("declared-float", 0)
)
