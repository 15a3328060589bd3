package rollout

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

const htmlStyle = `body{font-family:sans-serif;margin:2em;color:#222}
table{border-collapse:collapse;margin-top:1em}
th,td{text-align:left;vertical-align:top;padding:.3em .8em;border-bottom:1px solid #ddd}
pre{background:#f6f6f6;padding:.6em;max-width:60em;overflow:auto}
svg{max-width:100%;height:auto}`

// WriteHTML writes the run as a page of its own: the timeline of [Report.WriteSVG], and
// what each stage took, said, set and wrote. Nothing is loaded from anywhere. The same
// report gives the same bytes.
func (r Report) WriteHTML(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s</title>\n<style>%s</style></head><body>\n", escaped(r.ID+": "+r.State), htmlStyle)
	fmt.Fprintf(&b, "<h1>%s: %s</h1>\n", escaped(r.ID), escaped(r.State))
	fmt.Fprintf(&b, "<p>%s of %s, begun %s", escaped(r.Pipeline), escaped(r.Release.String()), r.Started.Format(time.DateTime))
	if !r.Ended.IsZero() {
		fmt.Fprintf(&b, ", over after %v", r.Ended.Sub(r.Started).Round(time.Millisecond))
	}
	b.WriteString("</p>\n")
	for _, why := range []string{r.Reason, r.Problem} {
		if why != "" {
			fmt.Fprintf(&b, "<p>%s</p>\n", escaped(why))
		}
	}
	b.WriteString(r.svg())
	b.WriteString("<table><tr><th>stage</th><th>needs</th><th>status</th><th>begun</th><th>took</th><th>why</th></tr>\n")
	for _, s := range r.Stages {
		fmt.Fprintf(&b, "<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s%s</td></tr>\n", escaped(s.Name), escaped(strings.Join(s.Needs, ", ")), escaped(s.label()), clock(s.Begun), took(s.Begun, s.Ended), escaped(s.Reason), s.StageResult.html())
		if u := s.Undo; u != nil {
			fmt.Fprintf(&b, "<tr><td>%s, back</td><td></td><td>attempt %d</td><td>%s</td><td>%s</td><td>%s%s</td></tr>\n", escaped(s.Name), u.Attempts, clock(u.Begun), took(u.Begun, u.Ended), escaped(u.Reason), u.StageResult.html())
		}
	}
	b.WriteString("</table>\n</body></html>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// html is what an attempt has set and written.
func (s StageResult) html() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.Outputs)) {
		fmt.Fprintf(&b, "<div>%s = <code>%s</code></div>", escaped(name), escaped(string(s.Outputs[name])))
	}
	if s.Output != "" {
		dropped := ""
		if s.Dropped > 0 {
			dropped = fmt.Sprintf(", without %d bytes before it", s.Dropped)
		}
		fmt.Fprintf(&b, "<details><summary>output%s</summary><pre>%s</pre></details>", dropped, escaped(s.Output))
	}
	return b.String()
}

func clock(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format(time.TimeOnly)
}

func took(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	return to.Sub(from).Round(time.Millisecond).String()
}
