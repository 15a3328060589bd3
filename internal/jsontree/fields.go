package jsontree

import (
	"reflect"
	"slices"
	"strings"
)

// fields are the keys a struct type accepts.
type fields struct {
	byKey    map[string]field
	names    []string // in order of declaration
	required []string // of these
}

// field is one field of a struct, or of a struct embedded in it.
type field struct {
	index []int // as for reflect.Value.FieldByIndex
	plan  *plan
	wants wants
}

func decodeStruct(d *decoder, n *Node, v reflect.Value, p *plan) {
	var meant []string
	for i := range n.Items {
		m := &n.Items[i]
		s := step{key: m.Key, index: -1}
		if f, ok := p.fields.byKey[m.Key]; ok {
			d.field(s, n, m, f.of(v), f)
			continue
		}
		text := "unknown field"
		if name := Closest(m.Key, p.fields.names); name != "" {
			text += ", did you mean " + quote(name) + "?"
			meant = append(meant, name)
		}
		d.problems = append(d.problems, Problem{Path: append(d.trail, s).under(d.base), Pos: m.doc.pos(m.key), Text: text})
	}
	for _, name := range p.fields.required {
		if n.Get(name) == nil && !slices.Contains(meant, name) {
			path := append(d.trail, step{key: name, index: -1}).under(d.base)
			d.problems = append(d.problems, Problem{Path: path, Pos: n.Pos(), Text: "missing, want " + p.fields.byKey[name].wants.text})
		}
	}
}

// field decodes the member m of n.
func (d *decoder) field(s step, n, m *Node, v reflect.Value, f field) {
	before := len(d.problems)
	d.under(s, m, v, f.plan)
	if f.wants.text == "" || len(d.problems) > before || !f.wants.refuse(n, v) {
		return
	}
	path := append(d.trail, s).under(d.base)
	d.problems = append(d.problems, Problem{Path: path, Pos: m.Pos(), Text: "found " + m.Describe() + ", want " + f.wants.text})
}

// add collects the fields of a struct level by level: a field hides those of the
// same name in structs embedded more deeply.
func (fs *fields) add(t reflect.Type, pl planner) {
	fs.byKey = make(map[string]field)
	type embedded struct {
		t     reflect.Type
		index []int
	}
	level := []embedded{{t: t}}
	seen := map[reflect.Type]bool{t: true}
	for len(level) > 0 {
		at := level[0]
		level = level[1:]
		for i := range at.t.NumField() {
			f := at.t.Field(i)
			index := append(at.index[:len(at.index):len(at.index)], i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			inner := f.Type
			if f.IsExported() && inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			switch {
			case f.Tag.Get("json") == "-":
			case f.Anonymous && name == "" && inner.Kind() == reflect.Struct:
				if !seen[inner] {
					seen[inner] = true
					level = append(level, embedded{inner, index})
				}
			case f.IsExported():
				if name == "" {
					name = f.Name
				}
				if _, hidden := fs.byKey[name]; !hidden {
					wants, required := wantsOf(f)
					fs.byKey[name] = field{index, pl.plan(f.Type), wants}
					fs.names = append(fs.names, name)
					if required {
						fs.required = append(fs.required, name)
					}
				}
			}
		}
	}
}

// of returns the field of v, and makes the embedded structs on the way to it.
func (f field) of(v reflect.Value) reflect.Value {
	for _, i := range f.index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v
}
