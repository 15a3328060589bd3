package schemadoc

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Object is a JSON object whose members keep their order.
type Object []Member

// Member is a key, which is a string, and its value: an [Object], a [List], a string, a
// number or a bool.
type Member [2]any

// List is a JSON array.
type List []any

// Strings is a list of strings.
func Strings(all ...string) List {
	out := make(List, len(all))
	for i, s := range all {
		out[i] = s
	}
	return out
}

// Pretty writes a value with two spaces of indent, and keeps on one line what is
// short enough.
func Pretty(v any, indent string) string {
	const width = 100
	var parts []string
	var begin, end string
	inner := indent + "  "
	switch v := v.(type) {
	case Object:
		begin, end = "{", "}"
		for _, m := range v {
			parts = append(parts, compact(m[0])+": "+Pretty(m[1], inner))
		}
	case List:
		begin, end = "[", "]"
		for _, item := range v {
			parts = append(parts, Pretty(item, inner))
		}
	default:
		return compact(v)
	}
	line := begin + strings.Join(parts, ", ") + end
	if len(indent)+len(line) <= width && !strings.Contains(line, "\n") {
		return line
	}
	return begin + "\n" + inner + strings.Join(parts, ",\n"+inner) + "\n" + indent + end
}

// compact writes a string, number or boolean, with < and & as they are.
func compact(v any) string {
	var text bytes.Buffer
	to := json.NewEncoder(&text)
	to.SetEscapeHTML(false)
	if err := to.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(text.String(), "\n")
}
