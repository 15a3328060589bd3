package rollout

import (
	"fmt"
	"html"
	"io"
	"strings"
	"time"
)

// Where things are in a timeline, in pixels.
const (
	svgWidth = 1000
	svgNames = 220 // the names are left of this
	svgTop   = 66  // the stages are below this
	svgRow   = 24
	svgRight = 150 // the words right of a bar fit into this
)

// colours are of bars, by status. What they say stands beside each bar, too.
var colours = map[StageStatus]string{
	StagePending: "#d0d0d0", StageRunning: "#3b82c4", StageResting: "#d9a441", StageDone: "#4a9a5b", StageFailed: "#c0392b",
	StageSkipped: "#d0d0d0", StageUndoing: "#8e6bb0", StageStuck: "#c0392b", StageUndone: "#8e6bb0",
}

const cutColour = "#d9a441"

// colour is of the stage's bar before its way back.
func (s StageReport) colour() string {
	if s.innocent() {
		return cutColour
	}
	return colours[s.forward()]
}

// WriteSVG writes the run as a timeline that can be looked at: a self-contained SVG with
// a bar for each stage, and one for its way back. The same report gives the same bytes.
func (r Report) WriteSVG(w io.Writer) error {
	_, err := io.WriteString(w, r.svg())
	return err
}

func (r Report) svg() string {
	var b strings.Builder
	height := svgTop + svgRow*len(r.Stages) + 10
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="sans-serif" font-size="12" role="img">`+"\n", svgWidth, height)
	title := fmt.Sprintf("%s of %v: %s", r.Pipeline, r.Release, r.State)
	fmt.Fprintf(&b, "<title>%s</title>\n", escaped(r.ID+", "+title))
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", svgWidth, height)
	fmt.Fprintf(&b, `<text x="8" y="18" font-size="14" font-weight="bold">%s</text>`+"\n", escaped(shortened(r.ID+", "+title, 110)))
	fmt.Fprintf(&b, `<text x="8" y="36" fill="#555">%s</text>`+"\n", escaped(shortened(r.Reason, 150)))
	scale := r.scale()
	for i := range scale.span/scale.step() + 1 {
		after := i * scale.step()
		x := scale.x(r.Started.Add(after))
		fmt.Fprintf(&b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#e4e4e4"/>`, x, svgTop-8, x, height-8)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" fill="#777" text-anchor="middle">%s</text>`+"\n", x, svgTop-12, after)
	}
	for i, s := range r.Stages {
		y := svgTop + svgRow*i
		fmt.Fprintf(&b, `<g><title>%s</title>`, escaped(s.Name+": "+s.words()))
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, svgNames-10, y+15, escaped(shortened(s.Name, 30)))
		end := scale.bar(&b, s.Begun, s.Ended, s.colour(), y)
		if u := s.Undo; u != nil {
			end = scale.bar(&b, u.Begun, u.Ended, colours[s.Status], y)
		}
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" fill="#555">%s</text></g>`+"\n", end+6, y+15, escaped(s.label()))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// forward is where a stage stood before its way back.
func (s StageReport) forward() StageStatus {
	switch s.Status {
	case StageUndoing, StageStuck, StageUndone:
		if s.Cut {
			return StageFailed
		}
		return StageDone
	}
	return s.Status
}

// label is the status, and how often it was tried.
func (s StageReport) label() string {
	if s.Attempts > 1 {
		return fmt.Sprintf("%s, attempt %d", s.stands(), s.Attempts)
	}
	return s.stands()
}

// timescale is from times to pixels.
type timescale struct {
	from time.Time
	span time.Duration
}

// scale is from the beginning of the run to its end, or to its newest record.
func (r Report) scale() timescale {
	end := r.At
	for _, s := range r.Stages { // the clock may have been put back
		for _, at := range []time.Time{s.Begun, s.Ended} {
			if at.After(end) {
				end = at
			}
		}
	}
	return timescale{r.Started, max(end.Sub(r.Started), time.Millisecond)}
}

// step is between two lines: a round time, of which the whole has at most eight.
func (t timescale) step() time.Duration {
	const s, m, h = time.Second, time.Minute, time.Hour
	for _, step := range []time.Duration{s / 1000, s / 500, s / 200, s / 100, s / 50, s / 20, s / 10, s / 5, s / 2, s, 2 * s, 5 * s, 10 * s, 30 * s, m, 2 * m, 5 * m, 10 * m, 30 * m, h, 2 * h, 6 * h, 12 * h} {
		if t.span <= 8*step {
			return step
		}
	}
	return (t.span/8/(24*h) + 1) * 24 * h
}

func (t timescale) x(at time.Time) float64 {
	share := float64(at.Sub(t.from)) / float64(t.span)
	return svgNames + min(max(share, 0), 1)*(svgWidth-svgNames-svgRight)
}

// bar writes a bar, up to the end if it has none yet, and says where it ends.
func (t timescale) bar(b *strings.Builder, from, to time.Time, colour string, y int) float64 {
	if from.IsZero() {
		return svgNames
	}
	if to.IsZero() {
		to = t.from.Add(t.span)
	}
	left, right := t.x(from), t.x(to)
	wide := max(right-left, 2)
	fmt.Fprintf(b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" rx="2" fill="%s"/>`, left, y+3, wide, svgRow-8, colour)
	return left + wide
}

// escaped is text for XML and HTML.
func escaped(text string) string {
	return html.EscapeString(visible(text))
}

// shortened is the beginning of a text, on one line.
func shortened(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-3]) + "..."
	}
	return text
}
