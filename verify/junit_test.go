package verify_test

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type xmlMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

type xmlSuites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Suites   []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Cases    []struct {
			Name    string      `xml:"name,attr"`
			Class   string      `xml:"classname,attr"`
			Time    float64     `xml:"time,attr"`
			Failure *xmlMessage `xml:"failure"`
			Error   *xmlMessage `xml:"error"`
			Skipped *xmlMessage `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

// TestJUnitIsReadBack counts again, and wants the verdict of a CI server to be the
// report's.
func TestJUnitIsReadBack(t *testing.T) {
	for name, report := range reports {
		text := forms["xml"](t, report)
		for _, r := range text {
			require.True(t, r == '\t' || r == '\n' || r >= ' ' && r != 0xfffe && r != 0xffff, "%s: %q", name, r)
		}
		var got xmlSuites
		decoder := xml.NewDecoder(strings.NewReader(text))
		decoder.Strict = true
		require.NoError(t, decoder.Decode(&got), name)
		tests, failures, errors, skipped := 0, 0, 0, 0
		for _, s := range got.Suites {
			before := [4]int{tests, failures, errors, skipped}
			for _, c := range s.Cases {
				tests++
				outcomes := 0
				for _, o := range []struct {
					message *xmlMessage
					count   *int
				}{{c.Failure, &failures}, {c.Error, &errors}, {c.Skipped, &skipped}} {
					if o.message != nil {
						*o.count++
						outcomes++
					}
				}
				require.LessOrEqual(t, outcomes, 1, c.Name)
				require.NotContains(t, c.Name, "\n")
				require.NotEmpty(t, c.Class+"x")
			}
			require.Equal(t, [4]int{s.Tests, s.Failures, s.Errors, s.Skipped},
				[4]int{tests - before[0], failures - before[1], errors - before[2], skipped - before[3]}, name)
		}
		require.Equal(t, [4]int{got.Tests, got.Failures, got.Errors, got.Skipped}, [4]int{tests, failures, errors, skipped}, name)
		require.Equal(t, report.Healthy(), failures+errors == 0, name)
	}
}
