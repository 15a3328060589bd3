package verify_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

// recorder answers 503 under /bad, waits a second under /slow, and keeps what it
// was asked for.
type recorder struct {
	mu    sync.Mutex
	asked []string
	most  int // at once
	now   int
}

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec.mu.Lock()
	rec.asked = append(rec.asked, r.Method+" "+r.URL.String())
	rec.now++
	rec.most = max(rec.most, rec.now)
	rec.mu.Unlock()
	defer func() {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		rec.now--
	}()
	if strings.HasPrefix(r.URL.Path, "/slow") {
		select {
		case <-time.After(time.Second):
		case <-r.Context().Done():
		}
	}
	if strings.HasPrefix(r.URL.Path, "/bad") {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// story is what a report says, one line a test.
func story(report verify.Report) []string {
	lines := report.Problems
	for _, r := range report.Results {
		line := fmt.Sprintf("%v %s: %v", r.Stage, r.Name, r.State)
		if r.Reason != "" {
			line += ", " + r.Reason
		}
		lines = append(lines, line)
	}
	return lines
}

func TestFlow(t *testing.T) {
	tests := []struct {
		name    string
		suite   verify.Suite
		want    []string
		asked   string
		healthy bool
	}{
		{"three stages", verify.Suite{
			Setup:   []verify.SmokeTest{{Name: "s", Endpoint: "/s"}},
			Tests:   []verify.SmokeTest{{Name: "a", Endpoint: "/a"}},
			Cleanup: []verify.SmokeTest{{Name: "c", Endpoint: "/c"}},
		}, []string{"Setup s: passed", "Tests a: passed", "Cleanup c: passed"}, "/s /a /c", true},
		{"needs that come later", verify.Suite{
			Tests: []verify.SmokeTest{{Name: "a", Endpoint: "/a", Needs: []string{"c"}}, {Name: "b", Endpoint: "/b"}, {Name: "c", Endpoint: "/c"}},
		}, []string{"Tests a: passed", "Tests b: passed", "Tests c: passed"}, "/b /c /a", true},
		{"a need that fails", verify.Suite{
			Tests: []verify.SmokeTest{
				{Name: "login", Endpoint: "/bad", Optional: true}, {Name: "cart", Endpoint: "/a", Needs: []string{"login"}},
				{Name: "pay", Endpoint: "/b", Needs: []string{"cart"}}, {Name: "other", Endpoint: "/c"},
			},
		}, []string{
			"Tests login: failed", `Tests cart: skipped, needs "login", which failed`,
			`Tests pay: skipped, needs "cart", which was skipped`, "Tests other: passed",
		}, "/bad /c", false},
		{"a setup that fails", verify.Suite{
			Setup:   []verify.SmokeTest{{Name: "s", Endpoint: "/bad"}, {Name: "s2", Endpoint: "/s2"}},
			Tests:   []verify.SmokeTest{{Name: "a", Endpoint: "/a"}, {Name: "b", Endpoint: "/a", Needs: []string{"a"}}},
			Cleanup: []verify.SmokeTest{{Name: "c", Endpoint: "/c"}},
		}, []string{
			"Setup s: failed", `Setup s2: skipped, setup "s" failed`, `Tests a: skipped, setup "s" failed`,
			`Tests b: skipped, setup "s" failed`, "Cleanup c: passed",
		}, "/bad /c", false},
		{"an optional setup that fails, and what needs it", verify.Suite{
			Setup: []verify.SmokeTest{{Name: "s", Endpoint: "/bad", Optional: true}, {Name: "s2", Endpoint: "/s2"}},
			Tests: []verify.SmokeTest{{Name: "a", Endpoint: "/a"}, {Name: "b", Endpoint: "/b", Needs: []string{"s"}, Optional: true}},
		}, []string{"Setup s: failed", "Setup s2: passed", "Tests a: passed", `Tests b: skipped, needs "s", which failed`}, "/bad /s2 /a", true},
		{"a setup that is skipped", verify.Suite{
			Setup: []verify.SmokeTest{{Name: "s", Endpoint: "/bad", Optional: true}, {Name: "s2", Endpoint: "/s2", Needs: []string{"s"}}, {Name: "s3", Endpoint: "/s3"}},
			Tests: []verify.SmokeTest{{Name: "a", Endpoint: "/a"}},
		}, []string{
			"Setup s: failed", `Setup s2: skipped, needs "s", which failed`, `Setup s3: skipped, setup "s2" was skipped`,
			`Tests a: skipped, setup "s2" was skipped`,
		}, "/bad", false},
		{"cleanup decides, and does not stop", verify.Suite{
			Tests:   []verify.SmokeTest{{Name: "a", Endpoint: "/a"}},
			Cleanup: []verify.SmokeTest{{Name: "c", Endpoint: "/bad"}, {Name: "d", Endpoint: "/d"}},
		}, []string{"Tests a: passed", "Cleanup c: failed", "Cleanup d: passed"}, "/a /bad /d", false},
		{"optional cleanup", verify.Suite{
			Tests:   []verify.SmokeTest{{Name: "a", Endpoint: "/a"}},
			Cleanup: []verify.SmokeTest{{Name: "c", Endpoint: "/bad", Optional: true}},
		}, []string{"Tests a: passed", "Cleanup c: failed"}, "/a /bad", true},
		{"cleanup with nothing to take back", verify.Suite{
			Tests: []verify.SmokeTest{
				{Name: "a", Endpoint: "/a"},
				{Name: "b", Endpoint: "/b", Optional: true, Capture: map[string]verify.From{"id": {Header: "X-Id"}}},
			},
			Cleanup: []verify.SmokeTest{{Name: "c", Endpoint: "/c/${id}"}},
		}, []string{"Tests a: passed", "Tests b: failed", "Cleanup c: skipped, ${id} was not captured"}, "/a /b", true},
		{"cleanup after a test that failed but captured", verify.Suite{
			Tests:   []verify.SmokeTest{{Name: "a", Endpoint: "/bad", Capture: map[string]verify.From{"code": {Status: true}}}, {Name: "b", Endpoint: "/b/${code}"}},
			Cleanup: []verify.SmokeTest{{Name: "c", Endpoint: "/c/${code}"}},
		}, []string{"Tests a: failed", `Tests b: skipped, needs "a", which failed`, "Cleanup c: passed"}, "/bad /c/503", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, parallel := range []int{0, 1, 4} {
				rec := &recorder{}
				tt.suite.Handler, tt.suite.Parallel = rec, parallel
				report := tt.suite.Probe(t.Context())
				if diff := cmp.Diff(tt.want, story(report)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				asked := strings.ReplaceAll(strings.Join(rec.asked, " "), "GET ", "")
				if parallel < 2 && asked != tt.asked {
					t.Errorf("asked for %s, want %s", asked, tt.asked)
				}
				if report.Healthy() != tt.healthy {
					t.Errorf("healthy: %v, want %v", report.Healthy(), tt.healthy)
				}
			}
		})
	}
}

func TestCleanupHasATimeOfItsOwn(t *testing.T) {
	tests := []struct {
		name   string
		suite  verify.Suite
		cancel time.Duration
		took   time.Duration
		want   []string
	}{
		{"after the suite's", verify.Suite{
			Timeout: 500 * time.Millisecond,
			Tests:   []verify.SmokeTest{{Name: "a", Endpoint: "/slow"}, {Name: "b", Endpoint: "/b"}},
			Cleanup: []verify.SmokeTest{{Name: "c", Endpoint: "/slow"}},
		}, 0, 1500 * time.Millisecond, []string{"Tests a: failed", "Tests b: skipped, the suite's 500ms are over", "Cleanup c: passed"}},
		{"after the context", verify.Suite{
			Setup:   []verify.SmokeTest{{Name: "s", Endpoint: "/slow"}},
			Tests:   []verify.SmokeTest{{Name: "a", Endpoint: "/a"}},
			Cleanup: []verify.SmokeTest{{Name: "c", Endpoint: "/slow"}},
		}, 200 * time.Millisecond, 1200 * time.Millisecond, []string{"Setup s: failed", `Tests a: skipped, setup "s" failed`, "Cleanup c: passed"}},
		{"its own", verify.Suite{
			CleanupTimeout: 1500 * time.Millisecond,
			Tests:          []verify.SmokeTest{{Name: "a", Endpoint: "/a"}},
			Cleanup:        []verify.SmokeTest{{Name: "c", Endpoint: "/slow"}, {Name: "d", Endpoint: "/slow"}, {Name: "e", Endpoint: "/e"}},
		}, 0, 1500 * time.Millisecond, []string{"Tests a: passed", "Cleanup c: passed", "Cleanup d: failed", "Cleanup e: skipped, the cleanup's 1.5s are over"}},
		{"its default", verify.Suite{
			Tests:   []verify.SmokeTest{{Name: "a", Endpoint: "/a"}},
			Cleanup: []verify.SmokeTest{{Name: "c", Endpoint: "/stuck", Timeout: time.Hour}},
		}, 0, 30 * time.Second, []string{"Tests a: passed", "Cleanup c: failed"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if tt.cancel > 0 {
					time.AfterFunc(tt.cancel, func() { cancel(errors.New("enough")) })
				}
				mux := http.NewServeMux()
				mux.Handle("/", &recorder{})
				mux.HandleFunc("/stuck", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
				tt.suite.Handler = mux
				report := tt.suite.Probe(ctx)
				if diff := cmp.Diff(tt.want, story(report)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if report.Took != tt.took || report.Healthy() {
					t.Errorf("took %v, want %v; healthy: %v", report.Took, tt.took, report.Healthy())
				}
			})
		})
	}
}

func TestParallelIsBounded(t *testing.T) {
	for parallel, want := range map[int]time.Duration{0: 8 * time.Second, 1: 8 * time.Second, 3: 3 * time.Second, 8: time.Second, 100: time.Second} {
		synctest.Test(t, func(t *testing.T) {
			rec := &recorder{}
			suite := verify.Suite{Handler: rec, Parallel: parallel}
			for i := range 8 {
				suite.Tests = append(suite.Tests, verify.SmokeTest{Endpoint: fmt.Sprintf("/slow/%d", i)})
			}
			report := suite.Probe(t.Context())
			require.True(t, report.Healthy(), report)
			for i, r := range report.Results {
				if r.Endpoint != suite.Tests[i].Endpoint {
					t.Errorf("result %d is of %s", i, r.Endpoint)
				}
			}
			if report.Took != want || rec.most != min(max(parallel, 1), 8) {
				t.Errorf("%d at once: took %v, want %v; %d at once", parallel, report.Took, want, rec.most)
			}
		})
	}
}

func TestDiamondOfNeedsInParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suite := verify.Suite{Handler: &recorder{}, Parallel: 4, Tests: []verify.SmokeTest{
			{Name: "top", Endpoint: "/slow/4", Needs: []string{"left", "right"}},
			{Name: "left", Endpoint: "/slow/2", Needs: []string{"base"}},
			{Name: "right", Endpoint: "/slow/3", Needs: []string{"base"}},
			{Name: "base", Endpoint: "/slow/1"},
		}}
		report := suite.Probe(t.Context())
		if !report.Healthy() || report.Took != 3*time.Second {
			t.Errorf("took %v, want 3s: %v", report.Took, report)
		}
	})
}

func TestProblemsOfFlow(t *testing.T) {
	from := map[string]verify.From{"id": {Status: true}}
	tests := []struct {
		name  string
		suite verify.Suite
		want  []string
	}{
		{"unknown", verify.Suite{Tests: []verify.SmokeTest{{Name: "login", Endpoint: "/"}, {Endpoint: "/x", Needs: []string{"logon", "zebra"}}}}, []string{
			`Tests[1].Needs[0]: no test has the name "logon", did you mean "login"?`, `Tests[1].Needs[1]: no test has the name "zebra"`,
		}},
		{"duplicates", verify.Suite{Tests: []verify.SmokeTest{
			{Name: "a", Endpoint: "/"}, {Name: "a", Endpoint: "/"}, {Endpoint: "/b"}, {Endpoint: "/b"}, {Name: "c", Endpoint: "/", Needs: []string{"GET /b"}},
			{Name: "d", Endpoint: "/", Needs: []string{"c", "c"}},
		}}, []string{
			`Tests[1].Name: "a" is the name of Tests[0] already`, `Tests[4].Needs[0]: 2 tests have the name "GET /b"`, `Tests[5].Needs[1]: "c" is listed twice`,
		}},
		{"cycles", verify.Suite{Tests: []verify.SmokeTest{
			{Name: "a", Endpoint: "/", Needs: []string{"b"}}, {Name: "b", Endpoint: "/", Needs: []string{"c"}}, {Name: "c", Endpoint: "/", Needs: []string{"a"}},
			{Name: "d", Endpoint: "/", Needs: []string{"d"}}, {Name: "e", Endpoint: "/${id}", Capture: from}, {Name: "f", Endpoint: "/", Needs: []string{"a"}},
		}}, []string{
			`Tests[0]: a cycle: "a" needs "b" needs "c" needs "a"`, `Tests[3]: a cycle: "d" needs "d"`, `Tests[4]: a cycle: "e" needs "e"`,
		}},
		{"later stages", verify.Suite{
			Setup:   []verify.SmokeTest{{Name: "s", Endpoint: "/", Needs: []string{"t"}}, {Endpoint: "/${id}"}},
			Tests:   []verify.SmokeTest{{Name: "t", Endpoint: "/", Needs: []string{"c"}, Capture: from}},
			Cleanup: []verify.SmokeTest{{Name: "c", Endpoint: "/", Needs: []string{"s"}}},
		}, []string{
			`Setup[0].Needs[0]: "t" is run later, in Tests`, `Setup[1]: ${id} is captured later, in Tests`, `Tests[0].Needs[0]: "c" is run later, in Cleanup`,
		}},
		{"only optional tests", verify.Suite{
			Setup: []verify.SmokeTest{{Endpoint: "/"}}, Tests: []verify.SmokeTest{{Endpoint: "/", Optional: true}}, Cleanup: []verify.SmokeTest{{Endpoint: "/"}},
		}, []string{"Tests: want at least one test that is not optional"}},
		{"bounds", verify.Suite{
			Parallel: -1, CleanupTimeout: -time.Second, BodyLimit: -1,
			Setup:   []verify.SmokeTest{{Endpoint: "x"}},
			Tests:   []verify.SmokeTest{{Endpoint: "/", Redirects: -1}, {Endpoint: "/", Redirects: 11}},
			Cleanup: []verify.SmokeTest{{Endpoint: "y"}},
		}, []string{
			"CleanupTimeout: -1s is negative", "Parallel: want 0 to 1000, found -1", "BodyLimit: want 0 to 1073741824 bytes, found -1",
			`Setup[0].Endpoint: want a path that begins with "/", found "x"`,
			"Tests[0].Redirects: want 0 to 10, found -1", "Tests[1].Redirects: want 0 to 10, found 11",
			`Cleanup[0].Endpoint: want a path that begins with "/", found "y"`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := &recorder{}
			tt.suite.Handler = rec
			if diff := cmp.Diff(tt.want, story(tt.suite.Probe(t.Context()))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			require.Empty(t, rec.asked)
		})
	}
}

// TestLongCycles: a test may need itself in as many ways as there are tests.
func TestLongCycles(t *testing.T) {
	suite := verify.Suite{Handler: page("")}
	for i := range 1000 {
		suite.Tests = append(suite.Tests, verify.SmokeTest{Name: fmt.Sprint(i), Endpoint: "/", Needs: []string{fmt.Sprint(i + 1), "0"}})
	}
	suite.Tests[999].Needs = []string{"0"}
	problems := suite.Probe(t.Context()).Problems
	require.Len(t, problems, 1000)
	require.Equal(t, `Tests[0]: a cycle: "0" needs "1" needs "2" needs "3" needs "4" needs "5" needs "6" needs "7" needs "8" needs "9" `+
		`needs 990 more, of which the last needs "0"`, problems[0])
	require.Equal(t, `Tests[0]: a cycle: "0" needs "0"`, problems[999])
}
