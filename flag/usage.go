package flag

// usage is what evaluating something may take.
type usage struct {
	tests int
	flags map[string]int // evaluations by key
	timed bool
}

// maxTests bounds what one evaluation can cost, since segments and flags that name
// one another multiply.
const maxTests = 1_000_000

func (u *usage) add(other usage) {
	u.tests = min(u.tests+other.tests, maxTests+1)
	u.timed = u.timed || other.timed
	for key, n := range other.flags {
		u.flag(key, n)
	}
}

func (u *usage) flag(key string, times int) {
	if u.flags == nil {
		u.flags = map[string]int{}
	}
	u.flags[key] = min(u.flags[key]+times, maxTests+1)
}
