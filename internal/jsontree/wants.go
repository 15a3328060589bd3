package jsontree

import (
	"reflect"
	"slices"
	"strings"
)

// wants is what a field's tag says of it, beside its type. With want:"a number from 0 to
// 100" a field must be there or, if encoding/json would omit its zero value, must not
// be written with it, which Go could not tell from a field that is left out. That is
// the case wherever it stands, or, with
//
//	if:"ranges"      only beside the field ranges,
//	unless:"eq in"   only where neither eq nor in stands beside it.
type wants struct {
	text   string
	zero   bool // whether it is about the zero value
	beside []string
	unless bool
}

func wantsOf(f reflect.StructField) (w wants, required bool) {
	w.text = f.Tag.Get("want")
	w.zero = strings.Contains(f.Tag.Get("json"), ",omit")
	fields := f.Tag.Get("if")
	if unless := f.Tag.Get("unless"); unless != "" {
		fields, w.unless = unless, true
	}
	w.beside = strings.Fields(fields)
	return w, w.text != "" && !w.zero
}

// refuse says whether the value v of a field of n will not do.
func (w *wants) refuse(n *Node, v reflect.Value) bool {
	if !w.zero || !isZero(v) {
		return false
	}
	there := func(name string) bool { return n.Get(name) != nil }
	return len(w.beside) == 0 || slices.ContainsFunc(w.beside, there) != w.unless
}

// isZero is as omitzero has it.
func isZero(v reflect.Value) bool {
	if own, ok := v.Addr().Interface().(interface{ IsZero() bool }); ok {
		return own.IsZero()
	}
	return v.IsZero()
}
