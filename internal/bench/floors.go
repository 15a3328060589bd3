package bench

import (
	"strings"

	"github.com/guidon-go/guidon/internal/bench/floor"
)

// floors holds the flags of every scenario, each kind in a store of its own.
type floors struct {
	static   *floor.Store[floor.Static]
	half     *floor.Store[floor.Ramp]
	ruled    *floor.Store[floor.Rules]
	listed   *floor.Store[floor.List]
	divided  *floor.Store[floor.Split]
	cycle    *floor.Store[floor.Ramp]
	subjects []floor.Subject
	ten      []int          // the indices of the ten S3 flags
	order    []int          // the indices of the S6 flags, in the order of S6
	index    map[string]int // of every flag by key
}

// floorRef reaches its flags by index, floorKey by key.
type (
	floorRef struct{ floors }
	floorKey struct{ floors }
)

func newFloorRef() System { return &floorRef{newFloors()} }

func newFloorKey() System { return &floorKey{newFloors()} }

func newFloors() floors {
	f := floors{index: map[string]int{}}
	f.static = loadFloor(f.index, scenarioFlags, static, func(spec) floor.Static { return floor.Static{On: true} })
	f.half = loadFloor(f.index, scenarioFlags, half, floorRamp)
	f.ruled = loadFloor(f.index, scenarioFlags, ruled, floorRules)
	f.listed = loadFloor(f.index, scenarioFlags, listed, func(spec) floor.List { return floor.NewList(members) })
	f.divided = loadFloor(f.index, scenarioFlags, divided, floorSplit)
	f.cycle = loadFloor(f.index, cycleFlags, half, floorRamp)
	for i := range users {
		f.subjects = append(f.subjects, floorSubject(&users[i]))
	}
	for _, key := range tenKeys {
		f.ten = append(f.ten, f.index[key])
	}
	for _, key := range cycleKeys {
		f.order = append(f.order, f.index[key])
	}
	return f
}

// loadFloor makes a store of the flags of one kind. Its keys are copies: they came
// with a document, and those that are asked for stand in the code.
func loadFloor[F any](index map[string]int, flags []spec, of kind, build func(spec) F) *floor.Store[F] {
	var keys []string
	var built []F
	for _, f := range flags {
		if f.kind == of {
			index[f.key] = len(keys)
			keys, built = append(keys, strings.Clone(f.key)), append(built, build(f))
		}
	}
	return floor.NewStore(keys, built)
}

func floorRamp(f spec) floor.Ramp { return floor.NewRamp(f.key, halfPercent) }

func floorRules(f spec) floor.Rules {
	var built [ruleCount]floor.Rule
	for i, r := range rules(f.n) {
		built[i] = floor.NewRule(r.countries, r.plan, r.age)
	}
	return floor.NewRules(f.key, built, restPercent)
}

func floorSplit(f spec) floor.Split {
	var values [4]string
	var percents [4]int
	for i, p := range parts {
		values[i], percents[i] = p.value, p.percent
	}
	return floor.NewSplit(f.key, values, percents)
}

func floorSubject(u *User) floor.Subject {
	return floor.For(u.ID, u.Country, u.Plan, u.Age, u.Email)
}

func (f *floorRef) Bool(key string, w Walk) (on int) {
	i := f.index[key]
	switch key {
	case "s1":
		for ; w.Left > 0; w = w.next() {
			on += one(floor.S1Ref(f.static, i, &f.subjects[w.At]))
		}
	case "s2":
		for ; w.Left > 0; w = w.next() {
			on += one(floor.S2Ref(f.half, i, &f.subjects[w.At]))
		}
	case "s4":
		for ; w.Left > 0; w = w.next() {
			on += one(floor.S4Ref(f.listed, i, &f.subjects[w.At]))
		}
	default:
		for ; w.Left > 0; w = w.next() {
			on += one(floor.S3Ref(f.ruled, i, &f.subjects[w.At]))
		}
	}
	return on
}

// nothing is a loop without evaluations.
func (f *floorRef) nothing(w Walk) (on int) {
	for ; w.Left > 0; w = w.next() {
		on += one(floor.Nothing(f.half, 0, &f.subjects[w.At]))
	}
	return on
}

func (f *floorRef) Text(w Walk) (length int) {
	i := f.index["s5"]
	for ; w.Left > 0; w = w.next() {
		length += len(floor.S5Ref(f.divided, i, &f.subjects[w.At]))
	}
	return length
}

func (f *floorRef) Cycle(w Walk) (on int) {
	for at := 0; w.Left > 0; w = w.next() {
		on += one(floor.S2Ref(f.cycle, f.order[at], &f.subjects[w.At]))
		at = nextOf(at, cycleCount)
	}
	return on
}

func (f *floorRef) Handler(w Walk) (on int) {
	i := f.index["s3"]
	for ; w.Left > 0; w = w.next() {
		subject := floorSubject(&users[w.At])
		on += one(floor.S3Ref(f.ruled, i, &subject))
	}
	return on
}

func (f *floorRef) Ten(w Walk) (on int) {
	for ; w.Left > 0; w = w.next() {
		subject := floorSubject(&users[w.At])
		for _, i := range f.ten {
			on += one(floor.S3Ref(f.ruled, i, &subject))
		}
	}
	return on
}

func (f *floorKey) Bool(key string, w Walk) (on int) {
	switch key {
	case "s1":
		for ; w.Left > 0; w = w.next() {
			on += one(floor.S1Key(f.static, key, &f.subjects[w.At]))
		}
	case "s2":
		for ; w.Left > 0; w = w.next() {
			on += one(floor.S2Key(f.half, key, &f.subjects[w.At]))
		}
	case "s4":
		for ; w.Left > 0; w = w.next() {
			on += one(floor.S4Key(f.listed, key, &f.subjects[w.At]))
		}
	default:
		for ; w.Left > 0; w = w.next() {
			on += one(floor.S3Key(f.ruled, key, &f.subjects[w.At]))
		}
	}
	return on
}

func (f *floorKey) Text(w Walk) (length int) {
	for ; w.Left > 0; w = w.next() {
		length += len(floor.S5Key(f.divided, "s5", &f.subjects[w.At]))
	}
	return length
}

func (f *floorKey) Cycle(w Walk) (on int) {
	for at := 0; w.Left > 0; w = w.next() {
		on += one(floor.S2Key(f.cycle, cycleKeys[at], &f.subjects[w.At]))
		at = nextOf(at, cycleCount)
	}
	return on
}

func (f *floorKey) Handler(w Walk) (on int) {
	for ; w.Left > 0; w = w.next() {
		subject := floorSubject(&users[w.At])
		on += one(floor.S3Key(f.ruled, "s3", &subject))
	}
	return on
}

func (f *floorKey) Ten(w Walk) (on int) {
	for ; w.Left > 0; w = w.next() {
		subject := floorSubject(&users[w.At])
		for _, key := range tenKeys {
			on += one(floor.S3Key(f.ruled, key, &subject))
		}
	}
	return on
}
