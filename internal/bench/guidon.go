package bench

import (
	"context"

	"github.com/guidon-go/guidon/flag"
)

// What is known about a user.
var (
	country = flag.Attr[string]("country")
	plan    = flag.Attr[string]("plan")
	age     = flag.Attr[int]("age")
	email   = flag.Attr[string]("email")
)

// guidon is this library.
type guidon struct {
	flags    *flag.Store
	cycle    *flag.Store
	subjects []flag.Subject
}

// guidonRef evaluates flags that are declared, guidonKey looks each up by its key.
type (
	guidonRef struct {
		guidon
		switches map[string]flag.Switch
		text     flag.Ref[string]
		ten      []flag.Switch
		order    []flag.Switch // of S6
	}
	guidonKey struct{ guidon }
)

func newGuidonRef(options flag.Options) *guidonRef {
	s := &guidonRef{switches: map[string]flag.Switch{}, text: flag.String("s5", "")}
	for _, key := range append([]string{"s1", "s2", "s4"}, tenKeys...) {
		s.switches[key] = flag.Bool(key, false)
	}
	for _, key := range tenKeys {
		s.ten = append(s.ten, s.switches[key])
	}
	for _, key := range cycleKeys {
		s.order = append(s.order, flag.Bool(key, false))
	}
	s.guidon = newGuidon(options) // behind the declarations, as in a program
	return s
}

func newGuidonKey(options flag.Options) *guidonKey { return &guidonKey{newGuidon(options)} }

func newGuidon(options flag.Options) guidon {
	s := guidon{
		flags: loadGuidon(guidonDocument(scenarioFlags), options),
		cycle: loadGuidon(guidonDocument(cycleFlags), options),
	}
	for i := range users {
		u := &users[i]
		s.subjects = append(s.subjects, flag.For(u.ID, country.Is(u.Country), plan.Is(u.Plan), age.Is(u.Age), email.Is(u.Email)))
	}
	return s
}

func loadGuidon(document []byte, options flag.Options) *flag.Store {
	flags := flag.New(flag.Bytes(document), options)
	must(flags.Load(context.Background()))
	return flags
}

// guidonDocument is the JSON text that a team would write.
func guidonDocument(flags []spec) []byte {
	document := flag.Document{Flags: map[string]flag.FeatureFlag{}}
	for _, f := range flags {
		document.Flags[f.key] = guidonFlag(f)
	}
	return mustJSON(document)
}

func guidonFlag(f spec) (def flag.FeatureFlag) {
	switch f.kind {
	case static:
		def.Serve = "on"
	case half:
		def.Ramp = &flag.Ramp{Share: halfPercent * flag.Percent}
	case ruled:
		def.Description = "Three kinds of customers first, then a tenth of everybody else"
		for _, r := range rules(f.n) {
			def.Rules = append(def.Rules, flag.Rule{Serve: "on", If: flag.Condition{All: []flag.Condition{
				{Attr: "country", In: []any{r.countries[0], r.countries[1], r.countries[2]}},
				{Attr: "plan", Eq: r.plan},
				{Attr: "age", Ge: r.age},
			}}})
		}
		def.Ramp = &flag.Ramp{Share: restPercent * flag.Percent}
	case listed:
		def.Targets = map[string][]string{"on": members}
	case divided:
		def.Variants, def.Split = map[string]any{}, &flag.Split{}
		for _, p := range parts {
			def.Variants[p.value] = p.value
			def.Split.Parts = append(def.Split.Parts, flag.Part{Serve: p.value, Share: flag.Share(p.percent * flag.Percent)})
		}
	}
	return def
}

func (s *guidonRef) Bool(key string, w Walk) (on int) {
	ref := s.switches[key]
	for ; w.Left > 0; w = w.next() {
		on += one(ref.Value(s.flags, &s.subjects[w.At]))
	}
	return on
}

func (s *guidonRef) Text(w Walk) (length int) {
	for ; w.Left > 0; w = w.next() {
		length += len(s.text.Value(s.flags, &s.subjects[w.At]))
	}
	return length
}

func (s *guidonRef) Cycle(w Walk) (on int) {
	for at := 0; w.Left > 0; w = w.next() {
		on += one(s.order[at].Value(s.cycle, &s.subjects[w.At]))
		at = nextOf(at, cycleCount)
	}
	return on
}

func (s *guidonRef) Handler(w Walk) (on int) {
	ref := s.switches["s3"]
	for ; w.Left > 0; w = w.next() {
		u := &users[w.At]
		subject := flag.For(u.ID, country.Is(u.Country), plan.Is(u.Plan), age.Is(u.Age), email.Is(u.Email))
		on += one(ref.Value(s.flags, &subject))
	}
	return on
}

func (s *guidonRef) Ten(w Walk) (on int) {
	for ; w.Left > 0; w = w.next() {
		u := &users[w.At]
		subject := flag.For(u.ID, country.Is(u.Country), plan.Is(u.Plan), age.Is(u.Age), email.Is(u.Email))
		for i := range s.ten {
			on += one(s.ten[i].Value(s.flags, &subject))
		}
	}
	return on
}

func (s *guidonKey) Bool(key string, w Walk) (on int) {
	for ; w.Left > 0; w = w.next() {
		on += one(flag.ByKey(key, false).Value(s.flags, &s.subjects[w.At]))
	}
	return on
}

func (s *guidonKey) Text(w Walk) (length int) {
	for ; w.Left > 0; w = w.next() {
		length += len(flag.ByKey("s5", "").Value(s.flags, &s.subjects[w.At]))
	}
	return length
}

func (s *guidonKey) Cycle(w Walk) (on int) {
	for at := 0; w.Left > 0; w = w.next() {
		on += one(flag.ByKey(cycleKeys[at], false).Value(s.cycle, &s.subjects[w.At]))
		at = nextOf(at, cycleCount)
	}
	return on
}

func (s *guidonKey) Handler(w Walk) (on int) {
	for ; w.Left > 0; w = w.next() {
		u := &users[w.At]
		subject := flag.For(u.ID, country.Is(u.Country), plan.Is(u.Plan), age.Is(u.Age), email.Is(u.Email))
		on += one(flag.ByKey("s3", false).Value(s.flags, &subject))
	}
	return on
}

func (s *guidonKey) Ten(w Walk) (on int) {
	for ; w.Left > 0; w = w.next() {
		u := &users[w.At]
		subject := flag.For(u.ID, country.Is(u.Country), plan.Is(u.Plan), age.Is(u.Age), email.Is(u.Email))
		for _, key := range tenKeys {
			on += one(flag.ByKey(key, false).Value(s.flags, &subject))
		}
	}
	return on
}

// Update lays another ramp over the flag's.
func (s *guidon) Update(n int) {
	shares := [2]flag.Share{10 * flag.Percent, 20 * flag.Percent}
	for i := range n {
		must(s.cycle.SetRamp(updated.key, flag.Ramp{Share: shares[i%2]}, flag.Change{Actor: "bench", Reason: "measure"}))
	}
}
