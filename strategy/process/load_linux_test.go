package process_test

import (
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/guidon-go/guidon/strategy/process"
	"github.com/stretchr/testify/require"
)

var wrkSwitches = flag.Int("process.wrk", 0, "how often TestWrk switches versions under the load of wrk, if it is there; 0 leaves it out")

// TestSwitchUnderLoad: not one request fails while versions are switched, over
// connections that are kept.
func TestSwitchUnderLoad(t *testing.T) {
	for _, inherit := range []bool{false, true} {
		t.Run("inherit="+strconv.FormatBool(inherit), func(t *testing.T) {
			w := newWorld(t, func(o *process.Options) { o.Inherit = inherit })
			server := httptest.NewServer(w.fleet)
			defer server.Close()
			var over atomic.Bool
			var asked [2]atomic.Int64 // by what is asked last: some with a body, some without
			var clients sync.WaitGroup
			for i := range 8 {
				clients.Go(func() {
					client := &http.Client{Transport: &http.Transport{}}
					defer client.CloseIdleConnections()
					for !over.Load() {
						if err := ask(client, server.URL, i%2 == 0); err != nil {
							t.Error(err)
							return
						}
						asked[i%2].Add(1)
					}
				})
			}
			old, new := "v1", "v2"
			for range 6 {
				w.switchTo(t, old, new)
				old, new = new, old
			}
			over.Store(true)
			clients.Wait()
			require.Positive(t, asked[0].Load())
			require.Positive(t, asked[1].Load())
			t.Logf("%d requests", asked[0].Load()+asked[1].Load())
		})
	}
}

// ask sends one request, and is an error if its answer is not one of the versions'.
func ask(client *http.Client, url string, post bool) error {
	want := ""
	response, err := client.Get(url)
	if post {
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		want = " once"
		response, err = client.Post(url, "text/plain", strings.NewReader("once"))
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if version, ok := strings.CutSuffix(string(body), want); err != nil || !ok || version != "v1" && version != "v2" {
		return errors.Join(err, errors.New(response.Status+": "+string(body)))
	}
	return nil
}

// TestWrk is the same under a load generator that others have written:
//
//	go test ./strategy/process -run TestWrk -v -process.wrk 20
func TestWrk(t *testing.T) {
	if *wrkSwitches == 0 {
		t.Skip("it is for the flag -process.wrk")
	}
	wrk, err := exec.LookPath("wrk")
	if err != nil {
		t.Skip("there is no wrk: apt-get install wrk")
	}
	w := newWorld(t, nil)
	server := httptest.NewServer(w.fleet)
	defer server.Close()
	cmd := exec.Command(wrk, "-t2", "-c32", "-d3600s", server.URL) // until it is told
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	old, new := "v1", "v2"
	for range *wrkSwitches {
		w.switchTo(t, old, new)
		old, new = new, old
	}
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	require.NoError(t, cmd.Wait(), out.String())
	t.Log(out.String())
	require.Regexp(t, regexp.MustCompile(`\d+ requests in`), out.String())
	require.NotContains(t, out.String(), "Non-2xx")
	require.NotContains(t, out.String(), "Socket errors")
}
