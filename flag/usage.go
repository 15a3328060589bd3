package flag

// usage is what evaluating something may take, apart from what it names.
type usage struct {
	tests    int
	flags    map[string]int // evaluations by key
	segments map[string]segmentUse
	timed    bool
	needs    bool // whether it evaluates other flags, be it by a segment
}

// segmentUse is a segment that is named, and how often.
type segmentUse struct {
	*segmentState
	times int
}

// maxTests bounds what one evaluation can cost, since segments and flags that name
// one another multiply.
const maxTests = 1_000_000

const tooCostly = "one evaluation can take more than 1,000,000 tests, by the segments and flags that it names"

// add adds tests, and what is timed; not what is named.
func (u *usage) add(other usage) {
	u.tests = min(u.tests+other.tests, maxTests+1)
	u.timed = u.timed || other.timed
}

func (u *usage) flag(key string) {
	if u.flags == nil {
		u.flags = map[string]int{}
	}
	u.flags[key]++
	u.needs = true
}

func (u *usage) segment(name string, s *segmentState) {
	if u.segments == nil {
		u.segments = map[string]segmentUse{}
	}
	u.segments[name] = segmentUse{s, u.segments[name].times + 1}
	u.timed = u.timed || s.use.timed
	u.needs = u.needs || s.use.needs
}
