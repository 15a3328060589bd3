package flag

import (
	"net/netip"
	"regexp"
	"strings"

	"github.com/guidon-go/guidon/internal/fold"
	"github.com/guidon-go/guidon/internal/instant"
	"github.com/guidon-go/guidon/internal/semver"
)

// The operators that an instruction does not carry out by itself.

type (
	oneOf     []value            // a few values, all of one kind
	oneOfMany map[value]struct{} // many of them
	than      struct {
		op      op // one of the four comparisons
		operand value
	}
	prefix       string
	suffix       string
	contains     string
	matches      struct{ *regexp.Regexp }
	satisfies    struct{ semver.Range }
	before       int64 // nanoseconds since 1970
	after        int64
	networks     []netip.Prefix
	foldOneOf    map[uint64][]string // by fold.Hash
	foldPrefix   struct{ fold.Pattern }
	foldSuffix   struct{ fold.Pattern }
	foldContains struct{ fold.Pattern }
)

func (o oneOf) test(v value) truth {
	if !v.sameKind(o[0]) {
		return unknown
	}
	for i := range o {
		if o[i] == v {
			return yes
		}
	}
	return no
}

func (o oneOfMany) test(v value) truth {
	_, ok := o[v]
	if !ok {
		for any := range o { // they are of one kind
			if !v.sameKind(any) {
				return unknown
			}
			break
		}
	}
	return truly(ok)
}

func (t than) test(v value) truth {
	if !v.isNumber() {
		return unknown
	}
	switch c := v.compare(t.operand); t.op {
	case opLess:
		return truly(c < 0)
	case opLessEqual:
		return truly(c <= 0)
	case opMore:
		return truly(c > 0)
	default:
		return truly(c >= 0)
	}
}

func (p prefix) test(v value) truth {
	return text(v, func(s string) bool { return strings.HasPrefix(s, string(p)) })
}

func (p suffix) test(v value) truth {
	return text(v, func(s string) bool { return strings.HasSuffix(s, string(p)) })
}

func (p contains) test(v value) truth {
	return text(v, func(s string) bool { return strings.Contains(s, string(p)) })
}

func (m matches) test(v value) truth { return text(v, m.MatchString) }

func (p foldPrefix) test(v value) truth {
	return text(v, func(s string) bool { return fold.HasPrefix(s, p.Pattern) })
}

func (p foldSuffix) test(v value) truth {
	return text(v, func(s string) bool { return fold.HasSuffix(s, p.Pattern) })
}

func (p foldContains) test(v value) truth {
	return text(v, func(s string) bool { return fold.Contains(s, p.Pattern) })
}

func (o foldOneOf) test(v value) truth {
	return text(v, func(s string) bool {
		for _, want := range o[fold.Hash(s)] {
			if strings.EqualFold(s, want) {
				return true
			}
		}
		return false
	})
}

// text applies a test of strings; anything else is unknown.
func text(v value, test func(string) bool) truth {
	if v.kind != kindString {
		return unknown
	}
	return truly(test(v.str))
}

func (r satisfies) test(v value) truth {
	if v.kind != kindString {
		return unknown
	}
	version, ok := semver.Parse(v.str)
	if !ok {
		return unknown
	}
	return truly(r.Has(version))
}

func (b before) test(v value) truth {
	at, ok := v.moment()
	if !ok {
		return unknown
	}
	return truly(at < int64(b))
}

func (a after) test(v value) truth {
	at, ok := v.moment()
	if !ok {
		return unknown
	}
	return truly(at >= int64(a))
}

// moment is a time, or a string in RFC 3339, in nanoseconds since 1970.
func (v value) moment() (int64, bool) {
	switch v.kind {
	case kindTime:
		return int64(v.num), true
	case kindString:
		return instant.Parse(v.str)
	}
	return 0, false
}

func (n networks) test(v value) truth {
	if v.kind != kindString {
		return unknown
	}
	addr, ok := address(v.str)
	if !ok {
		return unknown
	}
	for _, network := range n {
		if network.Contains(addr) {
			return yes
		}
	}
	return no
}
