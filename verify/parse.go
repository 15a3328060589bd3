package verify

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Parse reads a suite from JSON, strictly: an unknown field, a duplicate key or a
// wrong kind is a problem, and so is all that Probe would not run with. The error is
// an [*Error] with ErrInvalid: the Problems of its report are all there are, each with
// its place.
//
// Fields have the names of [Suite], [SmokeTest] and the expectations, in small letters
// with "_" between words: "expected_status", {"json_path": {"path": "$.id"}}. A duration
// is written "1m30s", a status 404, "2xx", "500-503" or as a list of these; "json" is a
// Body of JSON with its Content-Type. schema.json beside this file has them all, also for
// editors.
//
// What a file cannot hold is set afterwards: Handler or, if the file leaves it out,
// URL; TLS; the functions of Custom; and each of the Secrets, which the file only
// names.
func Parse(data []byte) (*Suite, error) {
	var file suiteFile
	var problems jsontree.Problems
	errors.As(jsontree.Unmarshal(data, &file), &problems)
	root, _ := jsontree.Parse(data)
	if root == nil {
		return nil, malformed("", problems)
	}
	suite := file.suite()
	places := jsontree.NewFinder(root)
	known := causesOf(problems, places)
	for _, p := range suite.problems(known) {
		there := places.Find(p.Path) != nil
		if test, body := strings.CutSuffix(p.Path, ".body"); body && !there {
			p.Path = jsontree.Join(test, "json")
		}
		if p.Pos = places.Nearest(p.Path).Pos(); !known.explain(p.Path, there) {
			problems = append(problems, p)
		}
	}
	if len(problems) > 0 {
		return nil, malformed(file.Name, problems)
	}
	return suite, nil
}

func malformed(name string, problems jsontree.Problems) error {
	slices.SortStableFunc(problems, func(a, b jsontree.Problem) int { return cmp.Compare(a.Pos.Offset, b.Pos.Offset) })
	report := Report{Suite: name}
	for _, p := range problems {
		report.Problems = append(report.Problems, shortened(p.Error()))
	}
	return &Error{Report: report, Err: ErrInvalid}
}

// shortened leaves out the middle of a long text, and fits it for a line of a report.
func shortened(text string) string {
	const head, tail = 300, 200
	if len(text) > head+tail {
		text = strings.ToValidUTF8(text[:head], "") + " ... " + strings.ToValidUTF8(text[len(text)-tail:], "")
	}
	return printable(text, 2*(head+tail))
}

// problems are those that compiling finds, under their paths in a file. What the
// reader of the file may still set is taken to be right.
func (s *Suite) problems(known causes) jsontree.Problems {
	c := &compiler{file: true}
	c.lostNames, c.lostCaptures = known.lose(s)
	complete := *s
	if s.URL == "" {
		complete.URL = "https://localhost"
	}
	complete.Secrets = map[string]Secret{}
	for name := range s.Secrets {
		if isName(name) { // otherwise that is known
			complete.Secrets[name] = "given later"
		}
	}
	c.compile(&complete)
	for i := range c.problems {
		c.problems[i].Path = s.place(c.problems[i].Path)
	}
	return c.problems
}

// causes are the places of what could not be read, and of what these are in and beside.
type causes struct{ at, above, beside map[string]bool }

func causesOf(problems jsontree.Problems, places *jsontree.Finder) causes {
	c := causes{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, p := range problems {
		c.at[p.Path] = true
		ways := ways(p.Path)
		for _, way := range ways {
			c.above[way] = true
		}
		beside := ways[max(len(ways)-2, 0)]
		c.beside[beside] = true
		if hint, ok := strings.CutPrefix(p.Text, "unknown field, did you mean "); ok {
			name, _ := strconv.Unquote(strings.TrimSuffix(hint, "?"))
			if meant := jsontree.Join(beside, name); places.Find(meant) == nil {
				c.at[meant] = true
			}
		}
	}
	return c
}

// lost says whether what stands at a path, or around it, could not be read.
func (c causes) lost(path string) bool {
	return slices.ContainsFunc(ways(path), func(way string) bool { return c.at[way] })
}

// lose says whether names of tests, or of what they capture, could not be read, so that
// nobody knows which there are.
func (c causes) lose(s *Suite) (names, captures bool) {
	if len(c.at) == 0 {
		return false, false
	}
	captures = c.above["secrets"]
	for stage, tests := range map[string][]SmokeTest{"setup": s.Setup, "tests": s.Tests, "cleanup": s.Cleanup} {
		names, captures = names || c.lost(stage), captures || c.lost(stage)
		for i := range tests {
			test := jsontree.Index(stage, i)
			captures = captures || c.lost(test+".capture")
			names = names || tests[i].Name == "" && (c.lost(test+".name") || c.lost(test+".method") || c.lost(test+".endpoint"))
		}
	}
	return names, captures
}

// explain says whether a problem may only be there because something could not be
// read: the value itself, something in it or around it, or what it depends on.
func (c causes) explain(path string, there bool) bool {
	ways := ways(path)
	const test = 2 // "", tests, tests[0]
	beside := ways[max(len(ways)-2, 0)]
	switch {
	case c.lost(path), len(ways) > test+1 && c.above[path]:
		return true
	case len(ways) == test+2:
		return strings.HasSuffix(path, ".body") && c.above[beside+".header"] // which says what it is
	case strings.HasSuffix(path, ".within"):
		return c.lost(ways[test] + ".timeout")
	case !there, strings.HasSuffix(path, ".attempts"), strings.HasSuffix(path, ".nodes"):
		return c.beside[beside]
	}
	return false
}

// ways are the path's beginnings, from the whole document to all of it.
func ways(path string) []string {
	ways := []string{""}
	for key, index := range jsontree.Steps(path) {
		last := ways[len(ways)-1]
		if index < 0 {
			last = jsontree.Join(last, key)
		} else {
			last = jsontree.Index(last, index)
		}
		ways = append(ways, last)
	}
	return ways
}

// place is a path as messages have it, in a file if the suite stands in one.
func (c *compiler) place(path string) string {
	if c.file {
		return (&Suite{}).place(path)
	}
	return path
}

// place is the path in a file of what stands in a suite under a path of Go's names.
func (s *Suite) place(path string) string {
	var place, list string
	var tests []SmokeTest
	var test SmokeTest
	names := false // whether the next key is a name that was given
	for key, index := range jsontree.Steps(path) {
		switch {
		case index >= 0:
			place = jsontree.Index(place, index)
			if list == "Expect" {
				if test.Expect[index] == nil {
					return place // it could not be read
				}
				under, object := fileKey(test.Expect[index])
				if place = jsontree.Join(place, under); !object {
					return place
				}
			} else if index < len(tests) {
				test = tests[index]
			}
			continue
		case names:
			place, names = jsontree.Join(place, key), false
			continue
		}
		switch key {
		case "Setup":
			tests = s.Setup
		case "Tests":
			tests = s.Tests
		case "Cleanup":
			tests = s.Cleanup
		}
		place, list = jsontree.Join(place, inWords(key)), key
		names = key == "Header" || key == "Capture" || key == "Arrays"
	}
	return place
}
