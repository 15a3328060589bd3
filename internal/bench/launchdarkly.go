package bench

import (
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldcontext"
	"github.com/launchdarkly/go-sdk-common/v3/ldvalue"
	"github.com/launchdarkly/go-server-sdk-evaluation/v3/ldbuilders"
	"github.com/launchdarkly/go-server-sdk-evaluation/v3/ldmodel"
	ld "github.com/launchdarkly/go-server-sdk/v7"
	"github.com/launchdarkly/go-server-sdk/v7/ldcomponents"
	"github.com/launchdarkly/go-server-sdk/v7/subsystems"
	"github.com/launchdarkly/go-server-sdk/v7/subsystems/ldstoreimpl"
	"github.com/launchdarkly/go-server-sdk/v7/subsystems/ldstoretypes"
	"github.com/launchdarkly/go-server-sdk/v7/testhelpers/ldtestdata"
)

// launchDarkly is the client with its in-memory store, without events.
type launchDarkly struct {
	client   *ld.LDClient
	cycle    *ld.LDClient
	store    subsystems.DataStore // of cycle
	contexts []ldcontext.Context
	version  int // of the flag that is updated
}

func newLaunchDarkly() System {
	s := &launchDarkly{version: 1}
	s.client, _ = loadLaunchDarkly(scenarioFlags)
	s.cycle, s.store = loadLaunchDarkly(cycleFlags)
	for i := range users {
		s.contexts = append(s.contexts, ldContext(&users[i]))
	}
	return s
}

// keptStore is the in-memory store, of which the client shows nothing.
type keptStore struct{ subsystems.DataStore }

// Build makes the store; the client calls it.
func (k *keptStore) Build(context subsystems.ClientContext) (subsystems.DataStore, error) {
	store, err := ldcomponents.InMemoryDataStore().Build(context)
	k.DataStore = store
	return store, err
}

func loadLaunchDarkly(flags []spec) (*ld.LDClient, subsystems.DataStore) {
	source := ldtestdata.DataSource()
	for _, f := range flags {
		source.UsePreconfiguredFlag(ldFlag(f, halfPercent))
	}
	var store keptStore
	client, err := ld.MakeCustomClient("", ld.Config{
		DataSource: source,
		DataStore:  &store,
		Events:     ldcomponents.NoEvents(),
		Logging:    ldcomponents.NoLogging(),
	}, time.Minute)
	must(err)
	return client, store.DataStore
}

// ldFlag builds a flag; the percentage is that of an S2 flag.
func ldFlag(f spec, percent int) ldmodel.FeatureFlag {
	const off, on = 0, 1
	b := ldbuilders.NewFlagBuilder(f.key).On(true).Salt(f.key).OffVariation(off).
		Variations(ldvalue.Bool(false), ldvalue.Bool(true))
	ramp := func(percent int) ldmodel.VariationOrRollout {
		return ldbuilders.Rollout(ldbuilders.Bucket(on, percent*1000), ldbuilders.Bucket(off, (100-percent)*1000))
	}
	switch f.kind {
	case static:
		b.FallthroughVariation(on)
	case half:
		b.Fallthrough(ramp(percent))
	case ruled:
		for _, r := range rules(f.n) {
			b.AddRule(ldbuilders.NewRuleBuilder().Variation(on).Clauses(
				ldbuilders.Clause("country", ldmodel.OperatorIn, ldStrings(r.countries[:])...),
				ldbuilders.Clause("plan", ldmodel.OperatorIn, ldvalue.String(r.plan)),
				ldbuilders.Clause("age", ldmodel.OperatorGreaterThanOrEqual, ldvalue.Int(r.age)),
			))
		}
		b.Fallthrough(ramp(restPercent))
	case listed:
		b.AddTarget(on, members...).FallthroughVariation(off)
	case divided:
		var values []ldvalue.Value
		var buckets []ldmodel.WeightedVariation
		for i, p := range parts {
			values = append(values, ldvalue.String(p.value))
			buckets = append(buckets, ldbuilders.Bucket(i, p.percent*1000))
		}
		b.Variations(values...).Fallthrough(ldbuilders.Rollout(buckets...))
	}
	return b.Build()
}

func ldStrings(list []string) []ldvalue.Value {
	var values []ldvalue.Value
	for _, s := range list {
		values = append(values, ldvalue.String(s))
	}
	return values
}

func ldContext(u *User) ldcontext.Context {
	return ldcontext.NewBuilder(u.ID).SetString("country", u.Country).SetString("plan", u.Plan).
		SetInt("age", u.Age).SetString("email", u.Email).Build()
}

func (s *launchDarkly) Bool(key string, w Walk) (on int) {
	for ; w.Left > 0; w = w.next() {
		v, _ := s.client.BoolVariation(key, s.contexts[w.At], false)
		on += one(v)
	}
	return on
}

func (s *launchDarkly) Text(w Walk) (length int) {
	for ; w.Left > 0; w = w.next() {
		v, _ := s.client.StringVariation("s5", s.contexts[w.At], "")
		length += len(v)
	}
	return length
}

func (s *launchDarkly) Cycle(w Walk) (on int) {
	for at := 0; w.Left > 0; w = w.next() {
		v, _ := s.cycle.BoolVariation(cycleKeys[at], s.contexts[w.At], false)
		on += one(v)
		at = nextOf(at, cycleCount)
	}
	return on
}

func (s *launchDarkly) Handler(w Walk) (on int) {
	for ; w.Left > 0; w = w.next() {
		v, _ := s.client.BoolVariation("s3", ldContext(&users[w.At]), false)
		on += one(v)
	}
	return on
}

func (s *launchDarkly) Ten(w Walk) (on int) {
	for ; w.Left > 0; w = w.next() {
		context := ldContext(&users[w.At])
		for _, key := range tenKeys {
			v, _ := s.client.BoolVariation(key, context, false)
			on += one(v)
		}
	}
	return on
}

// Update builds a flag with another percentage and puts it into the store.
func (s *launchDarkly) Update(n int) {
	for i := range n {
		s.version++
		flag := ldFlag(updated, [2]int{10, 20}[i%2])
		item := ldstoretypes.ItemDescriptor{Version: s.version, Item: &flag}
		_, err := s.store.Upsert(ldstoreimpl.Features(), updated.key, item)
		must(err)
	}
}
