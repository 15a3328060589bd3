package flag

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// accept makes serve what is right with the document, and keeps what is wrong with
// it. It says whether there is news. It is called with loading held.
func (s *Store) accept(data []byte, err error) (LoadInfo, bool) {
	s.compiling.Lock()
	defer s.compiling.Unlock()
	s.mu.Lock()
	same := err == nil && s.known && string(data) == s.last
	environ := s.options.environ()
	if same && !s.retry && s.declared == declared() && slices.Equal(environ, s.env.variables) {
		defer s.mu.Unlock()
		confirmed := !s.restored.IsZero()
		s.restored = time.Time{}
		return LoadInfo{Source: s.name(), Revision: s.revision, Err: s.err, Quarantined: s.quarantined}, confirmed
	}
	s.known, s.retry = err == nil, false
	s.mu.Unlock()
	count := declared()
	var next plan
	for try := true; try; {
		laid := s.overlays()
		if err == nil {
			next = s.plan(data, laid) // without the lock, so that whoever kills a flag does not wait
		}
		s.mu.Lock()
		if try = next.set != nil && !s.fits(next.set, laid, func(_ string, o overlay) overlay { return o }); try {
			s.mu.Unlock()
		}
	}
	defer s.mu.Unlock()
	if err == nil {
		s.declared, s.last = count, next.text
		err = next.problems.err()
	}
	if err != nil {
		err = &Error{Op: "load", Key: s.name(), Err: err}
	}
	s.env.variables = environ
	s.surround(next.set)
	err = joined(err, s.env.err)
	news := (s.err == nil) != (err == nil) || !same && next.set != nil
	if s.err != nil && err != nil && s.err.Error() == err.Error() {
		err = s.err
	} else if err != nil {
		news = true
	}
	s.err = err
	if next.set == nil {
		serves := s.revision
		if s.now.Load() == nil {
			serves = 0
		}
		return LoadInfo{s.name(), serves, err, s.quarantined, true, s.restored}, news
	}
	for key, is := range next.under {
		over := s.overlay[key]
		over.under = is
		s.overlay[key] = over
	}
	s.earlier = s.needed(next)
	s.text, s.textAt, s.restored = next.text, time.Now(), time.Time{}
	s.publish(next, Change{Actor: s.name(), Reason: "a new document"})
	return LoadInfo{s.name(), s.revision, err, next.quarantined, false, time.Time{}}, news
}

// plan is what is to serve, before anything is laid over it but whole definitions.
type plan struct {
	text          string
	set           *Set     // nil if nothing of it can serve
	problems      Problems // all
	misfits       Problems // those of what was laid over the document
	quarantined   []string
	changed, gone []string             // the flags whose definition is another, or new, and those that are there no more
	under         map[string]*compiled // what the documents alone have of flags that were put
}

// plan compiles a document with what lies over it. It is called with compiling held,
// which is why the document stays as it is.
func (s *Store) plan(data []byte, laid map[string]overlay) plan {
	alone, old := read(data), s.document.flags()
	found, puts := alone, puts(laid)
	if alone.unfit {
		return plan{text: alone.text, problems: alone.problems}
	}
	if len(puts) > 0 {
		found = readUnder(data, puts)
	}
	out := s.settle(found, laid, old)
	for _, p := range alone.problems {
		if found.put[owner(p.Path)] {
			out.problems = append(out.problems, p) // for whoever clears it
		}
	}
	if s.options.Strict && len(out.problems) > 0 {
		out.set = nil
		return out
	}
	if len(puts) > 0 {
		for key := range puts {
			if delete(old, key); laid[key].under != nil {
				old[key] = laid[key].under
			}
		}
		set, _ := alone.settle(old, s.document.placed())
		out.under = make(map[string]*compiled, len(puts))
		for key := range puts {
			out.under[key] = set.defined(key)
			if alone.wrongAbout(key) {
				out.quarantined = append(out.quarantined, key)
			}
		}
		slices.Sort(out.quarantined)
		out.quarantined = slices.Compact(out.quarantined)
	}
	s.count(out.set)
	return out
}

// settle finds what can serve of a document: what is right and, for what is not, the
// flags as they were.
func (s *Store) settle(found reading, laid map[string]overlay, old map[string]*compiled) plan {
	c, misfits := found.compilation, Problems(nil)
	for key, over := range laid {
		at := jsontree.Join("flags", key)
		var misfit string
		if _, there := c.doc.Flags[key]; !there && !s.aside(over) {
			misfit = fmt.Sprintf("missing, but %s changed it at run time (%s): clear it first", over.change.Actor, over.change.Reason)
		} else if f := c.good[key]; f != nil {
			if _, err := over.apply(f); err != nil {
				misfit = fmt.Sprintf("%v: %s changed it at run time (%s)", err, over.change.Actor, over.change.Reason)
			}
		}
		if misfit != "" {
			// Dropping what an operator or a guard set would be worse than keeping the flag.
			p := Problem{Path: at, Text: misfit}
			c.problems[at] = append(c.problems[at], p)
			misfits = append(misfits, p)
		}
	}
	out := plan{text: found.text, problems: slices.Concat(found.problems, misfits), misfits: misfits}
	found.locate(out.problems)
	out.set, out.quarantined = c.settle(old, s.document.placed())
	for key, over := range laid {
		// It is gone, and never had a definition; who changed it can still clear it.
		if !s.aside(over) && out.set.defined(key) == nil && !out.set.dropped[key] {
			out.set.dropped[key] = true
			out.quarantined = append(out.quarantined, key)
		}
	}
	slices.Sort(out.quarantined)
	out.changed, out.gone = s.document.differs(out.set)
	return out
}

// needed is the documents before the next that flags are still served from, because it
// is wrong about them: never more than there are such flags. It is called with mu held.
func (s *Store) needed(next plan) (out []outdated) {
	if s.options.State == "" {
		return nil // nobody asks
	}
	in := func(keys []string, key string) bool { _, found := slices.BinarySearch(keys, key); return found }
	all := s.earlier
	if s.text != next.text {
		fresh := slices.DeleteFunc(slices.Clone(next.quarantined), func(key string) bool {
			return s.document.defined(key) == nil && s.overlay[key].under == nil || in(s.quarantined, key)
		})
		all = append(slices.Clip(all), outdated{s.text, fresh})
	}
	for _, e := range all {
		e.keys = slices.DeleteFunc(slices.Clone(e.keys), func(key string) bool { return !in(next.quarantined, key) })
		if len(e.keys) > 0 {
			out = append(out, e)
		}
	}
	return out
}

// differs lists the flags whose definition is another in the next set, or new, and
// those that are not in it.
func (s *Set) differs(next *Set) (changed, gone []string) {
	if s == nil {
		return nil, nil // all of it is new
	}
	is := s.keys()
	for key := range next.keys() {
		was, will := s.defined(key), next.defined(key)
		switch {
		case is[key] && was == nil && will == nil:
		case is[key] && was != nil && will != nil && same(was.text, will.text) && reflect.DeepEqual(was.linked().place, will.linked().place):
		default:
			changed = append(changed, strings.Clone(key)) // it is a part of the document
		}
	}
	for key := range is {
		if next.defined(key) == nil && !next.dropped[key] {
			gone = append(gone, key)
		}
	}
	return changed, gone
}

// same says whether two texts of a flag define the same.
func same(a, b string) bool {
	if a == b {
		return true
	}
	one, other := compiled{text: a}, compiled{text: b}
	return reflect.DeepEqual(one.definition(), other.definition())
}

// count gives every flag its counters: those that it had, unless its variants have
// changed.
func (s *Store) count(set *Set) {
	if s.options.NoCounts {
		return
	}
	for key, f := range set.flags() {
		if f.counts != nil {
			continue // it is the same as before
		}
		var before *compiled
		if s.document != nil {
			if h := s.document.header(key); h != nil {
				before = h.flag
			}
		}
		if before != nil && slices.Equal(before.names, f.names) {
			f.tally, f.past = before.tally, before.past
		} else {
			f.past = before.history()
			if i := slices.IndexFunc(f.past, func(was formerly) bool { return slices.Equal(was.names, f.names) }); i >= 0 {
				f.tally = f.past[i].tally
				f.past = slices.Delete(f.past, i, i+1)
			} else {
				s.counts, f.first = s.counts.take(len(f.names) + 1)
				f.counts = s.counts
			}
		}
		set.put(key, f)
	}
}

// overlays returns a copy of what lies over the document. A nil store has nothing.
func (s *Store) overlays() map[string]overlay {
	if s == nil {
		return map[string]overlay{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.overlay == nil {
		return map[string]overlay{}
	}
	return maps.Clone(s.overlay)
}

// puts is the definitions among what lies over the document.
func puts(laid map[string]overlay) map[string]*definition {
	out := map[string]*definition{}
	for key, over := range laid {
		if over.put != nil {
			out[key] = over.put
		}
	}
	return out
}

// fits says whether what has been laid over the document since the set was planned
// fits over that, too. It is called with mu held.
func (s *Store) fits(set *Set, laid map[string]overlay, edit func(key string, o overlay) overlay) bool {
	for key, over := range s.overlay {
		if over = edit(key, over); over == laid[key] || over.empty() {
			continue
		}
		if f := set.defined(key); f == nil {
			if !set.dropped[key] && !s.aside(over) {
				return false
			}
		} else if _, err := over.apply(f); err != nil {
			return false
		}
	}
	return true
}

// publish makes a plan serve, with everything that lies over it. It is called with
// compiling and mu held.
func (s *Store) publish(next plan, change Change) {
	first := s.document == nil
	s.document, s.quarantined, s.problems = next.set, next.quarantined, next.problems
	laid := s.laid(next.set)
	laid.planned = s.revision + 1
	s.serve(laid)
	news := newest{change, s.revision, time.Now()}
	if first {
		s.first, s.changes = news, nil
	}
	for _, key := range next.changed {
		s.noted(key, &news)
	}
	for _, key := range next.gone {
		if _, aside := s.overlay[key]; aside {
			s.noted(key, &news)
		} else {
			delete(s.changes, key)
		}
	}
}

// laid returns the set with everything laid over it.
func (s *Store) laid(set *Set) *Set {
	flags := make(map[string]*compiled, len(s.overlay))
	for key, over := range s.overlay {
		f := set.defined(key)
		if f == nil {
			continue // its definition has always been broken, or it has none
		}
		// It fits: a document or a change that makes it misfit was refused.
		if changed, err := over.apply(f); err == nil {
			flags[key] = changed
		}
	}
	return set.with(flags)
}

// serve makes a set serve under the next revision, or none as long as there is none. Who
// calls it wakes those who wait for that, once nobody has to wait for a lock.
func (s *Store) serve(set *Set) {
	s.revision++
	if set != nil {
		next := *set
		next.revision, next.store = s.revision, s
		s.now.Store(&next)
	}
}
