package verify_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

// answers is a handler that writes a body, and does nothing else.
func answers(body []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(body) })
}

func passing(t testing.TB, suite *verify.Suite) func() {
	run := func() { require.NoError(t, suite.Check(t.Context())) }
	run()
	return run
}

// twentyFields is a body of the kind that a service answers with, and the subset of
// it that is expected.
func twentyFields() (body []byte, subset json.RawMessage) {
	fields := map[string]any{}
	for i := range 7 {
		fields[fmt.Sprintf("number%d", i)] = i * 1000
		fields[fmt.Sprintf("text%d", i)] = strings.Repeat("word ", i)
		if i < 6 {
			fields[fmt.Sprintf("flag%d", i)] = i%2 == 0
		}
	}
	subset, _ = json.Marshal(fields)
	for i := range 20 {
		fields[fmt.Sprintf("more%d", i)] = map[string]any{"id": i, "name": "not looked at", "price": 10.5}
	}
	body, _ = json.Marshal(fields)
	return body, subset
}

// oneMebibyte is a body of nearly 1 MiB and 1,000 of the keys in it.
func oneMebibyte() (body []byte, subset json.RawMessage) {
	all, some := map[string]any{}, map[string]any{}
	for i := range 9_000 {
		key := fmt.Sprintf("key%05d", i)
		all[key] = map[string]any{"id": i, "name": "a name with a few words in it", "tags": []int{1, 2, 3}, "price": 10.5, "on": true}
		if i%9 == 0 {
			some[key] = map[string]any{"id": i, "name": "a name with a few words in it", "tags": []int{1, 2, 3}}
		}
	}
	body, _ = json.Marshal(all)
	subset, _ = json.Marshal(some)
	return body, subset
}

// best is the shortest of several runs.
func best(run func()) time.Duration {
	least := time.Duration(1 << 62)
	for range 5 {
		start := time.Now()
		run()
		least = min(least, time.Since(start))
	}
	return least
}

// BenchmarkCompare is what a test takes beyond one that only sends the request, in
// decodings of the body by encoding/json, measured beside it in the same run.
func BenchmarkCompare(b *testing.B) {
	for _, bench := range []struct {
		name string
		make func() ([]byte, json.RawMessage)
	}{
		{"20 fields", twentyFields}, {"1 MiB against 1000 keys", oneMebibyte},
	} {
		body, subset := bench.make()
		if len(body) > verify.BodyLimit {
			b.Fatalf("%d bytes", len(body))
		}
		bare := &verify.Suite{Handler: answers(body), Tests: []verify.SmokeTest{{Endpoint: "/"}}}
		full := &verify.Suite{Handler: answers(body), Tests: []verify.SmokeTest{{Endpoint: "/", ExpectedResponse: subset}}}
		without, with := passing(b, bare), passing(b, full)
		decode := func() {
			var v any
			if json.Unmarshal(body, &v) != nil {
				b.Fatal()
			}
		}
		b.Run(bench.name, func(b *testing.B) {
			var sum, base, one time.Duration
			for b.Loop() {
				sum += best(with)
				base += best(without)
				one += best(decode)
			}
			b.ReportMetric(float64(sum-base)/float64(one), "decodes/op")
			b.ReportMetric(float64(base)/float64(one), "decodes-http/op")
			b.ReportMetric(testing.AllocsPerRun(10, with)-testing.AllocsPerRun(10, without), "allocs-more/op")
			b.ReportMetric(testing.AllocsPerRun(10, without), "allocs-http/op")
			b.ReportMetric(float64(len(body)), "B-body/op")
		})
	}
}

// worst are pairs of 200 elements and 200 others that take longest to compare in any
// order: as large as a body may be, and alike but for their ends.
var worst = []struct {
	name string
	item func(i int, expected bool) string
}{
	{"numbers", func(i int, expected bool) string {
		return "[" + strings.Repeat("1,", 2_500) + last(i, expected) + "]"
	}},
	{"numbers written in two ways", func(i int, expected bool) string {
		if expected {
			return "[" + strings.Repeat("1.0,", 1_250) + last(i, expected) + "]"
		}
		return "[" + strings.Repeat("1e0,", 1_250) + last(i, expected) + "]"
	}},
	{"one long object", func(i int, expected bool) string {
		var b strings.Builder
		for j := range 400 {
			if !expected {
				j = 399 - j
			}
			fmt.Fprintf(&b, `"k%d":%d,`, j, j)
		}
		return "{" + b.String() + `"z":` + last(i, expected) + "}"
	}},
	{"short objects", func(i int, expected bool) string {
		return "[" + strings.Repeat(`{"a":1,"b":2},`, 350) + last(i, expected) + "]"
	}},
	{"short objects the other way round", func(i int, expected bool) string {
		if expected {
			return "[" + strings.Repeat(`{"b":2,"a":1},`, 350) + last(i, expected) + "]"
		}
		return "[" + strings.Repeat(`{"a":1,"b":2},`, 350) + last(i, expected) + "]"
	}},
	{"objects of sixteen", func(i int, expected bool) string {
		var b strings.Builder
		for j := range 16 {
			if !expected {
				j = 15 - j
			}
			fmt.Fprintf(&b, `"%c":1,`, 'a'+j)
		}
		return "[" + strings.Repeat("{"+strings.TrimSuffix(b.String(), ",")+"},", 50) + last(i, expected) + "]"
	}},
	{"escaped strings", func(i int, expected bool) string {
		if expected {
			return `["` + strings.Repeat("/", 2_500) + `",` + last(i, expected) + "]"
		}
		return `["` + strings.Repeat(`\/`, 2_500) + `",` + last(i, expected) + "]"
	}},
	{"arrays in any order within", func(i int, expected bool) string {
		return "[" + strings.Repeat("1,", 50) + last(i, expected) + "]"
	}},
	{"one that nothing fits, seen last", func(i int, expected bool) string {
		if expected && i < 199 {
			return "{}"
		}
		return `{"a":` + last(i, expected) + "}"
	}},
	{"halves", func(i int, expected bool) string { // each of 200 fits 199 places of one half
		if expected {
			return fmt.Sprintf(`{"half":%d}`, min(1, i/99))
		}
		return fmt.Sprintf(`{"half":%d,"id":%d}`, min(1, i/101), i)
	}},
}

// last is different for any two elements, so that none fits.
func last(i int, expected bool) string {
	if expected {
		i += 1000
	}
	return fmt.Sprint(i)
}

func worstPair(item func(i int, expected bool) string) (want, got string) {
	var wants, gots []string
	for i := range 200 {
		wants = append(wants, item(i, true))
		gots = append(gots, item(i, false))
	}
	return "[" + strings.Join(wants, ",") + "]", "[" + strings.Join(gots, ",") + "]"
}

// BenchmarkUnordered is 200 elements against 200 in any order.
func BenchmarkUnordered(b *testing.B) {
	for _, bench := range worst {
		want, got := worstPair(bench.item)
		arrays := map[string]verify.ArrayMode{"$": verify.Unordered}
		if strings.Contains(bench.name, "within") {
			arrays["$[*]"] = verify.Unordered
		}
		suite := &verify.Suite{Handler: answers([]byte(got)), Tests: []verify.SmokeTest{{
			Endpoint: "/", Timeout: time.Hour, Expect: []verify.Expectation{verify.JSONContains{Value: json.RawMessage(want), Arrays: arrays}},
		}}}
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				if r := suite.Probe(b.Context()).Results[0]; r.State != verify.Failed || r.Mismatches[0].Kind == verify.KindBody {
					b.Fatal(r)
				}
			}
		})
	}
}
