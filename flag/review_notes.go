package flag

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// reviews is what a store remembers of its newest review.
type reviews struct {
	sync.Mutex
	at    time.Time // zero is no review
	flags map[string]noted
}

// noted is what is known of one flag's evaluations.
type noted struct {
	counts    map[string]uint64 // of this process
	idle      time.Time
	only      string
	onlySince time.Time

	quarantined time.Time
}

// Review looks at the life of every flag that this process has declared so far or that
// the store has. A nil store has none.
//
// Since when a flag is idle or constant is known as far as reviews were made: each compares
// the counts with those of the one before, and what lies between two counts as one moment.
// So it is best called daily. The first review of a flag knows nothing before its newest change
// ([Status.Changed]) or, after a restart, before the store's first document, unless it is
// given [ReviewOptions.Last]. It is never said to be so for longer than it is. With
// [Options.NoCounts] nothing is known to be idle, and constant is only what can serve one
// variant alone, since its newest change.
func (s *Store) Review(options ReviewOptions) Review {
	now := time.Now()
	notes := &reviews{}
	if s != nil {
		notes = &s.reviews
	}
	notes.Lock()
	defer notes.Unlock()
	flags, from := notes.flags, notes.at
	if notes.at.IsZero() {
		flags, from = options.Last.notes(now)
	}
	options.Constant, options.Soon = cmp.Or(options.Constant, 30*24*time.Hour), cmp.Or(options.Soon, 14*24*time.Hour)
	if options.AsOf.IsZero() {
		options.AsOf = now
	}
	next := map[string]noted{}
	review := Review{At: now}
	set := s.snapshot()
	for _, f := range reviewed(s) {
		if f.Configured {
			var c *compiled
			if h := set.header(f.Key); h != nil {
				c = h.flag
			}
			since, changed := from, s.lastChanged(f.Key)
			before, known := flags[f.Key]
			if !known { // the first review of it begins with its newest change
				since = changed
			}
			n := before.after(since, now, changed, c)
			if status, err := s.Status(f.Key); err == nil && status.Quarantined {
				n.quarantined = cmp.Or(before.quarantined, now)
			} else {
				n.quarantined = time.Time{}
			}
			next[f.Key] = n
			f.Counts, f.Idle, f.Only, f.OnlySince = maps.Clone(n.counts), n.idle, n.only, n.onlySince
			f.Quarantined = n.quarantined
		}
		f.find(now, options)
		review.Flags = append(review.Flags, f)
	}
	notes.at, notes.flags = now, next
	return review
}

// notes is what a review of an earlier process knew.
func (r Review) notes(now time.Time) (map[string]noted, time.Time) {
	if r.At.After(now) {
		return nil, time.Time{}
	}
	flags := make(map[string]noted, len(r.Flags))
	for _, f := range r.Flags {
		if !f.Configured {
			continue
		}
		flags[f.Key] = noted{nil, f.Idle, f.Only, f.OnlySince, f.Quarantined}
	}
	return flags, r.At
}

// lastChanged is when that was.
func (s *Store) lastChanged(key string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed(key).at
}

// after adds to what is known what has happened since then.
func (n noted) after(from, now, changed time.Time, f *compiled) noted {
	if f == nil { // its definition has always been broken
		return noted{}
	}
	served := map[string]bool{}
	counted := f.counts != nil
	before := n.counts
	n.counts = f.total()
	if counted {
		for name, count := range before {
			if n.counts[name] < count {
				before = nil // the flag was gone in between
			}
		}
		for name, count := range n.counts {
			if count > before[name] {
				served[name] = true
			}
		}
		switch {
		case len(served) > 0:
			n.idle = now
		case n.idle.IsZero():
			n.idle = from
		}
	}
	fixed := f.reachable(false)
	if len(fixed) == 1 {
		served[f.name(fixed[0])] = true
		from = changed // since then it can have been no other
	}
	if len(fixed) > 1 && (!counted || len(served) > 1) {
		n.only, n.onlySince = "", time.Time{}
		return n
	}
	for name := range served {
		one := len(fixed) > 1 || name == f.name(fixed[0])
		if one && (!counted || len(served) > 1 || n.onlySince.IsZero() || n.only != name) {
			n.only, n.onlySince = name, from
		}
	}
	return n
}

// reviewed is every flag with what does not depend on the time.
func reviewed(s *Store) (all []ReviewedFlag) {
	flags := map[string]*ReviewedFlag{}
	get := func(key string) *ReviewedFlag {
		if flags[key] == nil {
			flags[key] = &ReviewedFlag{Key: strings.Clone(key)}
		}
		return flags[key]
	}
	for d := range Declared() {
		f := get(d.Key)
		f.Declared = append(f.Declared, d)
		if f.Expires.IsZero() || !d.Expires.IsZero() && d.Expires.Before(f.Expires) {
			f.Expires = d.Expires
		}
	}
	if set := s.snapshot(); set != nil {
		for key := range set.keys() {
			get(key).Configured = true
		}
		for key, f := range set.flags() {
			links := f.linked()
			needs := map[string]bool{}
			needed(needs, map[string]bool{}, links.flags, links.segments)
			for other := range needs {
				if r := flags[other]; r != nil {
					r.NeededBy = append(r.NeededBy, strings.Clone(key))
				}
			}
		}
	}
	for key, over := range s.overlays() {
		get(key).Laid = slices.DeleteFunc(over.laid(), func(l Laid) bool { return s.source == nil && l.What == laidNames[laidPut] })
	}
	for _, key := range slices.Sorted(maps.Keys(flags)) {
		f := flags[key]
		slices.Sort(f.NeededBy)
		f.Owner = f.declared(" or ", func(d Declaration) string { return d.Owner })
		all = append(all, *f)
	}
	return all
}

// needed collects the flags that conditions name, be it by segments.
func needed(out, seen map[string]bool, flags map[string]int, segments map[string]segmentUse) {
	for key := range flags {
		out[key] = true
	}
	for name, s := range segments {
		if !seen[name] {
			seen[name] = true
			needed(out, seen, s.use.flags, s.use.segments)
		}
	}
}

// find says what there is to look at.
func (f *ReviewedFlag) find(now time.Time, options ReviewOptions) {
	add := func(kind FindingKind, since time.Time, format string, args ...any) {
		f.Findings = append(f.Findings, Finding{kind, since, shorten(fmt.Sprintf(format, args...))})
	}
	if len(f.Declared) > 0 && !f.Configured {
		add(FindingUnconfigured, time.Time{}, "declared as %s", f.declared(" and ", Declaration.typed))
	}
	total := uint64(0)
	for _, n := range f.Counts {
		total += n
	}
	switch {
	case len(f.Declared) > 0 || f.NeededBy != nil || !f.Configured:
	case total > 0:
		add(FindingUndeclared, time.Time{}, "evaluated by its key")
	default:
		add(FindingUndeclared, time.Time{}, "")
	}
	if slices.ContainsFunc(f.Declared, func(d Declaration) bool { return d.Type != f.Declared[0].Type }) {
		add(FindingTypes, time.Time{}, "declared as %s", f.declared(" and ", Declaration.typed))
	}
	if f.differ() {
		add(FindingLives, time.Time{}, "%s", f.declared(" and ", Declaration.lived))
	}
	idle := f.NeededBy == nil && !f.Idle.IsZero() && now.Sub(f.Idle) >= options.Constant
	switch {
	case idle && total > 0:
		add(FindingIdle, f.Idle, "evaluated %d times before", total)
	case idle:
		add(FindingIdle, f.Idle, "")
	case !f.OnlySince.IsZero() && now.Sub(f.OnlySince) >= options.Constant:
		only := fmt.Sprintf("%q", f.Only)
		if f.Only == "" {
			only = "the caller's default"
		}
		add(FindingConstant, f.OnlySince, "serves only %s", only)
	}
	switch life := (Life{Expires: f.Expires}); {
	case life.Expired(options.AsOf):
		add(FindingExpired, f.Expires, "declared at %s", f.declared(" and ", Declaration.place))
	case !f.Expires.IsZero() && f.Expires.Sub(options.AsOf) < options.Soon:
		add(FindingExpiring, f.Expires, "declared at %s", f.declared(" and ", Declaration.place))
	}
	for _, l := range f.Laid {
		if now.Sub(l.At) >= options.Constant {
			add(FindingOverlaid, l.At, "%s by %s: %s", l.What, l.Change.Actor, l.Change.Reason)
		}
	}
	if !f.Quarantined.IsZero() && now.Sub(f.Quarantined) >= options.Constant {
		add(FindingQuarantined, f.Quarantined, "the newest document is wrong about it")
	}
}

// differ says whether two declarations name different owners or ends.
func (f *ReviewedFlag) differ() bool {
	for _, d := range f.Declared {
		if d.Owner != "" && d.Owner != f.Owner || !d.Expires.IsZero() && !d.Expires.Equal(f.Expires) {
			return true
		}
	}
	return false
}

// declared spells every declaration of the flag that has something to say, each once.
func (f *ReviewedFlag) declared(between string, spell func(Declaration) string) string {
	var texts []string
	for _, d := range f.Declared {
		if text := spell(d); text != "" && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, between)
}

func (d Declaration) place() string { return d.Where }
func (d Declaration) typed() string { return d.Type + " at " + d.Where }

func (d Declaration) lived() string {
	text := cmp.Or(d.Owner, "no owner")
	if !d.Expires.IsZero() {
		text += " until " + dated(d.Expires)
	}
	return text + " at " + d.Where
}
