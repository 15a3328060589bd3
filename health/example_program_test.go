package health_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/guidon-go/guidon/health"
)

// A shop shows its new checkout to one user in ten, and finds out by itself that
// it is broken.
func Example() {
	window := health.NewWindow(health.WindowOptions{})
	cohorts := health.NewCohorts(health.CohortsOptions{})
	judge := health.DefaultJudge(time.Hour) // for as long as the rollout is watched
	const ramp = 10_000                     // 10 %, in slots of 0.001 %

	oldCheckout := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	newCheckout := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	shop := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Which users are in: a hash with a salt that nothing else uses.
		hash := sha256.Sum256([]byte("new checkout/" + r.Header.Get("X-User")))
		unit := binary.BigEndian.Uint64(hash[:])
		slot := int32(unit % 100_000)
		checkout := oldCheckout
		if slot < ramp {
			checkout = newCheckout
		}
		health.Observe(w, r, checkout, func(answer health.Response) {
			cohorts.Record(health.Outcome{Unit: unit, Slot: slot, Ramp: ramp, Class: answer.Class(), Latency: answer.Latency})
		})
	})
	handler := window.Middleware(shop) // http.ListenAndServe(":8080", handler)

	var state health.State // small; keep it with the verdict, to go on after a crash
	began := time.Now()
	for visit := range 10_000 { // users, and a look after each of them; once a second does, too
		r := httptest.NewRequest(http.MethodPost, "/checkout", nil)
		r.Header.Set("X-User", fmt.Sprint("user-", visit))
		handler.ServeHTTP(httptest.NewRecorder(), r)

		sample := cohorts.Snapshot()
		sample.Elapsed = time.Since(began)
		var verdict health.Verdict
		if verdict, state = judge.Look(state, sample); verdict.Call == health.Fail {
			fmt.Println(verdict) // here the ramp goes back to 0
			break
		}
	}
	fmt.Println(window.Snapshot(time.Now()).Requests(), "requests in the last minute")
	// Output:
	// fail: first errors: candidate fails 100 % of 4 requests, baseline 0 % of 21: evidence 164, threshold 40 (a harmless change is rolled back with probability at most 5 %)
	// 25 requests in the last minute
}
