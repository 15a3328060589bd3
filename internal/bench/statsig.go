package bench

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	statsig "github.com/statsig-io/go-sdk"
)

// statsigClient is the client in its local mode: it asks no network, and logs no
// exposures. Only a poll of its own replaces flags, so it has no Update.
type statsigClient struct {
	client *statsig.Client
	cycle  *statsig.Client
	users  []statsig.User
}

func newStatsig() System {
	s := &statsigClient{client: loadStatsig(scenarioFlags), cycle: loadStatsig(cycleFlags)}
	for i := range users {
		s.users = append(s.users, statsigUser(&users[i]))
	}
	return s
}

func loadStatsig(flags []spec) *statsig.Client {
	gates, configs := []object{}, []object{}
	for _, f := range flags {
		if f.kind == divided {
			configs = append(configs, statsigConfig(f))
		} else {
			gates = append(gates, statsigGate(f))
		}
	}
	specs := object{"has_updates": true, "time": 1, "feature_gates": gates, "dynamic_configs": configs}
	client, details := statsig.NewClientWithDetails("secret-none", &statsig.Options{
		LocalMode:            true,
		DataAdapter:          statsigData{statsig.CONFIG_SPECS_KEY: string(mustJSON(specs)), statsig.ID_LISTS_KEY: statsigLists(), statsig.ID_LISTS_KEY + "::members": statsigMembers()},
		StatsigLoggerOptions: statsig.StatsigLoggerOptions{DisableAllLogging: true},
		IPCountryOptions:     statsig.IPCountryOptions{Disabled: true},
		UAParserOptions:      statsig.UAParserOptions{Disabled: true},
	})
	must(details.Error)
	return client
}

// statsigData is where the client finds its flags when it starts.
type statsigData map[string]string

// Get returns a document.
func (d statsigData) Get(key string) string { return d[key] }

// Set keeps nothing.
func (statsigData) Set(string, string) {}

// Initialize has nothing to do.
func (statsigData) Initialize() {}

// Shutdown has nothing to do.
func (statsigData) Shutdown() {}

// ShouldBeUsedForQueryingUpdates says that there are none.
func (statsigData) ShouldBeUsedForQueryingUpdates(string) bool { return false }

func statsigLists() string {
	return string(mustJSON(object{"members": object{
		"name": "members", "size": len(statsigMembers()), "creationTime": 1, "url": "none", "fileID": "1",
	}}))
}

// statsigMembers is the list of members as Statsig keeps one: by parts of hashes.
func statsigMembers() string {
	var lines strings.Builder
	for _, id := range members {
		sum := sha256.Sum256([]byte(id))
		lines.WriteString("+" + base64.StdEncoding.EncodeToString(sum[:])[:8] + "\n")
	}
	return lines.String()
}

func statsigGate(f spec) object {
	everybody := object{"type": "public", "idType": "userID"}
	var all []object
	switch f.kind {
	case static:
		all = []object{statsigRule("all", 100, true, everybody)}
	case half:
		all = []object{statsigRule("half", halfPercent, true, everybody)}
	case ruled:
		for i, r := range rules(f.n) {
			all = append(all, statsigRule("rule-"+string(rune('0'+i)), 100, true,
				statsigField("country", "any_case_sensitive", r.countries),
				statsigField("plan", "any_case_sensitive", []string{r.plan}),
				statsigField("age", "gte", r.age)))
		}
		all = append(all, statsigRule("rest", restPercent, true, everybody))
	case listed:
		isMember := object{"type": "unit_id", "operator": "in_segment_list", "targetValue": "members", "idType": "userID"}
		all = []object{statsigRule("members", 100, true, isMember)}
	}
	return object{
		"name": f.key, "salt": f.key, "type": "feature_gate", "entity": "feature_gate", "enabled": true,
		"idType": "userID", "defaultValue": false, "rules": all,
	}
}

// statsigConfig is S5: an experiment whose groups end at buckets of 1,000.
func statsigConfig(f spec) object {
	var all []object
	end := 0
	for _, p := range parts {
		end += p.percent * 10
		all = append(all, statsigRule(p.value, 100, object{"value": p.value}, object{
			"type": "user_bucket", "operator": "lt", "targetValue": end, "idType": "userID",
			"additionalValues": object{"salt": f.key},
		}))
	}
	return object{
		"name": f.key, "salt": f.key, "type": "dynamic_config", "entity": "experiment", "enabled": true,
		"idType": "userID", "defaultValue": object{}, "rules": all,
	}
}

func statsigRule(id string, percent int, value any, conditions ...object) object {
	return object{
		"name": id, "id": id, "salt": id, "idType": "userID", "passPercentage": percent, "returnValue": value,
		"conditions": conditions,
	}
}

func statsigField(field, operator string, target any) object {
	return object{"type": "user_field", "field": field, "operator": operator, "targetValue": target, "idType": "userID"}
}

func statsigUser(u *User) statsig.User {
	return statsig.User{
		UserID: u.ID, Email: u.Email, Country: u.Country, Custom: object{"plan": u.Plan, "age": u.Age},
	}
}

func (s *statsigClient) Bool(key string, w Walk) (on int) {
	for ; w.Left > 0; w = w.next() {
		on += one(s.client.CheckGateWithExposureLoggingDisabled(s.users[w.At], key))
	}
	return on
}

func (s *statsigClient) Text(w Walk) (length int) {
	for ; w.Left > 0; w = w.next() {
		experiment := s.client.GetExperimentWithExposureLoggingDisabled(s.users[w.At], "s5")
		length += len(experiment.GetString("value", ""))
	}
	return length
}

func (s *statsigClient) Cycle(w Walk) (on int) {
	for at := 0; w.Left > 0; w = w.next() {
		on += one(s.cycle.CheckGateWithExposureLoggingDisabled(s.users[w.At], cycleKeys[at]))
		at = nextOf(at, cycleCount)
	}
	return on
}

func (s *statsigClient) Handler(w Walk) (on int) {
	for ; w.Left > 0; w = w.next() {
		on += one(s.client.CheckGateWithExposureLoggingDisabled(statsigUser(&users[w.At]), "s3"))
	}
	return on
}

func (s *statsigClient) Ten(w Walk) (on int) {
	for ; w.Left > 0; w = w.next() {
		user := statsigUser(&users[w.At])
		for _, key := range tenKeys {
			on += one(s.client.CheckGateWithExposureLoggingDisabled(user, key))
		}
	}
	return on
}
