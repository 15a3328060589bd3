package main

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// TestKillNine kills the real program ten times at random moments and then lets it
// run to its end: it resumes, and the outcomes are those of a run that nobody
// disturbed.
func TestKillNine(t *testing.T) {
	t.Parallel()
	binary, state := build(t), t.TempDir()
	start := func() (*exec.Cmd, *bytes.Buffer) {
		var out bytes.Buffer
		cmd := exec.Command(binary, "-state", state, "-json")
		cmd.Stdout, cmd.Stderr = &out, &out
		require.NoError(t, cmd.Start())
		return cmd, &out
	}
	for kill := range 10 {
		cmd, out := start()
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case <-time.After(time.Duration(rand.IntN(1200)) * time.Millisecond):
			require.NoError(t, cmd.Process.Kill())
			<-done
		case err := <-done:
			t.Fatalf("run %d ended before it was killed: %v\n%s", kill, err, out)
		}
		restored(t, state)
	}
	cmd, output := start()
	require.NoError(t, cmd.Wait(), "%s", output)
	lines := strings.Split(strings.TrimSpace(output.String()), "\n")
	require.Contains(t, output.String(), "resumed: the journal has new-search")
	var got struct {
		Resumed  bool
		Requests int
		Rollouts []struct {
			Flag, Outcome, Reason string
			Percent               float64
			Peak                  float64 `json:"peak_percent"`
		}
		Delivery struct{ Deployments, Failed int }
	}
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &got), "%s", output)
	require.True(t, got.Resumed)
	require.Positive(t, got.Requests)
	require.Len(t, got.Rollouts, 2)
	search, checkout := got.Rollouts[0], got.Rollouts[1]
	require.Equal(t, "new-search succeeded 100", strings.Join([]string{search.Flag, search.Outcome, number(search.Percent)}, " "))
	require.Equal(t, "new-checkout rolled_back 0", strings.Join([]string{checkout.Flag, checkout.Outcome, number(checkout.Percent)}, " "))
	require.Positive(t, checkout.Peak)
	require.Less(t, checkout.Peak, 100.0)
	require.Contains(t, checkout.Reason, "a harmless change is rolled back with probability at most 0.1 %")
	require.Equal(t, 2, got.Delivery.Deployments)
	require.Equal(t, 1, got.Delivery.Failed)
	restored(t, state)
}

// TestFollowsAFile breaks the flags file while the program runs: the break is
// reported, and the last good document goes on serving.
func TestFollowsAFile(t *testing.T) {
	t.Parallel()
	binary, file := build(t), filepath.Join(t.TempDir(), "flags.json")
	require.NoError(t, os.WriteFile(file, embedded, 0o600))
	cmd := exec.Command(binary, "-flags", file, "-json")
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	require.NoError(t, cmd.Start())
	time.AfterFunc(3*time.Second, func() {
		if err := os.WriteFile(file, []byte(`{"flags": {"new-search": {"serv": "on"}}}`), 0o600); err != nil {
			t.Error(err)
		}
	})
	require.NoError(t, cmd.Wait(), "%s\n%s", &out, &problems)
	require.Contains(t, problems.String(), "some are quarantined and stay as they were")
	require.Contains(t, problems.String(), "flags.new-search.serv (line 1, column 27): unknown field, did you mean")
	require.Contains(t, out.String(), `"outcome":"rolled_back"`)
}

func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "quickstart")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}

func number(x float64) string {
	text, _ := json.Marshal(x)
	return string(text)
}

// restored opens a copy of the journal as the next process would, and checks that
// before anything runs, each flag serves what the journal allows and no more.
func restored(t *testing.T, state string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(state, "journal.jsonl"))
	if os.IsNotExist(err) {
		return // killed before it began
	}
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "journal.jsonl"), data, 0o600))
	journal, err := rollout.OpenFile(dir)
	require.NoError(t, err)
	defer journal.Close()
	engine, err := rollout.New(journal, rollout.Options{Service: "shop", Environment: "quickstart"})
	require.NoError(t, err)
	flags := flag.New(flag.Bytes(embedded), flag.Options{})
	require.NoError(t, flags.Load(t.Context()))
	guards, err := guardAll(engine, flags)
	require.NoError(t, err)
	for _, guard := range guards {
		p := guard.Progress()
		status, err := flags.Status(p.Flag)
		require.NoError(t, err)
		require.Equal(t, int(p.State.Share), int(status.Ramp.Share), "%s", p.ID)
		require.False(t, p.State.Outcome == rollout.RolledBack && status.Ramp.Share > 0, "%s", p.ID)
	}
}
