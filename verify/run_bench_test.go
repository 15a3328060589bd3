package verify_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

// twenty is a body of 20 fields.
var twenty = func() string {
	var fields []string
	for i := range 5 {
		fields = append(fields,
			fmt.Sprintf(`"count%d":%d`, i, i*1000), fmt.Sprintf(`"name%d":"value %d"`, i, i),
			fmt.Sprintf(`"ready%d":%v`, i, i%2 == 0), fmt.Sprintf(`"price%d":%d.5`, i, i))
	}
	return "{" + strings.Join(fields, ",") + "}"
}()

// fields returns a suite of n tests of the body of 20 fields.
func fields(n int) *verify.Suite {
	return &verify.Suite{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, twenty)
		}),
		Tests: slices.Repeat([]verify.SmokeTest{{Endpoint: "/", ExpectedResponse: json.RawMessage(twenty)}}, n),
	}
}

func decode() {
	var v any
	_ = json.Unmarshal([]byte(twenty), &v)
}

// BenchmarkHandler is a run of a suite per iteration; divide by its tests.
func BenchmarkHandler(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprintf("tests=%d", n), func(b *testing.B) {
			suite := fields(n)
			b.ReportAllocs()
			for b.Loop() {
				if !suite.Probe(b.Context()).Healthy() {
					b.Fatal("not healthy")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/test")
		})
	}
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			decode()
		}
	})
}

// discard is the least that a handler can write to.
type discard struct{ header http.Header }

func (p discard) Header() http.Header         { return p.header }
func (p discard) Write(b []byte) (int, error) { return len(b), nil }
func (p discard) WriteHeader(int)             {}

// TestAllocationsOfATest is about one test more in a suite: its check before the
// run, and its exchange.
func TestAllocationsOfATest(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates, too")
	}
	run := func(n, parallel int) float64 {
		suite := fields(n)
		suite.Parallel = parallel
		require.Equal(t, parallel == 0, suite.Probe(t.Context()).Healthy())
		return testing.AllocsPerRun(5, func() { suite.Probe(t.Context()) })
	}
	all := (run(110, 0) - run(10, 0)) / 100
	compile := (run(110, -1) - run(10, -1)) / 100 // a suite that is refused, after all of it was read
	w, r := discard{http.Header{}}, httptest.NewRequest(http.MethodGet, "/", nil)
	handler := testing.AllocsPerRun(5, func() { fields(1).Handler.ServeHTTP(w, r) }) - testing.AllocsPerRun(5, func() { _ = fields(1).Handler })
	t.Logf("%v in all, %v of them to compile, %v of the handler", all, compile, handler)
	if got := all - compile - handler; got > 60 {
		t.Errorf("an exchange with 20 fields allocates %v times, want at most 60", got)
	}
	if got := all - handler; got > 75 {
		t.Errorf("a test of 20 fields allocates %v times, want at most 75", got)
	}
}
