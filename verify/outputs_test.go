package verify_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

// written is a report in all its forms.
func written(t testing.TB, err *verify.Error, told string) map[string]string {
	t.Helper()
	out := map[string]string{"error": err.Error(), "told": told, "value": fmt.Sprintf("%+v", err.Report)}
	for name, write := range forms {
		out[name] = write(t, err.Report)
	}
	return out
}

var forms = map[string]func(testing.TB, verify.Report) string{
	"text": func(_ testing.TB, r verify.Report) string { return r.String() + "\n" },
	"json": func(t testing.TB, r verify.Report) string {
		b, err := json.MarshalIndent(r, "", "  ")
		require.NoError(t, err)
		return string(b) + "\n"
	},
	"xml": func(t testing.TB, r verify.Report) string {
		var b bytes.Buffer
		require.NoError(t, r.WriteJUnit(&b))
		return b.String()
	},
	"tap": func(t testing.TB, r verify.Report) string {
		var b bytes.Buffer
		require.NoError(t, r.WriteTAP(&b))
		return b.String()
	},
}

// nasty is all that has ever broken a report.
const nasty = "]]> <a b='c'>&amp; \"q\" 'q' # TODO \\# \\ \x00\x1b[31m\x7f\r\n  ---\n  ...\nok 9 - forged\n1..0 # SKIP \u202e\ufffe\U000e0001 \xff\xfe é 😀 %s"

var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))

// reports are those of the golden files.
var reports = map[string]verify.Report{
	"shop": {
		Suite: "shop", Target: "https://shop.example", Start: began, Took: 1500 * time.Millisecond,
		Results: []verify.Result{
			{Stage: verify.StageSetup, Name: "log in", Method: "POST", Endpoint: "/session", State: verify.Passed, Status: 201, ResponseTime: 12 * time.Millisecond,
				Attempts: []verify.Attempt{{Start: began, Took: 12 * time.Millisecond, Status: 201}}, Phases: verify.Phases{DNS: 1e6, Connect: 2e6, TLS: 3e6, FirstByte: 11e6}},
			{Name: "GET /healthz", Method: "GET", Endpoint: "/healthz", State: verify.Passed, Status: 200, ResponseTime: 4 * time.Millisecond, Flaky: true, Attempts: []verify.Attempt{
				{Start: began.Add(time.Second), Took: 3 * time.Millisecond, Status: 503, Mismatch: verify.Mismatch{Kind: verify.KindStatus, Path: "status", Want: "200", Got: "503"}},
				{Start: began.Add(1100 * time.Millisecond), Took: 4 * time.Millisecond, Status: 200},
			}},
			{Name: "GET /cart", Method: "GET", Endpoint: "/cart", State: verify.Failed, Status: 200, ResponseTime: 20 * time.Millisecond, Omitted: 2, Mismatches: []verify.Mismatch{
				{Kind: verify.KindType, Path: "$.items[2].price", Want: "10.5", Got: `"10.5"`},
				{Kind: verify.KindMissing, Path: "$.total", Want: "42", Got: "nothing"},
			}, Phases: verify.Phases{DNS: 1e6, Connect: 2e6, TLS: 3e6, FirstByte: 11e6}, Curl: "curl -sSig --max-time 5 https://shop.example/cart"},
			{Name: "pay", Method: "POST", Endpoint: "/pay", State: verify.Failed, ResponseTime: 5 * time.Second, Mismatches: []verify.Mismatch{
				{Kind: verify.KindTimeout, Path: "request", Want: "an answer", Got: "none: the test's 5s are over"},
			}},
			{Name: "ads", Method: "GET", Endpoint: "/ads", Optional: true, State: verify.Failed, Status: 404, ResponseTime: time.Millisecond, Mismatches: []verify.Mismatch{
				{Kind: verify.KindStatus, Path: "status", Want: "200", Got: "404"},
			}},
			{Name: "receipt", Method: "GET", Endpoint: "/receipt/${id}", Reason: `needs "pay", which failed`},
			{Stage: verify.StageCleanup, Name: "log out", Method: "DELETE", Endpoint: "/session", State: verify.Passed, Status: 204, ResponseTime: 7 * time.Millisecond},
		},
	},
	"healthy": {Target: "a handler", Start: began, Results: []verify.Result{
		{Name: "GET /", Method: "GET", Endpoint: "/", State: verify.Passed, Status: 200, ResponseTime: time.Millisecond},
		{Name: "ads", Method: "GET", Endpoint: "/ads", Optional: true, State: verify.Failed, Status: 404, Mismatches: []verify.Mismatch{
			{Kind: verify.KindStatus, Path: "status", Want: "200", Got: "404"},
		}},
	}},
	"skipped":   {Suite: "shop", Target: "a handler", Results: []verify.Result{{Name: "GET /", Method: "GET", Endpoint: "/", Reason: "enough"}}},
	"malformed": {Suite: "shop", Target: "no URL", Problems: []string{"URL: want a URL or a Handler, found neither", "Tests: want at least one test that is not optional"}},
	"zero":      {},
	"hostile": {
		Suite: nasty, Target: "https://shop.example", Start: began, Results: []verify.Result{
			{Name: nasty, Method: "GET", Endpoint: "/" + nasty, State: verify.Failed, Mismatches: []verify.Mismatch{
				{Kind: verify.KindValue, Path: nasty, Want: nasty, Got: nasty}, {Kind: verify.KindTransport, Path: "request", Want: "an answer", Got: nasty},
			}, Curl: "curl " + nasty, Attempts: []verify.Attempt{{Mismatch: verify.Mismatch{Got: nasty}}, {}}},
			{Name: nasty, Optional: true, State: verify.Failed, Mismatches: []verify.Mismatch{{Got: nasty}}},
			{Name: nasty, Reason: nasty},
			{Stage: verify.StageCleanup, Name: strings.Repeat("long é ", 1000), Endpoint: "/", Method: "GET", State: verify.Passed},
			{Name: "# SKIP", State: verify.Passed},
			{State: verify.Passed},
		},
	},
	"hostile problems": {Suite: nasty, Problems: []string{nasty, "", nasty}},
}

func TestGoldenReports(t *testing.T) {
	for name, report := range reports {
		for form, write := range forms {
			path := filepath.Join("testdata", "reports", strings.ReplaceAll(name, " ", "-")+"."+form)
			got := write(t, report)
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		}
	}
}

func TestReportsReadBackFromJSON(t *testing.T) {
	for name, report := range reports {
		if strings.HasPrefix(name, "hostile") { // invalid UTF-8 does not come back
			continue
		}
		text := forms["json"](t, report)
		var got verify.Report
		require.NoError(t, json.Unmarshal([]byte(text), &got), name)
		if diff := cmp.Diff(text, forms["json"](t, got)); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(report, got); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", name, diff)
		}
	}
	for _, bad := range []string{`{"results": [{"state": "Passed"}]}`, `{"results": [{"stage": "test"}]}`} {
		require.Error(t, json.Unmarshal([]byte(bad), &verify.Report{}), bad)
	}
	for _, bad := range []verify.Result{{State: 9}, {Stage: 9}} {
		_, err := json.Marshal(bad)
		require.Error(t, err)
	}
}

type brokenWriter struct{}

var errBroken = errors.New("broken")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestWritersErrors(t *testing.T) {
	require.ErrorIs(t, verify.Report{}.WriteJUnit(brokenWriter{}), errBroken)
	require.ErrorIs(t, verify.Report{}.WriteTAP(brokenWriter{}), errBroken)
}

// TestTextHasNoLinesOfItsOwn wants foreign text to begin no line, and nothing in it
// that a terminal acts on.
func TestTextHasNoLinesOfItsOwn(t *testing.T) {
	text := (&verify.Error{Report: reports["hostile"]}).Error() + reports["hostile"].String()
	for line := range strings.Lines(text) {
		require.NotContains(t, line, "\x1b")
		for _, forged := range []string{"ok 9", "1..0", "  ---", "  ..."} {
			require.False(t, strings.HasPrefix(line, forged), line)
		}
	}
}
