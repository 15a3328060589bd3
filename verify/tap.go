package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteTAP writes the report as TAP, version 14 (testanything.org): one line for
// each test, with diagnostics in YAML. A test that was skipped has the directive
// SKIP, one that is optional and failed TODO, and neither fails the run: so the
// verdict of a harness is that of [Report.Healthy]. A report that is not healthy
// although nothing in it failed gets a line that says so. The error is the writer's.
func (r Report) WriteTAP(w io.Writer) error {
	why := r.unsaid()
	n := len(r.Results)
	if len(why) > 0 {
		n++
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "TAP version 14\n1..%d\n", n)
	for i, result := range r.Results {
		result.tap(&b, i+1)
	}
	if len(why) > 0 {
		fmt.Fprintf(&b, "not ok %d - %s\n", n, tapText(visible(r.Suite, r.Target, "suite")))
		yaml(&b, []entry{{"message", "not healthy"}, {"problems", why}})
	}
	_, err := w.Write(b.Bytes())
	return err
}

// entry is a line of YAML.
type entry struct {
	key   string
	value any
}

func (r Result) tap(b *bytes.Buffer, n int) {
	ok, directive := "ok", ""
	switch {
	case r.State == Skipped:
		directive = " # SKIP " + tapText(printable(r.Reason, mostPath))
	case r.State != Passed && r.Optional:
		ok, directive = "not ok", " # TODO optional"
	case r.State != Passed:
		ok = "not ok"
	}
	name := visible(r.Name)
	if r.Stage != StageTests {
		name = r.Stage.String() + ": " + name
	}
	fmt.Fprintf(b, "%s %d - %s%s\n", ok, n, tapText(name), strings.TrimRight(directive, " "))
	if r.State == Skipped {
		return
	}
	entries := []entry{{"duration_ms", json.Number(fmt.Sprintf("%.3f", r.ResponseTime.Seconds()*1000))}}
	if r.State != Passed {
		severity := "fail"
		if r.unanswered() {
			severity = "error"
		}
		entries = append(entries, entry{"severity", severity}, entry{"mismatches", r.wrong()})
	}
	if len(r.details()) > 0 {
		entries = append(entries, entry{"details", r.details()})
	}
	yaml(b, entries)
}

// yaml writes a block of diagnostics. JSON on one line is YAML as long as all that
// is in it can be printed.
func yaml(b *bytes.Buffer, entries []entry) {
	b.WriteString("  ---\n")
	for _, e := range entries {
		list, isList := e.value.([]string)
		if !isList {
			fmt.Fprintf(b, "  %s: %s\n", e.key, yamlScalar(e.value))
			continue
		}
		fmt.Fprintf(b, "  %s:\n", e.key)
		for _, v := range list {
			fmt.Fprintf(b, "    - %s\n", yamlScalar(v))
		}
	}
	b.WriteString("  ...\n")
}

func yamlScalar(v any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // a string or a number
	return strings.TrimSuffix(b.String(), "\n")
}

// tapText is a text on a line of TAP, where a '#' would begin a directive.
func tapText(s string) string {
	return strings.NewReplacer(`\`, `\\`, "#", `\#`).Replace(s)
}
