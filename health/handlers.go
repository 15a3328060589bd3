package health

import (
	"encoding/json"
	"net/http"
	"time"
)

// Live answers 200 as long as the process can answer at all. It asks no check, since a
// process must not be restarted for what is wrong elsewhere.
func (m *Monitor) Live() http.Handler {
	return onlyRead(func(w http.ResponseWriter, _ *http.Request) {
		plain(w, http.StatusOK, "alive")
	})
}

// Ready answers 200 while the whole is healthy or degraded, and 503 otherwise: also
// while nothing is known yet, and from [Monitor.Drain] on. Who should ask again soon is
// told so by Retry-After; who drains does not come back.
func (m *Monitor) Ready() http.Handler {
	return onlyRead(func(w http.ResponseWriter, _ *http.Request) {
		report := m.Report()
		switch {
		case report.Draining:
			plain(w, http.StatusServiceUnavailable, "draining")
		case report.Status.well():
			plain(w, http.StatusOK, report.Status.String())
		default:
			w.Header().Set("Retry-After", "5")
			plain(w, http.StatusServiceUnavailable, report.Status.String())
		}
	})
}

// About is what a service says of itself, in the words of
// draft-inadarei-api-health-check-06. Every field is optional.
type About struct {
	Version     string            `json:"version,omitempty"`     // of the service's API
	ReleaseID   string            `json:"releaseId,omitempty"`   // of what is deployed
	ServiceID   string            `json:"serviceId,omitempty"`   // of the service
	Description string            `json:"description,omitempty"` // for people
	Notes       []string          `json:"notes,omitempty"`       // for people
	Links       map[string]string `json:"links,omitempty"`       // URIs by relation
}

// Details answers as application/health+json (draft-inadarei-api-health-check-06): 200
// for pass and warn, 503 for fail. Every check, and [MonitorOptions.About], is in it only
// for those whom authorise lets; a nil authorise lets nobody.
func (m *Monitor) Details(authorise func(*http.Request) bool) http.Handler {
	return onlyRead(func(w http.ResponseWriter, r *http.Request) {
		report := m.Report()
		out := healthJSON{Status: word(report.Status)}
		if authorise != nil && authorise(r) {
			out.About = m.options.About
			if out.Status != "pass" {
				out.Output = report.headline()
			}
			out.Checks = map[string][]checkJSON{}
			for _, c := range report.Checks {
				out.Checks[c.Name+":responseTime"] = []checkJSON{c.json()}
			}
		}
		code := http.StatusOK
		if out.Status == "fail" {
			code = http.StatusServiceUnavailable
		}
		w.Header().Set("Content-Type", "application/health+json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(out) // the reader may be gone
	})
}

type healthJSON struct {
	Status string `json:"status"`
	About
	Output string                 `json:"output,omitempty"`
	Checks map[string][]checkJSON `json:"checks,omitempty"`
}

// checkJSON has no observed value and no time before there is a result.
type checkJSON struct {
	Status        string   `json:"status"`
	ObservedValue *float64 `json:"observedValue,omitempty"`
	ObservedUnit  string   `json:"observedUnit,omitempty"`
	Time          string   `json:"time,omitempty"`
	Output        string   `json:"output,omitempty"`
}

func (c CheckReport) json() checkJSON {
	out := checkJSON{Status: word(c.Status)}
	if c.Last.Kind != 0 {
		out.ObservedValue, out.ObservedUnit = new(float64(c.Last.Took)/float64(time.Millisecond)), "ms"
		out.Time = c.Last.At.UTC().Format(time.RFC3339Nano)
	}
	if out.Status != "pass" {
		out.Output = c.String()
	}
	return out
}

// word is a status as the draft has it: what is not known to be well fails.
func word(s Status) string {
	switch s {
	case Healthy:
		return "pass"
	case Degraded, Skipped, Maintenance:
		return "warn"
	}
	return "fail"
}

func plain(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text + "\n")) // the reader may be gone
}

// onlyRead refuses what is not a read, and keeps answers from being cached.
func onlyRead(answer http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			plain(w, http.StatusMethodNotAllowed, "method not allowed")
			return
		}
		answer(w, r)
	})
}
