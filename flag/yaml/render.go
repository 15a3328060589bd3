package yaml

import (
	"fmt"
	"strings"
	"unicode"

	goyaml "go.yaml.in/yaml/v4"
)

// isShort says whether a value stands behind its key: a scalar, a list of scalars, or
// something that has only scalars in it.
func isShort(n *goyaml.Node) bool {
	for i, item := range n.Content {
		if item.Kind != goyaml.ScalarNode || n.Kind == goyaml.MappingNode && i > 3 {
			return false
		}
	}
	return true
}

// flow renders a value on one line.
func flow(n *goyaml.Node) string {
	parts := make([]string, 0, len(n.Content))
	switch n.Kind {
	case goyaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			parts = append(parts, text(n.Content[i].Value, nil)+": "+flow(n.Content[i+1]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case goyaml.SequenceNode:
		for _, item := range n.Content {
			parts = append(parts, flow(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return scalar(n, nil)
}

// block renders an object or an array that is not empty on lines of its own, without the
// end of the last.
func (e *editor) block(n *goyaml.Node, indent string) string {
	var lines []string
	if n.Kind == goyaml.SequenceNode {
		for _, item := range n.Content {
			lines = append(lines, e.item(item, indent))
		}
		return strings.Join(lines, e.eol)
	}
	for i := 0; i < len(n.Content); i += 2 {
		line := indent + text(n.Content[i].Value, nil) + ":"
		if value := n.Content[i+1]; isShort(value) {
			line += " " + flow(value)
		} else {
			line += e.eol + e.block(value, indent+"  ")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, e.eol)
}

// item renders an item of a list.
func (e *editor) item(n *goyaml.Node, indent string) string {
	if isShort(n) {
		return indent + "- " + flow(n)
	}
	return indent + "- " + strings.TrimPrefix(e.block(n, indent+"  "), indent+"  ")
}

// scalar renders a scalar of JSON, as the one that it replaces was.
func scalar(n, old *goyaml.Node) string {
	if n.Style&goyaml.DoubleQuotedStyle == 0 {
		return n.Value
	}
	return text(n.Value, old)
}

// text renders a string: with the quotes of the scalar it replaces, without if it had none
// and needs none, and else with double quotes.
func text(s string, old *goyaml.Node) string {
	wasPlain := false
	if old != nil && old.Kind == goyaml.ScalarNode {
		switch {
		case old.Style&goyaml.SingleQuotedStyle != 0 && printable(s):
			return "'" + strings.ReplaceAll(s, "'", "''") + "'"
		case old.Style&quoted != 0:
			return double(s)
		}
		wasPlain = plainKind(old.Value) == isString
	}
	if plain(s) && (wasPlain || !isSwitch(s)) {
		return s
	}
	return double(s)
}

// isSwitch says whether readers of YAML 1.1 take a string for a boolean. Here it is none,
// but who is to know.
func isSwitch(s string) bool {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off":
		return true
	}
	return false
}

// plain says whether a string is itself without quotes, wherever it stands.
func plain(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		digit := '0' <= c && c <= '9'
		if !letter && (i == 0 || !digit && !strings.ContainsRune("-./@", rune(c)) && (c != ' ' || i == len(s)-1)) {
			return false
		}
	}
	return plainKind(s) == isString
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) })
}

func double(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			fmt.Fprintf(&b, `\U%08X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
