package verify

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// junit is the format as CI servers read it; none of them writes down more of it
// than the others.
type junit struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Time     string   `xml:"time,attr"`
	Suites   []junitSuite
}

type junitSuite struct {
	XMLName   xml.Name    `xml:"testsuite"`
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Time      string      `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr,omitempty"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Skipped *junitMessage `xml:"skipped"`
	Error   *junitMessage `xml:"error"`
	Failure *junitMessage `xml:"failure"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr,omitempty"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the report as JUnit XML, one testsuite for each [Stage] that has
// tests. What did not match is a failure; no answer, a timeout or a panic is an
// error. A test that is optional and failed is skipped, with all that was wrong in
// its output: so a CI server's verdict is that of [Report.Healthy]. A report that is
// not healthy although nothing in it failed gets an error that says why. The error
// is the writer's.
func (r Report) WriteJUnit(w io.Writer) error {
	name := visible(r.Suite, r.Target, "suite")
	out := junit{Name: name, Time: seconds(r.Took)}
	var start string
	if !r.Start.IsZero() {
		start = r.Start.UTC().Format("2006-01-02T15:04:05")
	}
	for _, stage := range []Stage{StageSetup, StageTests, StageCleanup} {
		s := junitSuite{Name: name, Timestamp: start}
		if stage != StageTests {
			s.Name += " (" + strings.ToLower(stage.String()) + ")"
		}
		took := time.Duration(0)
		for _, result := range r.Results {
			if result.Stage == stage {
				took += result.ResponseTime
				s.add(result.junit(s.Name))
			}
		}
		if why := r.unsaid(); stage == StageTests && len(why) > 0 {
			text := "not healthy: " + printable(strings.Join(why, "; "), mostPath)
			s.add(junitCase{Name: "suite", Class: s.Name, Time: seconds(0), Error: &junitMessage{text, "suite", strings.Join(why, "\n")}})
		}
		if s.Tests > 0 {
			s.Time = seconds(took)
			out.add(s)
		}
	}
	data, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return fmt.Errorf("verify: JUnit: %w", err) // never: all of it can be written
	}
	_, err = w.Write(append([]byte(xml.Header), append(data, '\n')...))
	return err
}

func (j *junit) add(s junitSuite) {
	j.Tests += s.Tests
	j.Failures += s.Failures
	j.Errors += s.Errors
	j.Skipped += s.Skipped
	j.Suites = append(j.Suites, s)
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

func (r Result) junit(class string) junitCase {
	c := junitCase{Name: visible(r.Name), Class: class, Time: seconds(r.ResponseTime)}
	text := strings.Join(append(r.wrong(), r.details()...), "\n")
	switch {
	case r.State == Skipped:
		c.Skipped = &junitMessage{Message: printable(r.Reason, mostPath)}
	case r.State == Failed && r.Optional:
		c.Skipped = &junitMessage{Message: "optional, and failed"}
		c.Out = text
	case r.State == Failed:
		m := &junitMessage{Text: text}
		if len(r.Mismatches) > 0 {
			first := r.Mismatches[0]
			m.Message, m.Type = first.String(), string(first.Kind)
		}
		if r.unanswered() {
			c.Error = m
		} else {
			c.Failure = m
		}
	default:
		c.Out = strings.Join(r.details(), "\n")
	}
	return c
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.6f", d.Seconds()) }
