package flag

import (
	"fmt"
	"reflect"
	"runtime"
	"sync"
)

// registry is the process's append-only list of declared flags and attributes:
// what gives each of them the dense index that a compiled document uses.
var registry = struct {
	sync.Mutex
	refs  []declaration
	byKey map[string][]int
	attrs map[string]uint32
}{byKey: map[string][]int{}, attrs: map[string]uint32{}}

// declaration is one flag as the code declares it.
type declaration struct {
	key   string
	typ   reflect.Type
	where string
	// build turns a flag's variants into a []T, or says which cannot be a T.
	build func(names []string, values []value) (any, map[string]error)
}

// declare returns the dense index of a flag, the same for the same key and type.
func declare[T any](key string, convert func(value) (T, error)) int {
	typ := reflect.TypeFor[T]()
	registry.Lock()
	defer registry.Unlock()
	for _, id := range registry.byKey[key] {
		if registry.refs[id].typ == typ {
			return id
		}
	}
	id := len(registry.refs)
	where := "?"
	if _, file, line, ok := runtime.Caller(2); ok {
		where = fmt.Sprintf("%s:%d", file, line)
	}
	registry.refs = append(registry.refs, declaration{key, typ, where,
		func(names []string, values []value) (any, map[string]error) { return buildAll(names, values, convert) }})
	registry.byKey[key] = append(registry.byKey[key], id)
	return id
}

func buildAll[T any](names []string, values []value, convert func(value) (T, error)) ([]T, map[string]error) {
	out, problems := make([]T, len(values)), map[string]error{}
	for i, v := range values {
		var err error
		if out[i], err = convert(v); err != nil {
			problems[names[i]] = err
		}
	}
	return out, problems
}

// declarations lists every declared flag by index.
func declarations() []declaration {
	registry.Lock()
	defer registry.Unlock()
	return registry.refs[:len(registry.refs):len(registry.refs)]
}

// declaredAs returns the declarations of one key, one for each type.
func declaredAs(key string) []declaration {
	registry.Lock()
	defer registry.Unlock()
	var out []declaration
	for _, id := range registry.byKey[key] {
		out = append(out, registry.refs[id])
	}
	return out
}

// attribute returns the dense index of an attribute's name.
func attribute(name string) uint32 {
	registry.Lock()
	defer registry.Unlock()
	id, ok := registry.attrs[name]
	if !ok {
		id = uint32(len(registry.attrs))
		registry.attrs[name] = id
	}
	return id
}
