package verify

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// place is where in a request a reference stands, which says how a value is
// written there.
type place uint8

const (
	inText   place = iota // as it is
	inPath                // escaped for a segment of a path, and never empty
	inQuery               // escaped for a query or a form
	inHeader              // as it is, without control characters
	inCookie              // nor what begins another cookie
	inJSON                // as JSON of its own kind
	inString              // as part of a JSON string
)

// part of a text with references: what stands before a reference, and the
// reference, if there is one.
type part struct {
	literal string
	name    string // "" at the end of the text
	place   place
}

// template is a text with references. A text without any is one part.
type template []part

// split finds the references in a text. A name is at most letters, digits, '_' and
// '-'; "$${" is "${" itself.
func (c *compiler) split(path, text string) template {
	var t template
	literal := ""
	for {
		before, after, found := strings.Cut(text, "${")
		if !found {
			return append(t, part{literal: literal + text})
		}
		if dollarless, escaped := strings.CutSuffix(before, "$"); escaped {
			literal, text = literal+dollarless+"${", after
			continue
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed || !isName(name) {
			c.add(path, `want "${", a name of letters, digits, '_' and '-', and "}", or "$${" for "${" itself, found "${%s"`, jsontree.Cut(c.hide.scrub(after)))
			return append(t, part{literal: literal + text})
		}
		t = append(t, part{literal: literal + before, name: name})
		literal, text = "", rest
	}
}

func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}

// template says for each reference of a text where it stands.
func (c *compiler) template(path, text string, at place) template {
	t := c.split(path, text)
	for i := range t {
		t[i].place = at
	}
	return t
}

func (c *compiler) endpoint(path, text string) template {
	t := c.template(path, text, inPath)
	query := false
	for i := range t {
		if query = query || strings.Contains(t[i].literal, "?"); query {
			t[i].place = inQuery
		}
	}
	return t
}

// body says how references in a body are written. What kind of text a body is must
// be plain if there are any, so that no value can break out of its place.
func (c *compiler) body(path, text, contentType string) template {
	t := c.split(path, text)
	mediaType, _, _ := strings.Cut(contentType, ";")
	mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	switch {
	case len(t) == 1:
	case mediaType == "application/x-www-form-urlencoded":
		for i := range t {
			t[i].place = inQuery
		}
	case mediaType == "" || strings.HasSuffix(mediaType, "json"):
		if !t.json() {
			c.add(path, "want JSON with ${...} as its values or in its strings, or a Content-Type that says what else it is, found neither")
		}
	case len(t) > 2 || strings.TrimSpace(t[0].literal+t[1].literal) != "": // otherwise it is nothing but a value
		t.json()
	}
	return t
}

// json says whether the text is JSON once its references are filled in, and marks
// those that stand in a string.
func (t template) json() bool {
	var probe strings.Builder
	places := make([]place, len(t))
	quoted, escaped := false, false // what a reference stands in, and behind
	for i, p := range t {
		for _, c := range []byte(p.literal) {
			switch {
			case escaped:
				escaped = false
			case quoted && c == '\\':
				escaped = true
			case c == '"':
				quoted = !quoted
			}
		}
		probe.WriteString(p.literal)
		switch {
		case p.name == "":
		case quoted:
			places[i] = inString
			probe.WriteByte('~') // which is part of no escape
		default:
			places[i] = inJSON
			probe.WriteString("null")
		}
	}
	if !json.Valid([]byte(probe.String())) {
		return false
	}
	for i := range t {
		t[i].place = places[i]
	}
	return true
}

// fill writes the text with its values. An error names the reference.
func (t template) fill(values map[string]capture) (string, error) {
	if len(t) == 1 {
		return t[0].literal, nil
	}
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.literal)
		if p.name == "" {
			continue
		}
		v, ok := values[p.name]
		if !ok {
			return "", fmt.Errorf("${%s}, which was not captured", p.name)
		}
		text, err := v.write(p.place)
		if err != nil {
			return "", fmt.Errorf("${%s}: %w", p.name, err)
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// write writes a value so that it stays one value where it stands.
func (v capture) write(at place) (string, error) {
	if at == inJSON && v.kind != jsontree.String {
		return v.text, nil
	}
	text, err := v.scalar()
	if err != nil {
		return "", err
	}
	switch at {
	case inPath:
		if text == "" {
			return "", errors.New("an empty text")
		}
		return url.PathEscape(text), nil
	case inQuery:
		return url.QueryEscape(text), nil
	case inHeader, inCookie:
		if strings.ContainsFunc(text, control) {
			return "", errors.New("a control character")
		}
		if at == inCookie && strings.ContainsAny(text, ";,") {
			return "", errors.New("a text with ; or , in it, which begin another cookie")
		}
	case inJSON, inString:
		if !utf8.ValidString(text) {
			return "", errors.New("invalid UTF-8")
		}
		quoted, err := json.Marshal(text)
		if at == inString {
			quoted = quoted[1 : len(quoted)-1]
		}
		return string(quoted), err
	}
	return text, nil
}

// filler is what a test sends before its references are filled in.
type filler struct {
	request            // of a test without any
	templates          // of one with some
	names     []string // all that it refers to, sorted, each once
}

type templates struct {
	base     string // the suite's URL
	endpoint template
	header   map[string][]template // those that have references
	body     template
}

// filler compiles what a test sends.
func (c *compiler) filler(path, base string, spec *SmokeTest) filler {
	f := filler{request: request{c.url(path, base, spec.Endpoint), canonical(spec.Header), spec.Body}}
	var in []string // the headers with references
	for name, values := range f.request.header {
		if slices.ContainsFunc(values, refers) {
			in = append(in, name)
		}
	}
	if len(in) == 0 && !refers(spec.Endpoint) && !refers(spec.Body) {
		return f // most tests
	}
	f.templates = templates{base: base, header: make(map[string][]template, len(in))}
	f.templates.endpoint = c.endpoint(jsontree.Join(path, "Endpoint"), spec.Endpoint)
	slices.Sort(in)
	for _, name := range in {
		at := inHeader
		if name == "Cookie" {
			at = inCookie
		}
		for _, v := range f.request.header[name] {
			t := c.template(jsontree.Join(jsontree.Join(path, "Header"), name), v, at)
			f.templates.header[name] = append(f.templates.header[name], t)
			f.refer(t)
		}
	}
	f.templates.body = c.body(jsontree.Join(path, "Body"), spec.Body, f.request.header.Get("Content-Type"))
	f.refer(f.endpoint)
	f.refer(f.templates.body)
	slices.Sort(f.names)
	f.names = slices.Compact(f.names)
	return f
}

func refers(text string) bool { return strings.Contains(text, "${") }

func (f *filler) refer(t template) {
	for _, p := range t {
		if p.name != "" {
			f.names = append(f.names, p.name)
		}
	}
}

// fill returns what is sent. What cannot be written where it is wanted is a
// difference.
func (f *filler) fill(values map[string]capture, d *differences) *request {
	endpoint, err := f.endpoint.fill(values)
	if err == nil && len(f.endpoint) > 1 && dots(endpoint) {
		err = errors.New(`a segment "." or "..", which leads elsewhere`)
	}
	if err != nil {
		d.add(KindCapture, "Endpoint", "a value for its place", err.Error())
	}
	r := &request{header: maps.Clone(f.request.header)}
	if r.url, err = url.Parse(f.base + endpoint); err != nil { // never, as it is escaped
		d.add(KindCapture, "Endpoint", "a path", err.Error())
	}
	for _, name := range sortedKeys(f.templates.header) {
		r.header[name] = nil
		for _, t := range f.templates.header[name] {
			v, err := t.fill(values)
			if err != nil {
				d.add(KindCapture, "header "+name, "a value for its place", err.Error())
			}
			r.header[name] = append(r.header[name], v)
		}
	}
	if r.body, err = f.templates.body.fill(values); err != nil {
		d.add(KindCapture, "Body", "a value for its place", err.Error())
	}
	return r
}

// dots says whether a path has segments that a server takes for steps.
func dots(endpoint string) bool {
	path, _, _ := strings.Cut(endpoint, "?")
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

func sortedKeys[V any](m map[string]V) []string {
	if len(m) == 0 {
		return nil // without what an iterator costs
	}
	return slices.Sorted(maps.Keys(m))
}

func control(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
