package bench

import (
	"context"
	"maps"
	"math/bits"

	"github.com/cespare/xxhash/v2"
	of "github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/memprovider"
)

// openFeature is the client with the SDK's own in-memory provider. That one cannot
// target: the flags are functions written by hand in this file, so that its figures
// tell what the SDK costs around them.
type openFeature struct {
	client   *of.Client
	cycle    *of.Client
	provider *memprovider.InMemoryProvider // of cycle
	flags    map[string]memprovider.InMemoryFlag
	contexts []of.EvaluationContext
}

func newOpenFeature() System {
	s := &openFeature{}
	s.client, _, _ = loadOpenFeature("scenarios", scenarioFlags)
	s.cycle, s.provider, s.flags = loadOpenFeature("cycle", cycleFlags)
	for i := range users {
		s.contexts = append(s.contexts, ofContext(&users[i]))
	}
	return s
}

func loadOpenFeature(domain string, flags []spec) (*of.Client, *memprovider.InMemoryProvider, map[string]memprovider.InMemoryFlag) {
	all := map[string]memprovider.InMemoryFlag{}
	for _, f := range flags {
		all[f.key] = ofFlag(f, halfPercent)
	}
	provider := memprovider.NewInMemoryProvider(all)
	must(of.SetNamedProviderWithContextAndWait(context.Background(), domain, provider))
	return of.NewClient(domain), provider, all
}

// ofFlag builds a flag; the percentage is that of an S2 flag.
func ofFlag(f spec, percent int) memprovider.InMemoryFlag {
	flag := memprovider.InMemoryFlag{
		Key: f.key, State: memprovider.Enabled, DefaultVariant: "on", Variants: map[string]any{"on": true, "off": false},
	}
	var decide func(subject of.FlattenedContext) any
	switch f.kind {
	case static:
		return flag
	case half:
		decide = func(subject of.FlattenedContext) any { return ofSlot(f.key, subject) < percent }
	case ruled:
		decide = ofRules(f)
	case listed:
		set := map[string]bool{}
		for _, id := range members {
			set[id] = true
		}
		decide = func(subject of.FlattenedContext) any { return set[subject[of.TargetingKey].(string)] }
	case divided:
		decide = func(subject of.FlattenedContext) any {
			end, at := parts[0].percent, 0
			for slot := ofSlot(f.key, subject); slot >= end; end += parts[at].percent {
				at++
			}
			return parts[at].value
		}
	}
	evaluate := func(_ memprovider.InMemoryFlag, subject of.FlattenedContext) (any, of.ProviderResolutionDetail) {
		return decide(subject), of.ProviderResolutionDetail{Reason: of.TargetingMatchReason}
	}
	flag.ContextEvaluator = &evaluate
	return flag
}

func ofRules(f spec) func(of.FlattenedContext) any {
	all := rules(f.n)
	return func(subject of.FlattenedContext) any {
		u := User{Country: subject["country"].(string), Plan: subject["plan"].(string), Age: subject["age"].(int)}
		for _, r := range all {
			if r.matches(&u) {
				return true
			}
		}
		return ofSlot(f.key, subject) < restPercent
	}
}

// ofSlot is the percent of a flag that a subject falls into: 0 to 99.
func ofSlot(salt string, subject of.FlattenedContext) int {
	hash := xxhash.NewWithSeed(0)
	_, _ = hash.WriteString(salt)
	_, _ = hash.WriteString(subject[of.TargetingKey].(string))
	slot, _ := bits.Mul64(hash.Sum64(), 100)
	return int(slot)
}

func ofContext(u *User) of.EvaluationContext {
	return of.NewEvaluationContext(u.ID, map[string]any{
		"country": u.Country, "plan": u.Plan, "age": u.Age, "email": u.Email,
	})
}

func (s *openFeature) Bool(key string, w Walk) (on int) {
	ctx := context.Background()
	for ; w.Left > 0; w = w.next() {
		on += one(s.client.Boolean(ctx, key, false, s.contexts[w.At]))
	}
	return on
}

func (s *openFeature) Text(w Walk) (length int) {
	ctx := context.Background()
	for ; w.Left > 0; w = w.next() {
		length += len(s.client.String(ctx, "s5", "", s.contexts[w.At]))
	}
	return length
}

func (s *openFeature) Cycle(w Walk) (on int) {
	ctx := context.Background()
	for at := 0; w.Left > 0; w = w.next() {
		on += one(s.cycle.Boolean(ctx, cycleKeys[at], false, s.contexts[w.At]))
		at = nextOf(at, cycleCount)
	}
	return on
}

func (s *openFeature) Handler(w Walk) (on int) {
	ctx := context.Background()
	for ; w.Left > 0; w = w.next() {
		on += one(s.client.Boolean(ctx, "s3", false, ofContext(&users[w.At])))
	}
	return on
}

func (s *openFeature) Ten(w Walk) (on int) {
	ctx := context.Background()
	for ; w.Left > 0; w = w.next() {
		subject := ofContext(&users[w.At])
		for _, key := range tenKeys {
			on += one(s.client.Boolean(ctx, key, false, subject))
		}
	}
	return on
}

// Update hands the provider all flags, of which it keeps a copy: there is no
// smaller change.
func (s *openFeature) Update(n int) {
	built := [2]memprovider.InMemoryFlag{ofFlag(updated, 10), ofFlag(updated, 20)}
	flags := maps.Clone(s.flags)
	for i := range n {
		flags[updated.key] = built[i%2]
		s.provider.UpdateFlags(flags)
	}
}
