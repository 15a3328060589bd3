package flag

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
)

// environment is what variables of the process override.
type environment struct {
	variables []string          // those with the prefix, as NAME=value, in order
	served    map[string]string // the variables that override flags, by key
	err       error             // what is wrong with the others
}

// environ is the variables with the prefix now. One that is empty is as good as none.
func (o Options) environ() (variables []string) {
	if o.Env == "" {
		return nil
	}
	for _, v := range os.Environ() {
		name, value, _ := strings.Cut(v, "=")
		if runtime.GOOS == "windows" {
			name = strings.ToUpper(name) // as they are the same there
		}
		if strings.HasPrefix(name, o.Env) && value != "" {
			variables = append(variables, name+"="+value)
		}
	}
	slices.Sort(variables)
	return variables
}

// variable is the name for a flag: new-checkout is NEW_CHECKOUT behind the prefix.
func (o Options) variable(key string) string {
	return o.Env + strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return '_'
	}, key)
}

// surround lets the variables override flags of a set that nobody reads yet. It is
// called with mu held.
func (s *Store) surround(set *Set) {
	if s.options.Env == "" || set == nil {
		return
	}
	byName := map[string][]string{}
	for key := range set.keys() {
		name := s.options.variable(key)
		byName[name] = append(byName[name], key)
	}
	next := environment{variables: s.env.variables, served: map[string]string{}}
	var problems []error
	for _, v := range next.variables {
		name, variant, _ := strings.Cut(v, "=")
		key, f, err := set.named(name, byName[name])
		if err == nil {
			if _, known := slices.BinarySearch(f.names, variant); !known {
				err = fmt.Errorf("unknown variant %q, want one of %q", variant, f.names)
			} else if was, twice := next.served[key]; twice {
				err = fmt.Errorf("found it twice, want one: the other is %q", was)
			}
		}
		if err != nil {
			problems = append(problems, &Error{Op: "override by", Key: name, Err: err})
			continue
		}
		next.served[key] = v
	}
	for key := range s.env.served {
		if f := set.defined(key); f != nil && next.served[key] == "" {
			set.put(key, f.overridden(-1)) // an older definition, which serves again
		}
	}
	for key, v := range next.served {
		f := set.defined(key)
		_, variant, _ := strings.Cut(v, "=")
		i, _ := slices.BinarySearch(f.names, variant)
		set.put(key, f.overridden(int32(i)))
	}
	next.err = errors.Join(problems...)
	s.env = next
}

// named finds the flag that a variable is about among those with its name.
func (s *Set) named(name string, keys []string) (string, *compiled, error) {
	slices.Sort(keys)
	switch len(keys) {
	case 0:
		return "", nil, errors.New("there is no flag of that name")
	case 1:
		f := s.defined(keys[0])
		if f == nil {
			return "", nil, fmt.Errorf("the definition of flag %q is broken, and has never been any better", keys[0])
		}
		return keys[0], f, nil
	}
	return "", nil, fmt.Errorf("it may be any of the flags %q", keys)
}

// overridden returns a copy that serves one variant to everybody, or none if negative.
func (f *compiled) overridden(variant int32) *compiled {
	out := *f
	out.override = variant
	return &out
}

// environmentActor overrides by variables.
const environmentActor = "environment"
