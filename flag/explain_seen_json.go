package flag

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// seenRecord is a Seen in JSON.
type seenRecord struct {
	Name  exact           `json:"name"`
	Kind  string          `json:"kind"` // "missing" and "hidden" have no value
	Value json.RawMessage `json:"value,omitempty"`
}

// MarshalJSON writes the name, the kind, and the value if it is known.
func (s Seen) MarshalJSON() ([]byte, error) {
	r := seenRecord{Name: exact(s.Name)}
	var value any
	switch v := s.Value.(type) {
	case nil:
		if r.Kind = "missing"; s.Hidden {
			r.Kind = "hidden"
		}
		return json.Marshal(r)
	case string:
		r.Kind, value = "string", exact(v)
	case bool:
		r.Kind, value = "bool", v
	case int64:
		r.Kind, value = "int", v
	case uint64:
		r.Kind, value = "uint", v
	case float64:
		if r.Kind, value = "float", v; math.IsInf(v, 0) {
			value = strconv.FormatFloat(v, 'g', -1, 64)
		}
	case time.Time:
		r.Kind, value = "time", v
	case []string:
		list := make([]exact, len(v))
		for i := range v {
			list[i] = exact(v[i])
		}
		r.Kind, value = "list", list
	default:
		return nil, fmt.Errorf("attribute %q: found a %T, which none can be", s.Name, v)
	}
	var err error
	if r.Value, err = json.Marshal(value); err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// UnmarshalJSON reads what MarshalJSON writes, and nothing else.
func (s *Seen) UnmarshalJSON(data []byte) error {
	var r seenRecord
	err := strictly(data, &r)
	if err != nil {
		return err
	}
	out := Seen{Name: string(r.Name), Hidden: r.Kind == "hidden"}
	switch r.Kind {
	case "missing", "hidden":
		if r.Value != nil {
			err = errors.New("found a value, want none")
		}
	case "string":
		out.Value, err = valueIn[exact](r.Value, func(v exact) any { return string(v) })
	case "bool":
		out.Value, err = valueIn[bool](r.Value, nil)
	case "int":
		out.Value, err = valueIn[int64](r.Value, nil)
	case "uint":
		out.Value, err = valueIn[uint64](r.Value, nil)
	case "float":
		if len(r.Value) > 0 && r.Value[0] == '"' {
			out.Value, err = valueIn[string](r.Value, func(v string) any { return infinities[v] })
		} else {
			out.Value, err = valueIn[float64](r.Value, nil)
		}
	case "time":
		out.Value, err = valueIn[time.Time](r.Value, func(v time.Time) any { return v.UTC() })
	case "list":
		out.Value, err = valueIn[[]exact](r.Value, func(v []exact) any {
			list := make([]string, len(v))
			for i := range v {
				list[i] = string(v[i])
			}
			return list
		})
	default:
		err = fmt.Errorf("found kind %q, want one of an attribute", shorten(r.Kind))
	}
	if err == nil && !out.canonical() {
		err = fmt.Errorf("found %s as a %s, want it as an attribute is kept", shorten(string(r.Value)), r.Kind)
	}
	if err != nil {
		return fmt.Errorf("attribute %q: %w", shorten(string(r.Name)), err)
	}
	*s = out
	return nil
}

var infinities = map[string]any{"+Inf": math.Inf(1), "-Inf": math.Inf(-1)}

// valueIn reads a value of one type.
func valueIn[T any](data json.RawMessage, as func(T) any) (any, error) {
	if data == nil {
		return nil, errors.New("found no value, want one")
	}
	var v T
	if err := strictly(data, &v); err != nil || as == nil {
		return v, err
	}
	if out := as(v); out != nil {
		return out, nil
	}
	return nil, fmt.Errorf("found %s, want a value", shorten(string(data)))
}

// canonical says whether the value is as [Explanation] has it.
func (s Seen) canonical() bool {
	if s.Value == nil {
		return true
	}
	fact, err := s.fact(0)
	if err != nil || fact.kind() == 0 {
		return false
	}
	switch v := s.Value.(type) {
	case uint64:
		return fact.kind() == kindUint
	case float64:
		return fact.kind() == kindFloat
	case time.Time:
		return v.Equal(time.Unix(0, int64(fact.num)))
	}
	return true
}
