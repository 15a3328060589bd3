package verify

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Parse reads a suite from JSON, strictly: an unknown field, a duplicate key or a
// wrong kind is a problem, and so is all that Probe would not run with. The error is
// an [*Error] with ErrInvalid: the Problems of its report are all there are, each with
// its place. schema.json beside this file is for editors.
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
	places, known := jsontree.NewFinder(root), causesOf(problems)
	for _, p := range suite.problems(len(problems) > 0) {
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
func (s *Suite) problems(partial bool) jsontree.Problems {
	c := &compiler{file: true, partial: partial}
	complete := *s
	if s.URL == "" {
		complete.URL = "https://localhost"
	}
	complete.Secrets = map[string]Secret{}
	for name := range s.Secrets {
		complete.Secrets[name] = "given later"
	}
	c.compile(&complete)
	for i := range c.problems {
		c.problems[i].Path = s.place(c.problems[i].Path)
	}
	return c.problems
}

// causes are the places of what could not be read.
type causes struct{ at, above, beside map[string]bool }

func causesOf(problems jsontree.Problems) causes {
	c := causes{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, p := range problems {
		c.at[p.Path] = true
		ways := ways(p.Path)
		for _, way := range ways {
			c.above[way] = true
		}
		c.beside[ways[max(len(ways)-2, 0)]] = true
	}
	return c
}

// explain says whether a problem may only be there because something could not be
// read: the value itself, something in it or around it, or a field of the same object,
// unless that is a whole test in which this field is there.
func (c causes) explain(path string, there bool) bool {
	ways := ways(path)
	const inTest = 4 // "", tests, tests[0], tests[0].name
	return c.above[path] || slices.ContainsFunc(ways, func(way string) bool { return c.at[way] }) ||
		c.beside[ways[max(len(ways)-2, 0)]] && (!there || len(ways) > inTest)
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
