package verify_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type tapLine struct {
	ok                bool
	name, what, why   string
	diagnostics       map[string][]string
	hasDiagnosticsEnd bool
}

var (
	tapTest = regexp.MustCompile(`^(ok|not ok) ([0-9]+) - ((?:[^#\\]|\\[#\\])*?)(?: # (SKIP|TODO)(?: ((?:[^#\\]|\\[#\\])*))?)?$`)
	tapKey  = regexp.MustCompile(`^  ([a-z_]+):(?: (.+))?$`)
)

// readTAP reads what WriteTAP may write, and nothing else.
func readTAP(text string) (list []tapLine, err error) {
	if !strings.HasSuffix(text, "\n") {
		return nil, fmt.Errorf("no line break at the end")
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	plan := 0
	if len(lines) < 2 || lines[0] != "TAP version 14" {
		return nil, fmt.Errorf("no version")
	}
	if _, err := fmt.Sscanf(lines[1], "1..%d", &plan); err != nil || lines[1] != fmt.Sprintf("1..%d", plan) {
		return nil, fmt.Errorf("no plan: %q", lines[1])
	}
	inside, key := false, ""
	for _, line := range lines[2:] {
		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x202e }) {
			return nil, fmt.Errorf("control character: %q", line)
		}
		if !inside && line == "  ---" && len(list) > 0 && list[len(list)-1].diagnostics == nil {
			inside = true
			list[len(list)-1].diagnostics = map[string][]string{}
			continue
		}
		if inside {
			last := &list[len(list)-1]
			if line == "  ..." {
				inside, last.hasDiagnosticsEnd = false, true
				continue
			}
			scalar := ""
			if item, ok := strings.CutPrefix(line, "    - "); ok {
				scalar = item
			} else if m := tapKey.FindStringSubmatch(line); m != nil {
				if key, scalar = m[1], m[2]; scalar == "" {
					continue
				}
			} else {
				return nil, fmt.Errorf("diagnostics: %q", line)
			}
			var v any
			if err := json.Unmarshal([]byte(scalar), &v); err != nil {
				return nil, fmt.Errorf("%q: %w", line, err)
			}
			last.diagnostics[key] = append(last.diagnostics[key], fmt.Sprint(v))
			continue
		}
		m := tapTest.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("not a line of a test: %q", line)
		}
		if m[2] != fmt.Sprint(len(list)+1) {
			return nil, fmt.Errorf("out of order: %q", line)
		}
		plain := strings.NewReplacer(`\#`, "#", `\\`, `\`)
		list = append(list, tapLine{ok: m[1] == "ok", name: plain.Replace(m[3]), what: m[4], why: plain.Replace(m[5])})
	}
	if inside || len(list) != plan {
		return nil, fmt.Errorf("ends early: %d of %d", len(list), plan)
	}
	return list, nil
}

func TestTAPIsReadBack(t *testing.T) {
	for name, report := range reports {
		text := forms["tap"](t, report)
		list, err := readTAP(text)
		require.NoError(t, err, "%s:\n%s", name, text)
		passed := len(list) > 0
		for i, line := range list {
			passed = passed && (line.ok || line.what != "")
			if i >= len(report.Results) {
				continue
			}
			r := report.Results[i]
			require.Equal(t, r.State == 0, line.what == "SKIP", "%s: %+v", name, line)
			require.Equal(t, r.State == 1 && r.Optional, line.what == "TODO", "%s: %+v", name, line)
			require.Equal(t, r.State != 0, line.hasDiagnosticsEnd, "%s: %+v", name, line)
			if r.State == 1 {
				want := []string{}
				for _, m := range r.Mismatches {
					want = append(want, m.String())
				}
				if r.Omitted > 0 {
					want = append(want, fmt.Sprintf("and %d more", r.Omitted))
				}
				if !strings.HasPrefix(name, "hostile") {
					require.Equal(t, want, line.diagnostics["mismatches"])
				}
			}
		}
		require.Equal(t, report.Healthy(), passed, "%s:\n%s", name, text)
	}
}
