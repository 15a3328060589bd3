package flag

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"time"
)

// Status is one flag as it serves now. It reads and writes JSON.
type Status struct {
	Key         string            `json:"key"`                   // the flag's
	Missing     bool              `json:"missing,omitempty"`     // the store does not have the flag, so it is its callers' defaults; only of Watch, or where a kill or an override waits for it
	Disabled    bool              `json:"disabled,omitempty"`    // by its definition or by Toggle
	Killed      bool              `json:"killed,omitempty"`      // by Kill
	Override    string            `json:"override,omitempty"`    // the variant that Override, or else a variable of the environment, serves to everybody, or empty
	Quarantined bool              `json:"quarantined,omitempty"` // whether the newest document is wrong about it, or about what it depends on, so that an older definition serves; of a flag that was put, whether it is wrong about that one itself
	Ramp        Ramp              `json:"ramp,omitzero"`         // the ramp that serves, or would if the flag were not killed, overridden or disabled; zero if there is none
	Split       bool              `json:"split,omitempty"`       // whether a split serves in a ramp's place
	Serve       string            `json:"serve,omitempty"`       // the variant for those whom neither rule nor ramp decides
	True        string            `json:"true,omitempty"`        // the only variant that is true; empty if there is none
	Salts       []string          `json:"salts,omitempty"`       // of the rules' ramps
	Defined     Ramp              `json:"defined,omitzero"`      // the ramp of its definition: the same, unless SetRamp or Advance laid another over it
	Put         bool              `json:"put,omitempty"`         // whether Create, Put or Rebalance laid a definition over the document's
	Overlaid    bool              `json:"overlaid,omitempty"`    // whether anything that was changed at run time, or a variable of the environment, lies over the document
	OverlaidBy  Change            `json:"overlaidBy,omitzero"`   // who last changed that, and why; see Laid for who killed it
	Laid        []Laid            `json:"laid,omitempty"`        // all that lies there, what wins first: a kill, if there is one
	Change      Change            `json:"change,omitzero"`       // who last changed the flag, and why, be it a document or what was taken back since; a document is called by its source's name
	Changed     time.Time         `json:"changed,omitzero"`      // when that was
	Since       uint64            `json:"since,omitzero"`        // the revision of that change
	Counts      map[string]uint64 `json:"counts,omitempty"`      // evaluations by variant since the store has the flag, "" is the caller's default; nil if there are none. A variant that 8 sets of variants in a row lack is forgotten. Overrides of one request, and prerequisites of other flags, do not count
	Revision    uint64            `json:"revision"`              // of the snapshot that serves
}

// Status returns a flag as it serves now, or [ErrNotFound].
func (s *Store) Status(key string) (Status, error) {
	if s == nil {
		return Status{}, &Error{Op: "status", Key: key, Err: errNoDocument}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	set := s.snapshot()
	over, overlaid := s.overlay[key]
	switch {
	case set.has(key) || overlaid:
	case set == nil:
		return Status{}, &Error{Op: "status", Key: key, Err: errNoDocument}
	default:
		return Status{}, &Error{Op: "status", Key: key, Err: ErrNotFound}
	}
	last := s.changed(key)
	st := Status{
		Key: key, Missing: !set.has(key), Killed: over.killed, Override: over.variant, Put: over.put != nil, Overlaid: overlaid, OverlaidBy: over.change, Laid: over.laid(),
		Change: last.change, Changed: last.at, Since: last.revision, Revision: s.revision,
	}
	if v := s.env.served[key]; v != "" {
		if !overlaid {
			st.Overlaid, st.OverlaidBy = true, Change{Actor: environmentActor, Reason: v}
		}
		at := 0
		for at < len(st.Laid) && (st.Laid[at].What == laidNames[laidKill] || st.Laid[at].What == laidNames[laidOverride]) {
			at++
		}
		st.Laid = slices.Insert(st.Laid, at, Laid{What: environmentActor, Change: Change{Actor: environmentActor, Reason: v}})
		if st.Override == "" {
			_, st.Override, _ = strings.Cut(v, "=")
		}
	}
	f := set.defined(key)
	if f == nil {
		st.Quarantined = !st.Missing
		return st, nil
	}
	st.Disabled, st.Serve, st.True, st.Counts = f.disabled, f.name(f.serve), f.name(f.yes), f.total()
	st.Quarantined = slices.Contains(s.quarantined, key)
	st.Split = f.main != nil && f.main.cuts != nil
	st.Ramp, st.Defined = f.ramp(), s.document.header(key).flag.ramp()
	for _, e := range f.exits {
		if e.rule >= 0 && e.draw != nil && e.draw.cuts == nil {
			st.Salts = append(st.Salts, e.draw.salt)
		}
	}
	return st, nil
}

// ramp is the flag's own ramp as a document would have it, or zero.
func (f *compiled) ramp() Ramp {
	d := f.main
	if d == nil || d.cuts != nil {
		return Ramp{}
	}
	ramp := Ramp{Share: d.share, Serve: f.name(d.serve), Salt: d.salt, By: attributeName(d.by)}
	if d.schedule != nil {
		ramp.Linear = d.schedule.linear
		for _, p := range d.schedule.points {
			ramp.Schedule = append(ramp.Schedule, Point{time.Unix(0, p.at).UTC(), p.share})
		}
	}
	return ramp
}

// Definition returns what defines the flag: its document or, if that is there, what
// Create, Put or Rebalance laid over it; without ramps, overrides, toggles and kills.
// It is [ErrNotFound] if there is none that serves.
func (s *Store) Definition(key string) (FeatureFlag, error) {
	if s.snapshot() == nil {
		return FeatureFlag{}, &Error{Op: "definition", Key: key, Err: errNoDocument}
	}
	s.mu.Lock()
	h := s.document.header(key)
	s.mu.Unlock()
	if h == nil {
		return FeatureFlag{}, &Error{Op: "definition", Key: key, Err: ErrNotFound}
	}
	return h.flag.definition(), nil
}

// All returns every flag as it serves now, in the order of their keys.
func (s *Store) All() iter.Seq[Status] {
	return func(yield func(Status) bool) {
		for _, key := range slices.Sorted(maps.Keys(s.keys())) {
			if status, err := s.Status(key); err == nil && !yield(status) {
				return
			}
		}
	}
}

// keys are those of all flags, and of what waits for one. A nil store has none.
func (s *Store) keys() map[string]bool {
	keys := map[string]bool{}
	maps.Copy(keys, s.snapshot().keys())
	for key := range s.overlays() {
		keys[key] = true
	}
	return keys
}

func (f *compiled) name(variant int32) string {
	if variant < 0 {
		return ""
	}
	return f.names[variant]
}
