package flag_test

import (
	"bytes"
	"encoding/json"
	"strings"
)

// jsonObject is a JSON object whose members keep their order.
type jsonObject []jsonMember

type jsonMember struct {
	key   string
	value any
}

// jsonList is a JSON array.
type jsonList []any

// jsonStrings is a list of strings.
func jsonStrings(all ...string) jsonList {
	out := make(jsonList, len(all))
	for i, s := range all {
		out[i] = s
	}
	return out
}

// prettyJSON writes a value with two spaces of indent, and keeps on one line what is
// short enough.
func prettyJSON(v any, indent string) string {
	const width = 100
	var parts []string
	var begin, end string
	inner := indent + "  "
	switch v := v.(type) {
	case jsonObject:
		begin, end = "{", "}"
		for _, m := range v {
			parts = append(parts, compactJSON(m.key)+": "+prettyJSON(m.value, inner))
		}
	case jsonList:
		begin, end = "[", "]"
		for _, item := range v {
			parts = append(parts, prettyJSON(item, inner))
		}
	default:
		return compactJSON(v)
	}
	line := begin + strings.Join(parts, ", ") + end
	if len(indent)+len(line) <= width && !strings.Contains(line, "\n") {
		return line
	}
	return begin + "\n" + inner + strings.Join(parts, ",\n"+inner) + "\n" + indent + end
}

// compactJSON writes a string, number or boolean, with < and & as they are.
func compactJSON(v any) string {
	var text bytes.Buffer
	to := json.NewEncoder(&text)
	to.SetEscapeHTML(false)
	if err := to.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(text.String(), "\n")
}
