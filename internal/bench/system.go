package bench

import (
	"encoding/json"
	"sync"

	"github.com/guidon-go/guidon/flag"
)

// System is one way to evaluate flags, with the flags of every scenario loaded
// and a context built for every user. Each method evaluates in a loop of its own,
// so that what is called through this interface is a loop, never an evaluation:
// those are called directly, as a program would.
type System interface {
	// Bool evaluates a flag of S1 to S4 and returns how often it was on.
	Bool(key string, w Walk) int
	// Text evaluates the flag of S5 and returns how long the answers were in all.
	Text(w Walk) int
	// Cycle evaluates the flags of S6 in turn, beginning with the first, and
	// returns how many were on.
	Cycle(w Walk) int
	// Handler builds a context from the plain user and evaluates the first S3 flag
	// with it. It returns how often it was on.
	Handler(w Walk) int
	// Ten builds a context from the plain user and evaluates the ten S3 flags with
	// it. It returns how many were on.
	Ten(w Walk) int
}

// Updater is a system in which one of the S6 flags can be changed.
type Updater interface {
	System
	// Update changes a flag n times: to 10 %, to 20 %, to 10 % and so on.
	Update(n int)
}

// systems are what is compared, by the names of the benchmarks. Each is loaded
// only when it is asked for.
var systems = []system{
	{"guidon-ref", sync.OnceValue(func() System { return newGuidonRef(flag.Options{NoCounts: true}) })},
	{"floor-ref", sync.OnceValue(newFloorRef)},
	{"guidon-key", sync.OnceValue(func() System { return newGuidonKey(flag.Options{NoCounts: true}) })},
	{"floor-key", sync.OnceValue(newFloorKey)},
	{"guidon-ref-counted", sync.OnceValue(func() System { return newGuidonRef(flag.Options{}) })},
	{"guidon-key-counted", sync.OnceValue(func() System { return newGuidonKey(flag.Options{}) })},
	{"launchdarkly", sync.OnceValue(newLaunchDarkly)},
	{"openfeature", sync.OnceValue(newOpenFeature)},
	{"growthbook", sync.OnceValue(newGrowthBook)},
	{"statsig", sync.OnceValue(newStatsig)},
}

type system struct {
	name string
	load func() System
}

// must is for what cannot fail unless a benchmark is wrong.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func mustJSON(v any) []byte {
	text, err := json.Marshal(v)
	must(err)
	return text
}

// systemCalled finds a system by its name.
func systemCalled(name string) system {
	for _, s := range systems {
		if s.name == name {
			return s
		}
	}
	panic("no system is called " + name)
}
