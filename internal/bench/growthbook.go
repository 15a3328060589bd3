package bench

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"

	gb "github.com/growthbook/growthbook-golang"
)

// growthBook is the client without a data source. It knows a user by a client of
// its own, which shares the flags with its parent.
type growthBook struct {
	client  *gb.Client
	cycle   *gb.Client
	users   []*gb.Client // children of client
	cyclers []*gb.Client // children of cycle
}

func newGrowthBook() System {
	s := &growthBook{client: loadGrowthBook(scenarioFlags), cycle: loadGrowthBook(cycleFlags)}
	for i := range users {
		s.users = append(s.users, gbUser(s.client, &users[i]))
		s.cyclers = append(s.cyclers, gbUser(s.cycle, &users[i]))
	}
	return s
}

// object is a JSON object.
type object = map[string]any

func loadGrowthBook(flags []spec) *gb.Client {
	features := object{}
	for _, f := range flags {
		features[f.key] = gbFlag(f, halfPercent)
	}
	payload := object{"features": features, "savedGroups": object{
		"members": object{"type": "list", "attributeKey": "id", "values": members},
	}}
	client, err := gb.NewClient(context.Background(), gb.WithLogger(slog.New(slog.DiscardHandler)))
	must(err)
	must(client.UpdateFromApiResponseJSON(string(mustJSON(payload))))
	return client
}

// gbFlag writes a flag; the percentage is that of an S2 flag.
func gbFlag(f spec, percent int) object {
	ramp := func(percent int) object {
		return object{"force": true, "coverage": float64(percent) / 100, "hashAttribute": "id", "hashVersion": 2}
	}
	switch f.kind {
	case half:
		return object{"defaultValue": false, "rules": []object{ramp(percent)}}
	case ruled:
		var all []object
		for _, r := range rules(f.n) {
			all = append(all, object{"force": true, "condition": object{
				"country": object{"$in": r.countries}, "plan": r.plan, "age": object{"$gte": r.age},
			}})
		}
		return object{"defaultValue": false, "rules": append(all, ramp(restPercent))}
	case listed:
		isMember := object{"id": object{"$inGroup": "members"}}
		return object{"defaultValue": false, "rules": []object{{"force": true, "condition": isMember}}}
	case divided:
		var values []string
		var weights []float64
		for _, p := range parts {
			values, weights = append(values, p.value), append(weights, float64(p.percent)/100)
		}
		return object{"defaultValue": "", "rules": []object{{
			"variations": values, "weights": weights, "coverage": 1, "key": f.key, "hashAttribute": "id", "hashVersion": 2,
		}}}
	}
	return object{"defaultValue": true}
}

func gbUser(client *gb.Client, u *User) *gb.Client {
	child, err := client.WithAttributes(gb.Attributes{
		"id": u.ID, "country": u.Country, "plan": u.Plan, "age": u.Age, "email": u.Email,
	})
	must(err)
	return child
}

func (s *growthBook) Bool(key string, w Walk) (on int) {
	ctx := context.Background()
	for ; w.Left > 0; w = w.next() {
		on += one(s.users[w.At].EvalFeature(ctx, key).On)
	}
	return on
}

func (s *growthBook) Text(w Walk) (length int) {
	ctx := context.Background()
	for ; w.Left > 0; w = w.next() {
		v, _ := s.users[w.At].EvalFeature(ctx, "s5").Value.(string)
		length += len(v)
	}
	return length
}

func (s *growthBook) Cycle(w Walk) (on int) {
	ctx := context.Background()
	for at := 0; w.Left > 0; w = w.next() {
		on += one(s.cyclers[w.At].EvalFeature(ctx, cycleKeys[at]).On)
		at = nextOf(at, cycleCount)
	}
	return on
}

func (s *growthBook) Handler(w Walk) (on int) {
	ctx := context.Background()
	for ; w.Left > 0; w = w.next() {
		on += one(gbUser(s.client, &users[w.At]).EvalFeature(ctx, "s3").On)
	}
	return on
}

func (s *growthBook) Ten(w Walk) (on int) {
	ctx := context.Background()
	for ; w.Left > 0; w = w.next() {
		user := gbUser(s.client, &users[w.At])
		for _, key := range tenKeys {
			on += one(user.EvalFeature(ctx, key).On)
		}
	}
	return on
}

// Update hands the client all flags, in a map of its own, since readers may be in
// the one before: there is no smaller change. The new flag is parsed already.
func (s *growthBook) Update(n int) {
	var built [2]gb.Feature
	must(json.Unmarshal(mustJSON(gbFlag(updated, 10)), &built[0]))
	must(json.Unmarshal(mustJSON(gbFlag(updated, 20)), &built[1]))
	for i := range n {
		next := maps.Clone(s.cycle.Features())
		next[updated.key] = &built[i%2]
		must(s.cycle.SetFeatures(next))
	}
}
