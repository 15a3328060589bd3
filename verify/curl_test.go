package verify_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

func curlOf(t *testing.T, suite *verify.Suite) string {
	t.Helper()
	report := suite.Probe(t.Context())
	require.Empty(t, report.Problems)
	require.NotEmpty(t, report.Results[0].Curl, "%v", report)
	require.Contains(t, report.String(), "\n    "+report.Results[0].Curl+"\n")
	return report.Results[0].Curl
}

func TestCurl(t *testing.T) {
	secrets := map[string]verify.Secret{"token": "t0psecret value"}
	tests := []struct {
		name string
		test verify.SmokeTest
		want string
	}{
		{"plain", verify.SmokeTest{Endpoint: "/a?b=c"}, `curl -sSig --noproxy '*' --max-time 5 -H 'User-Agent: guidon-verify' -H Accept: "$URL"'/a?b=c'`},
		{"head", verify.SmokeTest{Method: "HEAD", Endpoint: "/", Timeout: 1500e6}, `curl -sSig --noproxy '*' --max-time 1.5 --head -H 'User-Agent: guidon-verify' -H Accept: "$URL"/`},
		{"all", verify.SmokeTest{
			Method: "POST", Endpoint: "/it's/${token}?q=${token}", Body: `{"t": "${token}"}`, Redirects: 2,
			Header: http.Header{"Authorization": {"Bearer ${token}"}, "X-Empty": {""}, "X-T": {"a ${token}", "b"}, "Accept": {"*/*"}, "Content-Type": {"application/json"}},
		}, `curl -sSig --noproxy '*' --max-time 5 -L --max-redirs 2 -X POST -H 'Accept: */*' -H 'Authorization: [secret]' -H 'Content-Type: application/json'` +
			` -H 'User-Agent: guidon-verify' -H 'X-Empty;' -H 'X-T: a [secret]' -H 'X-T: b' --data-raw '{"t": "[secret]"}' "$URL"'/it'\''s/[secret]?q=[secret]'`},
		{"dots", verify.SmokeTest{Endpoint: "/a/../b"}, `curl -sSig --noproxy '*' --max-time 5 --path-as-is -H 'User-Agent: guidon-verify' -H Accept: "$URL"/a/../b`},
		{"body of other characters", verify.SmokeTest{Method: "PUT", Endpoint: "/", Body: "a'%s\\\x00\n\n"},
			`printf 'a\047%%s\134\000\012\012' | curl -sSig --noproxy '*' --max-time 5 -X PUT -H 'User-Agent: guidon-verify' -H Accept: -H Content-Type: --data-binary @- "$URL"/`},
		{"long body", verify.SmokeTest{Method: "PUT", Endpoint: "/", Body: strings.Repeat("x", 4097)},
			`curl -sSig --noproxy '*' --max-time 5 -X PUT -H 'User-Agent: guidon-verify' -H Accept: -H Content-Type: --data-binary @body "$URL"/ # body: a file with the 4097 bytes of the test's`},
	}
	elsewhere := verify.SmokeTest{Endpoint: "/", Redirects: 1, Header: http.Header{"X-Api-Key": {"k3yOfTheApi99"}}}
	require.NotContains(t, curlOf(t, &verify.Suite{Handler: http.RedirectHandler("http://elsewhere.example/", http.StatusFound), Tests: []verify.SmokeTest{elsewhere}}), " -L ")
	for _, tt := range tests {
		tt.test.Statuses = []verify.StatusRange{verify.Status5xx}
		got := curlOf(t, &verify.Suite{Handler: http.NotFoundHandler(), Secrets: secrets, Tests: []verify.SmokeTest{tt.test}})
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	passed := (&verify.Suite{Handler: http.NotFoundHandler(), Tests: []verify.SmokeTest{{Endpoint: "/", ExpectedStatus: 404}}}).Probe(t.Context())
	require.Empty(t, passed.Results[0].Curl)
}

// shell runs a line in a real one, with a function in the place of curl.
func shell(t *testing.T, curl, line string) string {
	t.Helper()
	path, err := exec.LookPath("/bin/sh")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("there is no /bin/sh")
	}
	command := exec.Command(path, "-c", "URL=http://host:1; curl() { "+curl+"; }\n"+line)
	var errors bytes.Buffer
	command.Stderr = &errors
	out, err := command.Output()
	require.NoError(t, err, "%s\n%s", line, &errors)
	require.Empty(t, errors.String(), line)
	return string(out)
}

// TestCurlInARealShell wants the words that the shell gives curl to be what the test
// sends.
func TestCurlInARealShell(t *testing.T) {
	texts := []string{
		"plain", "it's", `"$(touch x)" $HOME`, "`id`", `\\ \n`, "a  b", "*", "~", "#x", "!!", "-e", "%s%d\\", "é 😀", "\u202e\u00a0", "'", "''", ";&|<>(){}", "[1-3]", "\t tab \t",
	}
	r := rand.New(rand.NewPCG(7, 7))
	for range 30 {
		b := make([]rune, 1+r.IntN(20))
		for i := range b {
			b[i] = []rune{rune(' ' + r.IntN(95)), '\'', '"', '\\', '%', '$', 0x85, 0x202e, 'é'}[r.IntN(9)]
		}
		texts = append(texts, string(b))
	}
	for _, text := range texts {
		var sent http.Header
		var body []byte
		suite := &verify.Suite{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				sent = r.Header.Clone()
				body, _ = io.ReadAll(r.Body)
				w.WriteHeader(http.StatusTeapot)
			}),
			Tests: []verify.SmokeTest{{Method: "PUT", Endpoint: "/x", Header: http.Header{"X-T": {text}}, Body: text + "\n\x00" + text + "\n\n"}},
		}
		line := curlOf(t, suite)
		words := strings.Split(shell(t, `cat >/dev/null; printf '%s\001' "$@"`, line), "\x01")
		require.Contains(t, words, "X-T: "+text, line)
		require.Equal(t, "http://host:1/x", words[len(words)-2], line)
		require.Equal(t, strings.Trim(text, " \t"), sent.Get("X-T"))
		require.Equal(t, string(body), shell(t, "cat", line), line)
		require.Len(t, strings.Split(line, "\n"), 1)

		suite.Tests[0].Body = text
		line = curlOf(t, suite)
		if plain := strings.Contains(line, "--data-raw"); plain {
			words = strings.Split(shell(t, `printf '%s\001' "$@"`, line), "\x01")
			require.Contains(t, words, text, line)
		} else {
			require.Equal(t, text, shell(t, "cat", line), line)
		}
	}
}

// TestCurlSendsTheSame runs the line where there is a curl.
func TestCurlSendsTheSame(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl")
	}
	type request struct{ Method, URL, Header, Body string }
	var got []request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var header bytes.Buffer
		_ = r.Header.Write(&header)
		got = append(got, request{r.Method, r.RequestURI, r.Host + header.String(), string(body)})
		w.WriteHeader(http.StatusTeapot)
	}))
	defer server.Close()
	for _, test := range []verify.SmokeTest{
		{Endpoint: "/a/../b?x=[1-3]{a,b}&y='%20"},
		{Method: "POST", Endpoint: "/", Body: "@file\n\n", Header: http.Header{"Content-Type": {"text/plain"}, "X-Empty": {""}, "Host": {"elsewhere.example"}}},
		{Method: "DELETE", Endpoint: "/é", Body: "\x00\xff'"},
		{Method: "HEAD", Endpoint: "/", Header: http.Header{"Accept": {"a", "b"}}},
	} {
		got = nil
		line := curlOf(t, &verify.Suite{URL: server.URL, Tests: []verify.SmokeTest{test}})
		out, err := exec.Command("/bin/sh", "-c", line).CombinedOutput()
		require.NoError(t, err, "%s\n%s", line, out)
		require.Len(t, got, 2, "%s\n%s", line, out)
		if diff := cmp.Diff(got[0], got[1]); diff != "" {
			t.Errorf("%s (-test +curl):\n%s", line, diff)
		}
	}
}
