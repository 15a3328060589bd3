package jsontree

import (
	"reflect"
	"strings"
)

// fields are the keys a struct type accepts.
type fields struct {
	index map[string][]int // as for reflect.Value.FieldByIndex
	names []string         // in order of declaration
}

func (d *decoder) structure(n *Node, v reflect.Value) {
	known := d.fields[v.Type()]
	if known == nil {
		known = &fields{index: make(map[string][]int)}
		known.add(v.Type())
		d.fields[v.Type()] = known
	}
	for _, m := range n.Members {
		s := step{key: m.Key, index: -1}
		index, ok := known.index[m.Key]
		if ok {
			d.under(s, m.Value, field(v, index))
			continue
		}
		text := "unknown field"
		if name := Closest(m.Key, known.names); name != "" {
			text += ", did you mean " + quote(name) + "?"
		}
		d.problems = append(d.problems, Problem{Path: append(d.trail, s).under(d.base), Pos: m.Pos, Text: text})
	}
}

// add collects the fields of a struct level by level: a field hides those of the
// same name in structs embedded more deeply.
func (fs *fields) add(t reflect.Type) {
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
				if _, hidden := fs.index[name]; !hidden {
					fs.index[name] = index
					fs.names = append(fs.names, name)
				}
			}
		}
	}
}

// field returns a field of v, and makes the embedded structs on the way to it.
func field(v reflect.Value, index []int) reflect.Value {
	for _, i := range index {
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
