package rollout_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/split"
)

// The outcomes of a splitter are what judges compare: those who got the new version
// beside those who did not. Testers, copies, and requests of nobody in particular are no
// part of it.
func Example_splitter() {
	cohorts := health.NewCohorts(health.CohortsOptions{})
	version := func(status int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	}
	splitter, err := split.New(split.Options{
		Unit: func(r *http.Request) string { return r.URL.Query().Get("user") },
		Salt: "shop",
		Outcome: func(o split.Outcome) {
			if o.Pinned || o.Mirrored || o.Unit == 0 {
				return
			}
			cohorts.Record(health.Outcome{
				Unit: o.Unit, Slot: o.Slot, Ramp: int32(o.Share), Class: health.ByStatus(o.Status),
			})
		},
	}, split.Backend{Name: "1.9", Handler: version(200)}, split.Backend{Name: "2.0", Handler: version(500)})
	if err != nil {
		panic(err)
	}
	if err := splitter.SetWeights(
		split.Weight{Backend: "2.0", Share: 10 * strategy.Percent}, // the new one first
		split.Weight{Backend: "1.9", Share: 90 * strategy.Percent},
	); err != nil {
		panic(err)
	}
	for i := range 1000 {
		splitter.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", fmt.Sprint("/?user=", i), nil))
	}
	sample := cohorts.Snapshot()
	fmt.Println("candidate:", sample.Candidate.Failures, "of", sample.Candidate.Requests(), "failed")
	fmt.Println("baseline: ", sample.Baseline.Failures, "of", sample.Baseline.Requests(), "failed")
	// Output:
	// candidate: 106 of 106 failed
	// baseline:  0 of 894 failed
}
