package verify

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// HeaderIs wants a header with a value: any one of them, if it was sent several
// times. Values are compared byte by byte; a list in one value, such as "a, b", is
// one value.
type HeaderIs struct {
	Name  string // in upper or lower case; required
	Value string // all of it; may be empty
}

// String is `header Content-Type is "text/html"`.
func (h HeaderIs) String() string {
	return headerPath(h.Name) + " is " + strconv.Quote(h.Value)
}

func (h HeaderIs) compile(c *compiler, path string) check {
	c.headerName(path, h.Name)
	want := strconv.Quote(h.Value)
	if isCredential(h.Name) {
		want = hidden
	}
	return headerCheck(h.Name, want, func(v string) bool { return v == h.Value })
}

// HeaderMatches wants a header with a value that matches a regular expression: any
// one of them, if it was sent several times.
type HeaderMatches struct {
	Name    string // in upper or lower case; required
	Pattern string // required
}

// String is `header Content-Type matches "^text/"`.
func (h HeaderMatches) String() string {
	return headerPath(h.Name) + " matches " + strconv.Quote(h.Pattern)
}

func (h HeaderMatches) compile(c *compiler, path string) check {
	c.headerName(path, h.Name)
	re := c.pattern(jsontree.Join(path, "Pattern"), h.Pattern)
	return headerCheck(h.Name, "a match of "+strconv.Quote(h.Pattern), func(v string) bool { return re.MatchString(v) })
}

// HeaderAbsent wants no header of that name, not even an empty one.
type HeaderAbsent struct {
	Name string // in upper or lower case; required
}

// String is "header X-Debug is absent".
func (h HeaderAbsent) String() string { return headerPath(h.Name) + " is absent" }

func (h HeaderAbsent) compile(c *compiler, path string) check {
	c.headerName(path, h.Name)
	return check{look: func(e *exchanged, d *differences) {
		if values := e.Header.Values(h.Name); len(values) > 0 {
			d.add(KindUnexpected, headerPath(h.Name), "nothing", d.quotedList(h.Name, values))
		}
	}}
}

func (c *compiler) headerName(path, name string) {
	switch {
	case !token(name):
		c.add(jsontree.Join(path, "Name"), "%q is not the name of a header", name)
	case ofTheConnection(name):
		c.add(jsontree.Join(path, "Name"), "%s is of the connection, and in no answer as it can be seen here", http.CanonicalHeaderKey(name))
	}
}

// ofTheConnection says whether a header is taken out of an answer, and put into a
// request, by what carries them.
func ofTheConnection(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Transfer-Encoding", "Trailer":
		return true
	}
	return false
}

func headerPath(name string) string { return "header " + http.CanonicalHeaderKey(name) }

func headerCheck(name, want string, fits func(string) bool) check {
	return check{look: func(e *exchanged, d *differences) {
		switch values := e.Header.Values(name); {
		case len(values) == 0:
			d.add(KindMissing, headerPath(name), want, "nothing")
		case !slices.ContainsFunc(values, fits):
			d.add(KindValue, headerPath(name), want, d.quotedList(name, values))
		}
	}}
}

// quotedList is `"a", "b"`, the values of a header.
func (d *differences) quotedList(name string, values []string) string {
	if isCredential(name) {
		return hidden
	}
	const most = mostBytes / len(`"", `) // which fill a line
	values = values[:min(len(values), most)]
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = strconv.Quote(d.cut(v))
	}
	return strings.Join(quoted, ", ")
}
