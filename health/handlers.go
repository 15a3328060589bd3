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
// while nothing is known yet, and from [Monitor.Drain] on.
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

// Details answers as application/health+json (draft-inadarei-api-health-check-06): 200
// for pass and warn, 503 for fail. Every check is in it only for those whom authorise
// lets; a nil authorise lets nobody.
func (m *Monitor) Details(authorise func(*http.Request) bool) http.Handler {
	return onlyRead(func(w http.ResponseWriter, r *http.Request) {
		report := m.Report()
		out := healthJSON{Status: word(report.Status)}
		if authorise != nil && authorise(r) {
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
	Status string                 `json:"status"`
	Checks map[string][]checkJSON `json:"checks,omitempty"`
}

type checkJSON struct {
	Status        string  `json:"status"`
	ObservedValue float64 `json:"observedValue"`
	ObservedUnit  string  `json:"observedUnit"`
	Time          string  `json:"time,omitempty"`
	Output        string  `json:"output,omitempty"`
}

func (c CheckReport) json() checkJSON {
	out := checkJSON{Status: word(c.Status), ObservedValue: float64(c.Last.Took) / float64(time.Millisecond), ObservedUnit: "ms"}
	if c.Last.Kind != 0 {
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
