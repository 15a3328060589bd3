package healthtest_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/health/healthtest"
)

// printer stands in for the *testing.T of a test.
type printer struct{}

func (printer) Helper() {}

func (printer) Errorf(format string, args ...any) {
	first, _, _ := strings.Cut(fmt.Sprintf(format, args...), "\n")
	fmt.Println(first)
}

// A check of a queue that forgets what to do while there is none.
func ExampleTestCheck() {
	var queue *struct{ length int }
	healthtest.TestCheck(printer{}, func() health.Check {
		return health.Check{Name: "queue", Probe: func(context.Context) error {
			if queue.length > 1000 {
				return fmt.Errorf("%d messages wait", queue.length)
			}
			return nil
		}}
	})
	// Output: answer: panic: runtime error: invalid memory address or nil pointer dereference
}

// A judge that takes the absence of failures for health.
func ExampleTestJudge() {
	healthtest.TestJudge(printer{}, func() health.Judge {
		return health.JudgeFunc(func(state health.State, s health.Sample) (health.Verdict, health.State) {
			if s.Candidate.Failures == 0 {
				return health.Verdict{Call: health.Pass, Reason: "nothing failed"}, state
			}
			return health.Verdict{Call: health.Fail, Reason: "something failed"}, state
		})
	}, healthtest.JudgeOptions{})
	// Output: missing data: of candidate: no requests; baseline: no requests it says "pass: nothing failed", want inconclusive
}
