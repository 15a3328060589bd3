package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// program is the example, built once.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "pipeline-test-")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "pipeline.exe")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// ship runs the program to its end.
func ship(t *testing.T, code int, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	out, err := cmd.CombinedOutput()
	if code == 0 {
		require.NoError(t, err, "%s", out)
	}
	require.Equal(t, code, cmd.ProcessState.ExitCode(), "%s", out)
	return string(out)
}

// killed runs the program until a line has one of the texts, kills it there, and says
// which: none, -1, if it came to its end before.
func killed(t *testing.T, texts []string, args ...string) (found int) {
	t.Helper()
	cmd := exec.Command(program, args...)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	found = -1
	for lines := bufio.NewScanner(out); found < 0 && lines.Scan(); {
		found = slices.IndexFunc(texts, func(text string) bool { return strings.Contains(lines.Text(), text) })
	}
	_ = cmd.Process.Kill() // it may be over
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait()
	return found
}

var answers = regexp.MustCompile(`(?m)^  (\S+) answered (\d+) requests, (\d+) of them wrong$`)

// served wants that nothing was lost, and that nobody but one version was wrong. It says
// who has answered.
func served(t *testing.T, out, wrong string) (versions []string) {
	t.Helper()
	require.Regexp(t, `(?m)^  lost: 0$`, out)
	for _, m := range answers.FindAllStringSubmatch(out, -1) {
		versions = append(versions, m[1])
		require.Equal(t, m[1] == wrong, m[3] != "0", "%s", out)
	}
	require.NotEmpty(t, versions, "%s", out)
	return versions
}

// stored wants every order to have its amount in some columns and in no other.
func stored(t *testing.T, state string, columns ...string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(state, "orders", "*.json"))
	require.NoError(t, err)
	require.Greater(t, len(files), 400)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if filepath.Base(file) == "schema.json" {
			var schema []string
			require.NoError(t, json.Unmarshal(text, &schema))
			require.Equal(t, columns, schema)
			continue
		}
		var row map[string]any
		require.NoError(t, json.Unmarshal(text, &row))
		for _, column := range []string{"total", "total_cents"} {
			require.Equal(t, strings.Contains(strings.Join(columns, " ")+" ", column+" "), row[column] != nil, "%s of %s: %s", column, file, text)
		}
	}
}

// record is what a journal's line has that these tests read.
type record struct {
	Kind, Rollout, Pipeline, Stage, From, To, Reason string

	At      time.Time
	Request struct {
		Release struct{ Committed time.Time }
	}
}

func records(t *testing.T, state string) (all []record) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(state, "journal", "journal.jsonl"))
	require.NoError(t, err)
	for line := range bytes.Lines(text) {
		var r record
		require.NoError(t, json.Unmarshal(line, &r))
		all = append(all, r)
	}
	return all
}

// TestShips: a good release gets out, a bad one after it comes back and leaves the orders
// as they are, and once more does nothing.
func TestShips(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	out := ship(t, 0, "-state", state)
	require.Contains(t, out, "shop v2: succeeded after")
	require.Equal(t, []string{"v1", "v2"}, served(t, out, ""))
	stored(t, state, "total_cents")
	page, err := os.ReadFile(filepath.Join(state, "timeline.html"))
	require.NoError(t, err)
	require.Contains(t, out, filepath.Join(state, "timeline.html"))
	require.Contains(t, string(page), "<svg")

	out = ship(t, 1, "-state", state, "-fail", "canary")
	require.Equal(t, []string{"v2", "v2-fails-canary"}, served(t, out, "v2-fails-canary"))
	stored(t, state, "total_cents")
	measured(t, state, out)

	before := records(t, state)
	built, err := os.Stat(filepath.Join(state, "programs", "v2.json"))
	require.NoError(t, err)
	out = ship(t, 0, "-state", state)
	require.Contains(t, out, "The journal has shop v2: it is succeeded.")
	require.Equal(t, []string{"v2"}, served(t, out, ""))
	require.Equal(t, before, records(t, state))
	again, err := os.Stat(filepath.Join(state, "programs", "v2.json"))
	require.NoError(t, err)
	require.Equal(t, built.ModTime(), again.ModTime())
	stored(t, state, "total_cents")
	measured(t, state, out)

	out = ship(t, 1, "-state", state, "-fail", "canary") // that one is over, too
	require.Contains(t, out, "it is rolled back.")
	require.Equal(t, before, records(t, state))

	// As if it had died when the canary was over, and the run had not said so yet.
	path := filepath.Join(state, "journal", "journal.jsonl")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range bytes.Lines(text) {
		if bytes.Contains(line, []byte(`"rollout":"shop v2"`)) && bytes.Contains(line, []byte(`"kind":"done"`)) && bytes.Contains(line, []byte(`"stage":"canary"`)) {
			text, _, _ = bytes.Cut(text, line)
			break
		}
	}
	require.NoError(t, os.WriteFile(path, text, 0o600))
	out = ship(t, 0, "-state", state)
	require.Contains(t, out, "The journal has shop v2: it is forward.")
	require.Equal(t, []string{"v2"}, served(t, out, ""))
}

// measured wants the delivery metrics to be what a person computes from the journal of
// two deployments, of which the second failed.
func measured(t *testing.T, state, out string) {
	t.Helper()
	var committed, exposed, turned time.Time
	var ends []time.Time
	var lead, recovery, detected time.Duration
	for _, r := range records(t, state) {
		switch {
		case r.Pipeline != "":
		case r.Kind == "requested":
			committed, exposed, turned = r.Request.Release.Committed, time.Time{}, time.Time{}
		case r.Kind == "begun" && strings.HasPrefix(r.Reason, "shift from 0 %"):
			exposed = r.At
		case turned.IsZero() && strings.HasPrefix(r.To, "back"):
			turned = r.At
		case r.Kind == "finished" && r.To == "rolled back":
			ends, recovery, detected = append(ends, r.At), r.At.Sub(exposed), r.At.Sub(turned)
		case r.Kind == "finished" && r.To == "succeeded":
			ends, lead = append(ends, r.At), r.At.Sub(committed)
		}
	}
	require.Len(t, ends, 2)
	for name, want := range map[string]string{
		"deployments":          "2",
		"deployment frequency": "2.00 a day",
		"between deployments":  once(ends[1].Sub(ends[0])),
		"change lead time":     once(lead),
		"change failure rate":  "50 % (1 of 2; 95 % interval ",
		"recovery time":        once(recovery),
		"  from detection":     once(detected),
	} {
		require.Contains(t, out, fmt.Sprintf("\n  %-23s %s", name, want))
	}
}

// once is a time that there is one of.
func once(d time.Duration) string {
	d = d.Round(10 * time.Millisecond)
	if d >= 10*time.Second {
		d = d.Round(time.Second)
	}
	return fmt.Sprintf("median %v, p90 %v, mean %v of 1\n", d, d, d)
}

// TestFails makes each stage fail: how the run ends, what it takes back, what the users
// got, and what the orders look like.
func TestFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		stage, ends, why string
		undone           string
		code             int
		served           []string
		columns          []string
	}{
		{"build", "failed", "undefined: totalCent", "", 1, []string{"v1"}, []string{"total"}},
		{"verify", "failed", `$.total: want "12.50", got "12"`, "", 1, []string{"v1"}, []string{"total"}},
		{"expand", "rolled back", "its time is over", "expand", 1, []string{"v1"}, []string{"total"}},
		{"migrate", "rolled back", `found "1250 EUR"`, "expand", 1, []string{"v1"}, []string{"total"}},
		{"canary", "rolled back", "candidate fails", "expand", 1, []string{"v1", "v2-fails-canary"}, []string{"total"}},
		{"contract", "succeeded", "every stage was done", "", 0, []string{"v1", "v2-fails-contract"}, []string{"total_cents"}},
	} {
		t.Run(test.stage, func(t *testing.T) {
			t.Parallel()
			state := t.TempDir()
			out := ship(t, test.code, "-state", state, "-fail", test.stage)
			require.Regexp(t, `shop v2-fails-`+test.stage+`: `+test.ends+` after .*`+regexp.QuoteMeta(test.why), out)
			wrong := ""
			if test.stage == "canary" {
				wrong = "v2-fails-canary"
			}
			require.Equal(t, test.served, served(t, out, wrong))
			stored(t, state, test.columns...)
			undone := ""
			for _, r := range records(t, state) {
				if r.To == "undone" {
					undone += r.Stage
				}
			}
			require.Equal(t, test.undone, undone)
			if test.code != 0 {
				require.Regexp(t, "(?m)^  taken back: (nothing, .*|"+test.undone+")$", out)
			}
			if test.stage == "contract" {
				require.Contains(t, out, "It is frozen, and asks: contract failed: the nightly report reads orders.total (there is no way back: orders.total is dropped).")
				require.Contains(t, out, "ann: continue: the nightly report is over")
			}
		})
	}
}

// TestTampered: a program that was changed after it was built is not started.
func TestTampered(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	require.Zero(t, killed(t, []string{"begins to run migrate"}, "-state", state))
	require.NoError(t, os.WriteFile(filepath.Join(state, "programs", "v2.json"), []byte(`{"version": "v2", "column": "total_cents", "bug": "steals"}`), 0o600))
	out := ship(t, 1, "-state", state)
	require.Contains(t, out, "canary failed: ")
	require.Contains(t, out, "artifact has changed")
	require.Equal(t, []string{"v1"}, served(t, out, ""))
	stored(t, state, "total")
}

// TestKill kills the program in the middle of one stage after another. The last one ends
// as one that nobody killed, and what was done was not done again.
func TestKill(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fail    string
		at      []string
		ends    string
		code    int
		columns []string
	}{
		{"", []string{
			"begins to run build", "begins to run expand", "begins to run migrate", "shift from 0 % to 10 %", "shift from 10 % to 50 %",
			"shift from 50 % to 100 %", "every step was taken", "begins to run contract",
		}, "succeeded", 0, []string{"total_cents"}},
		{"expand", []string{"begins to run expand", "begins to undo expand"}, "rolled back", 1, []string{"total"}},
		{"canary", []string{"judge errors looked, fail", "begins to undo expand"}, "rolled back", 1, []string{"total"}},
		{"contract", []string{"begins to run contract", "It is frozen", "ann: continue"}, "succeeded", 0, []string{"total_cents"}},
	} {
		t.Run("fail "+test.fail, func(t *testing.T) {
			t.Parallel()
			state := t.TempDir()
			args := []string{"-state", state}
			if test.fail != "" {
				args = append(args, "-fail", test.fail)
			}
			kills := 0
			for next := test.at; len(next) > 0; kills++ {
				found := killed(t, next, args...)
				if found < 0 {
					break
				}
				next = next[found+1:] // it may have come further before it was dead
			}
			t.Logf("killed %d times", kills)
			require.Positive(t, kills)
			out := ship(t, test.code, args...)
			require.Contains(t, out, ": "+test.ends+" after ")
			served(t, out, "")
			stored(t, state, test.columns...)
			done := map[string]bool{}
			for _, r := range records(t, state) {
				if r.Stage == "" {
					continue
				}
				require.False(t, done[r.Stage] && r.To == "running", "%s is done: %+v", r.Stage, r)
				done[r.Stage] = done[r.Stage] || r.To == "done"
			}
		})
	}
}
