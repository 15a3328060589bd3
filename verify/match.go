package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// MaxMismatches is how many differences of one answer are kept.
const MaxMismatches = 20

// mostBytes is where a value in a report is cut.
const mostBytes = 120

// differences collects what does not match.
type differences struct {
	list    []Mismatch
	omitted int
}

func (d *differences) add(kind Kind, path, want, got string) {
	if len(d.list) == MaxMismatches {
		d.omitted++
		return
	}
	d.list = append(d.list, Mismatch{Kind: kind, Path: path, Want: show(want), Got: show(got)})
}

// match adds every difference that keeps got from containing want.
func (d *differences) match(path string, want, got *jsontree.Node) {
	if want.Kind != got.Kind {
		d.add(KindType, path, text(want), text(got))
		return
	}
	switch want.Kind {
	case jsontree.Object:
		members := make(map[string]*jsontree.Node, len(got.Items))
		for i := range got.Items {
			members[got.Items[i].Key] = &got.Items[i]
		}
		for i := range want.Items {
			m := &want.Items[i]
			at := jsontree.Join(path, m.Key)
			if value := members[m.Key]; value != nil {
				d.match(at, m, value)
			} else {
				d.add(KindMissing, at, text(m), "nothing")
			}
		}
	case jsontree.Array:
		if len(want.Items) != len(got.Items) {
			d.add(KindLength, path, items(want), items(got))
		}
		for i := range min(len(want.Items), len(got.Items)) {
			d.match(jsontree.Index(path, i), &want.Items[i], &got.Items[i])
		}
	default:
		if !equal(want, got) {
			d.add(KindValue, path, text(want), text(got))
		}
	}
}

// equal compares two values of one kind that is neither array nor object.
func equal(a, b *jsontree.Node) bool {
	switch a.Kind {
	case jsontree.Bool:
		return a.Bool == b.Bool
	case jsontree.Number:
		return jsontree.CanonicalNumber(a.Text()) == jsontree.CanonicalNumber(b.Text())
	case jsontree.String:
		return a.Text() == b.Text()
	}
	return a.Kind == jsontree.Null
}

func items(n *jsontree.Node) string {
	if len(n.Items) == 1 {
		return "1 item"
	}
	return fmt.Sprintf("%d items", len(n.Items))
}

// text is the JSON text of a value on one line.
func text(n *jsontree.Node) string {
	var compact bytes.Buffer
	_ = json.Compact(&compact, n.Raw()) // the text was parsed
	return compact.String()
}

// show makes foreign text fit for a line of a report: cut, and with nothing in
// it that a terminal would act on.
func show(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i+utf8.RuneLen(r) > mostBytes {
			b.WriteString("...")
			break
		}
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
