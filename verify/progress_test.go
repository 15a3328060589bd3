package verify_test

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

func TestProgress(t *testing.T) {
	var log []string
	suite := &verify.Suite{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			log = append(log, "sent "+r.URL.Path)
			if r.URL.Path == "/bad" {
				w.WriteHeader(http.StatusTeapot)
			}
		}),
		Setup:   []verify.SmokeTest{{Endpoint: "/setup"}},
		Tests:   []verify.SmokeTest{{Name: "last", Endpoint: "/last", Needs: []string{"bad"}}, {Name: "bad", Endpoint: "/bad", Optional: true}, {Endpoint: "/"}},
		Cleanup: []verify.SmokeTest{{Endpoint: "/cleanup"}},
		OnStart: func(r verify.Result) {
			log = append(log, fmt.Sprint("start ", r.Stage, " ", r.Name, " ", r.Endpoint, " ", r.Optional))
		},
		OnResult: func(r verify.Result) {
			log = append(log, fmt.Sprint("result ", r.Name, " ", r.State, " ", r.Reason, r.Mismatches))
		},
	}
	suite.Probe(t.Context())
	want := []string{
		"start Setup GET /setup /setup false", "sent /setup", "result GET /setup passed []",
		"start Tests bad /bad true", "sent /bad", "result bad failed [status: want 200, got 418]",
		`result last skipped needs "bad", which failed[]`,
		"start Tests GET / / false", "sent /", "result GET / passed []",
		"start Cleanup GET /cleanup /cleanup false", "sent /cleanup", "result GET /cleanup passed []",
	}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestProgressInParallel wants one call at a time, each result once, the same as
// in the report, and whatever a callback does to it no change of that.
func TestProgressInParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var within, sent atomic.Int32
		var results []verify.Result
		started := 0
		alone := func(do func()) {
			if within.Add(1) > 1 {
				t.Error("two callbacks at once")
			}
			time.Sleep(time.Millisecond)
			do()
			within.Add(-1)
		}
		suite := &verify.Suite{
			Parallel: 4,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(time.Duration(sent.Add(1)%5) * time.Millisecond)
				http.NotFound(w, r)
			}),
			OnStart: func(verify.Result) { alone(func() { started++ }) },
			OnResult: func(r verify.Result) {
				alone(func() {
					results = append(results, r)
					r.Mismatches[0].Got, r.Attempts[0].Status = "changed", 0
					panic("contained")
				})
			},
		}
		for i := range 40 {
			suite.Tests = append(suite.Tests, verify.SmokeTest{Name: fmt.Sprint(i), Endpoint: "/"})
		}
		// the panic leaves alone before its end
		suite.OnResult = func(next func(verify.Result)) func(verify.Result) {
			return func(r verify.Result) { defer within.Store(0); next(r) }
		}(suite.OnResult)
		report := suite.Probe(t.Context())
		require.Equal(t, 40, started)
		require.Len(t, results, 40)
		seen := map[string]bool{}
		for _, r := range results {
			seen[r.Name] = true
		}
		require.Len(t, seen, 40)
		for _, r := range report.Results {
			require.Equal(t, "404", r.Mismatches[0].Got)
			require.Equal(t, 404, r.Attempts[0].Status)
		}
	})
}

// TestCallbackThatLeaves wants everything to be run, and told, although callbacks end
// their goroutines, as t.FailNow does.
func TestCallbackThatLeaves(t *testing.T) {
	for _, parallel := range []int{1, 3} {
		told := 0
		leaves := func(verify.Result) { told++; runtime.Goexit() }
		suite := &verify.Suite{
			Parallel: parallel, Handler: page(""), OnStart: leaves, OnResult: leaves,
			Setup:   []verify.SmokeTest{{Endpoint: "/"}},
			Tests:   slices.Repeat([]verify.SmokeTest{{Endpoint: "/"}}, 5),
			Cleanup: []verify.SmokeTest{{Endpoint: "/"}, {Endpoint: "/"}},
		}
		require.Equal(t, 8, suite.Probe(t.Context()).Summary().Passed)
		require.Equal(t, 16, told)
	}
}
