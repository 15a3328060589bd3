package floor

// Rules is the flag of S3: on for whom a rule matches, and for a ramp of the rest.
type Rules struct {
	rules [3]Rule
	ramp  Ramp
}

// Rule matches one of the countries, and the plan, and the age or more.
type Rule struct {
	countries [3]uint64
	plan      uint64
	age       int
}

// NewRule returns a rule.
func NewRule(countries [3]string, plan string, age int) Rule {
	r := Rule{plan: pack(plan), age: age}
	for i, country := range countries {
		r.countries[i] = pack(country)
	}
	return r
}

// NewRules returns rules with a ramp for whom none matches.
func NewRules(key string, rules [3]Rule, percent int) Rules {
	return Rules{rules, NewRamp(key, percent)}
}

// matches has one branch, on what tells most. Without any, one flag is a tenth
// faster, but ten flags for one subject are slower by more: a processor learns the
// branches of a subject.
func (r *Rule) matches(s *Subject) bool {
	return s.plan == r.plan && bit(s.age >= r.age)&
		(bit(s.country == r.countries[0])|bit(s.country == r.countries[1])|bit(s.country == r.countries[2])) != 0
}

// S3Ref evaluates the i-th flag.
//
//go:noinline
func S3Ref(store *Store[Rules], i int, s *Subject) bool {
	f := store.ref(i)
	return f.rules[0].matches(s) || f.rules[1].matches(s) || f.rules[2].matches(s) || f.ramp.eval(s)
}

// S3Key evaluates the flag with the key.
//
//go:noinline
func S3Key(store *Store[Rules], key string, s *Subject) bool {
	f := store.key(key)
	return f.rules[0].matches(s) || f.rules[1].matches(s) || f.rules[2].matches(s) || f.ramp.eval(s)
}
