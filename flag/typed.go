package flag

import (
	"encoding/json"
	"fmt"
	"strings"
)

// valueOf returns a variant's value as a T, unless there is none. One that was
// compiled to another type, because nobody had declared T for it, is converted where
// that loses nothing.
func valueOf[T any](values *values, variant int32) (value T, ok bool) {
	if variant < 0 {
		return value, false
	}
	if list, ok := values.list.([]T); ok {
		return list[variant], true
	}
	switch to := any(&value).(type) {
	case *float64:
		if list, whole := values.list.([]int64); whole && int64(float64(list[variant])) == list[variant] {
			*to = float64(list[variant])
			return value, true
		}
	case *any:
		*to = values.any[variant]
		return value, true
	}
	return value, false
}

func asBool(v value) (bool, error) {
	if v.kind != kindBool {
		return false, fmt.Errorf("found %v, want a boolean", v)
	}
	return v.num == 1, nil
}

func asString(v value) (string, error) {
	if v.kind != kindString {
		return "", fmt.Errorf("found %v, want a string", v)
	}
	return v.str, nil
}

func asInt(v value) (int64, error) {
	if v.kind != kindInt {
		return 0, fmt.Errorf("found %v, want a 64-bit integer", v)
	}
	return int64(v.num), nil
}

func asFloat(v value) (float64, error) {
	if !v.isNumber() {
		return 0, fmt.Errorf("found %v, want a number", v)
	}
	return v.float(), nil
}

func asJSON[T any](v value) (T, error) {
	var out T
	text := v.String()
	if v.kind == kindString {
		quoted, _ := json.Marshal(v.str) // a string always marshals
		text = string(quoted)
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&out); err != nil {
		return out, fmt.Errorf("does not fit %T: %w", out, err)
	}
	return out, nil
}
