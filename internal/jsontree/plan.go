package jsontree

import (
	"encoding"
	"encoding/json"
	"reflect"
	"sync"
	"time"
)

// plan is how values are decoded into one type. It is made once for each type
// and never changes after that.
type plan struct {
	decode func(*decoder, *Node, reflect.Value, *plan)
	kind   Kind   // of the values the type takes, 0 for any
	null   bool   // whether it takes null as well
	want   string // what it takes, in a message
	elem   *plan  // of what a pointer, map or slice holds
	fields fields // of a struct
}

// plans has the plan of every type that was ever decoded into.
var plans sync.Map // of reflect.Type to *plan

func planOf(t reflect.Type) *plan {
	if known, ok := plans.Load(t); ok {
		return known.(*plan)
	}
	fresh := planner{}
	p := fresh.plan(t)
	for t, p := range fresh {
		plans.LoadOrStore(t, p)
	}
	return p
}

// planner has the plans that are being made: a type may hold itself.
type planner map[reflect.Type]*plan

var (
	rawType         = reflect.TypeFor[json.RawMessage]()
	durationType    = reflect.TypeFor[time.Duration]()
	timeType        = reflect.TypeFor[time.Time]()
	unmarshalerType = reflect.TypeFor[json.Unmarshaler]()
	textType        = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func (pl planner) plan(t reflect.Type) *plan {
	if p := pl[t]; p != nil {
		return p
	}
	p := &plan{}
	pl[t] = p
	switch pointer := reflect.PointerTo(t); {
	case t == rawType:
		p.decode, p.null = decodeRaw, true
	case t.Kind() == reflect.Interface && t.NumMethod() == 0:
		p.decode, p.null = decodeAny, true
	case t.Kind() == reflect.Pointer:
		p.decode, p.null, p.elem = decodePointer, true, pl.plan(t.Elem())
	case t == timeType:
		p.decode, p.kind, p.want = decodeTime, String, `a time like "2026-12-01T08:00:00Z"`
	case pointer.Implements(unmarshalerType):
		p.decode, p.want = decodeUnmarshaler, "a value"
	case pointer.Implements(textType):
		p.decode, p.kind, p.want = decodeText, String, "a string"
	case t == durationType:
		p.decode, p.kind, p.want = decodeDuration, String, `a duration like "10m"`
	default:
		pl.byKind(p, t)
	}
	return p
}

func (pl planner) byKind(p *plan, t reflect.Type) {
	switch t.Kind() {
	case reflect.Struct:
		p.decode, p.kind, p.want = decodeStruct, Object, "an object"
		p.fields.add(t, pl)
	case reflect.Map:
		p.decode, p.kind, p.want = decodeMap, Object, "an object"
		p.elem = pl.plan(t.Elem())
		if t.Key().Kind() != reflect.String {
			p.decode = decodeNothing
		}
	case reflect.Slice:
		p.decode, p.kind, p.want = decodeSlice, Array, "an array"
		p.elem = pl.plan(t.Elem())
	case reflect.String:
		p.decode, p.kind, p.want = decodeString, String, "a string"
	case reflect.Bool:
		p.decode, p.kind, p.want = decodeBool, Bool, "true or false"
	case reflect.Float32, reflect.Float64:
		p.decode, p.kind, p.want = decodeFloat, Number, "a number"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		p.decode, p.kind, p.want = decodeInt, Number, "a whole number"
	default:
		p.decode, p.want = decodeNothing, "nothing: no value can be decoded into a "+t.String()
	}
}
