package flag

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/internal/jsontree"
)

// emptyDocument is that of a store without a source.
const emptyDocument = `{"flags": {}}`

// definition is a definition that was put at run time. It is immutable.
type definition struct {
	FeatureFlag
	text     string
	problems Problems // of what cannot even be written or read
}

// define writes a definition and reads it as strictly as a document, so that it is
// nobody else's.
func define(key string, def FeatureFlag) *definition {
	at := jsontree.Join("flags", key)
	if !utf8.ValidString(key) {
		return &definition{problems: Problems{{Path: at, Text: fmt.Sprintf("found the key %q, want UTF-8", key)}}}
	}
	text, err := json.Marshal(def)
	if err != nil {
		return &definition{problems: Problems{{Path: at, Text: fmt.Sprintf("cannot be written as JSON: %v", err)}}}
	}
	return readDefinition(key, text)
}

// readDefinition reads what was written of a definition.
func readDefinition(key string, text []byte) *definition {
	out := &definition{text: string(text)}
	root, err := jsontree.Parse(text)
	if root != nil {
		err = errors.Join(err, root.Decode(jsontree.Join("flags", key), &out.FeatureFlag))
	}
	out.problems = asProblems(err)
	for i := range out.problems {
		out.problems[i].Line, out.problems[i].Col = 0, 0 // nobody sees that text
	}
	return out
}

// Create lays a flag that is not there over the document. It is [ErrConflict] if it
// is. Everything else is as with [Store.Put].
func (s *Store) Create(key string, def FeatureFlag, change Change) error {
	return s.put("create", key, change, func(is *compiled) (*definition, error) {
		if s.document.keys()[key] {
			s.mu.Lock()
			defer s.mu.Unlock()
			last := s.changed(key)
			return nil, &Error{Op: "create", Key: key, Revision: last.revision, Err: fmt.Errorf("%w: it is there already, by %s at revision %d: %s", ErrConflict, last.change.Actor, last.revision, last.change.Reason)}
		}
		return define(key, def), nil
	})
}

// Put lays a whole definition over the document: that of a flag that is there, or a
// new one. A later document does not undo it, and [Store.Clear] takes it away: a flag
// that no document has is gone then. Ramps, overrides, toggles and kills of the flag
// stay over it. A store without a source, New(nil, Options{}), has an empty document.
//
// The definition is compiled with the whole document. If that makes anything wrong,
// here or in another flag, nothing changes, and the error is a [Problems] with all of
// it. A later document that does not fit to what was put is quarantined like any
// other that is wrong.
func (s *Store) Put(key string, def FeatureFlag, change Change) error {
	return s.put("put", key, change, func(*compiled) (*definition, error) {
		if change.Revision != 0 && !s.document.keys()[key] {
			return nil, &Error{Op: "put", Key: key, Err: fmt.Errorf("%w: it is not there, which no revision is of", ErrConflict)}
		}
		return define(key, def), nil
	})
}

// Rebalance gives the flag's own split new shares, and moves as few units as can be;
// see the function [Rebalance]. The new split lies over the document as by
// [Store.Put].
func (s *Store) Rebalance(key string, split Split, change Change) error {
	return s.put("rebalance", key, change, func(is *compiled) (*definition, error) {
		if is == nil {
			return nil, &Error{Op: "rebalance", Key: key, Err: ErrNotFound}
		}
		def := is.definition()
		if def.Split == nil {
			return nil, &Error{Op: "rebalance", Key: key, Err: errors.New("has no split of its own")}
		}
		next, err := Rebalance(*def.Split, split)
		if err != nil {
			return nil, &Error{Op: "rebalance", Key: key, Err: err}
		}
		def.Split = &next
		return define(key, def), nil
	})
}

// Clear takes away everything that was laid over the flag: its document decides
// again. If what Put laid there is needed by others, or the document is wrong about the
// flag and has moved it in its layer, that is a [Problems], and nothing changes.
func (s *Store) Clear(key string, change Change) error {
	if s == nil {
		return &Error{Op: "clear", Key: key, Err: errNoDocument}
	}
	return s.finish("clear", key, s.clear(key, change))
}

func (s *Store) clear(key string, change Change) error {
	s.compiling.Lock()
	defer s.compiling.Unlock()
	s.mu.Lock()
	put := s.overlay[key].put
	s.mu.Unlock()
	if put != nil {
		return s.replace("clear", key, change, func(*compiled) (*definition, error) { return nil, nil })
	}
	return s.lay("clear", key, laidPut, change, func(o *overlay, _ *compiled) (string, error) {
		*o = overlay{}
		return "", nil
	})
}

func (s *Store) put(op, key string, change Change, next func(is *compiled) (*definition, error)) error {
	if s == nil {
		return &Error{Op: op, Key: key, Err: errNoDocument}
	}
	err := func() error {
		s.compiling.Lock()
		defer s.compiling.Unlock()
		return s.replace(op, key, change, next)
	}()
	return s.finish(op, key, err)
}

// replace compiles the newest document again with another definition put in one flag's
// place, or with none. It is called with compiling held.
func (s *Store) replace(op, key string, change Change, next func(is *compiled) (*definition, error)) error {
	if err := change.check(); err != nil {
		return &Error{Op: op, Key: key, Err: err}
	}
	if s.document == nil && s.source != nil {
		return &Error{Op: op, Key: key, Err: errNoDocument}
	}
	is := s.document.defined(key)
	s.mu.Lock()
	err := s.compare(op, key, change)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	def, err := next(is)
	if err != nil {
		return err
	}
	edit := func(of string, o overlay) overlay {
		switch {
		case of != key:
			return o
		case def == nil:
			return overlay{}
		case o.put == nil:
			o.under = is.unforced()
		}
		o.put = def
		return o
	}
	var ready plan
	for {
		laid, old := s.overlays(), s.document.flags()
		if under := laid[key].under; def == nil {
			if delete(old, key); under != nil {
				old[key] = under.uncounted()
			}
		}
		if laid[key] = edit(key, laid[key]); def == nil {
			delete(laid, key)
		}
		found := readUnder([]byte(cmp.Or(s.text, emptyDocument)), puts(laid))
		if found.root.Get("flags").Get(key) == nil {
			is = nil // it was kept for what lay over it
		}
		ready = s.settle(found, laid, old)
		if problems := s.caused(ready, key, def); len(problems) > 0 {
			return &Error{Op: op, Key: key, Err: problems}
		}
		if def == nil && ready.set.misplaced(key) {
			at := jsontree.Join("flags", key)
			return &Error{Op: op, Key: key, Err: Problems{{Path: at, Text: "the newest document is wrong about it, and an older definition would take units of its layer that other flags have by now: mend the document first"}}}
		}
		s.remember(&ready, puts(laid))
		s.count(ready.set)
		s.mu.Lock()
		err := s.compare(op, key, change)
		if err == nil && s.fits(ready.set, laid, edit) {
			break
		}
		if s.mu.Unlock(); err != nil {
			return err
		}
	}
	defer s.mu.Unlock()
	over := edit(key, s.overlay[key])
	over.sign(laidPut, change, time.Now())
	s.keep(key, over)
	s.retry = s.retry || s.err != nil
	s.surround(ready.set)
	s.publish(ready, over.change)
	s.note(op, key, "", change)
	return nil
}

// misplaced says whether a flag has another place than the layers that serve give it.
func (s *Set) misplaced(key string) bool {
	f := s.defined(key)
	if f == nil {
		return false
	}
	has := f.linked().place
	for name, layer := range s.layers {
		if ranges, in := layer.Flags[key]; in {
			return has == nil || !slices.Equal(has.ranges, ranges) || has.lane != bucket.Lane(cmp.Or(layer.Salt, name), bucket.Layer)
		}
	}
	return has != nil
}

// caused is the problems that there were not before: all of a definition that is to be
// put, and new ones of other flags.
func (s *Store) caused(next plan, key string, def *definition) (problems Problems) {
	put := ""
	if def != nil {
		put = jsontree.Join("flags", key)
	}
	known, misfits, stay := s.problems.texts(), next.misfits.texts(), map[string]bool{}
	for _, other := range s.quarantined {
		stay[jsontree.Join("flags", other)] = true
	}
	for _, p := range next.problems {
		switch at := owner(p.Path); {
		case at == put:
		case known[p.what()]:
			continue
		case stay[at] && misfits[p.what()]:
			continue // it was laid over what serves, and stays
		}
		problems = append(problems, p)
	}
	if len(problems) > 0 {
		return problems
	}
	for _, other := range next.quarantined {
		if at := jsontree.Join("flags", other); at == put || !stay[at] {
			problems.add(at, "does not fit older definitions, which serve because the newest document is wrong about their flags: %q", s.quarantined)
		}
	}
	return problems
}

// what is a problem wherever its text stands.
func (p Problem) what() Problem { return Problem{Path: p.Path, Text: p.Text} }

func (p Problems) texts() map[Problem]bool {
	texts := make(map[Problem]bool, len(p))
	for _, one := range p {
		texts[one.what()] = true
	}
	return texts
}

// wrongAbout says whether it is wrong about this flag, and not only about one that the
// flag needs or shares a layer with.
func (r reading) wrongAbout(key string) bool {
	return slices.ContainsFunc(r.problems, func(p Problem) bool { return owner(p.Path) == jsontree.Join("flags", key) })
}

// remember adds to a plan what was found out about the document under what was put.
func (s *Store) remember(next *plan, puts map[string]*definition) {
	known, put, alone := next.problems.texts(), map[string]bool{}, reading{}
	for key := range puts {
		put[jsontree.Join("flags", key)] = true
		if !slices.Contains(s.quarantined, key) || slices.Contains(next.quarantined, key) {
			continue
		}
		if alone.problems == nil {
			alone = read([]byte(s.text))
		}
		if alone.wrongAbout(key) {
			next.quarantined = append(next.quarantined, key)
		}
	}
	slices.Sort(next.quarantined)
	for _, p := range s.problems {
		if put[owner(p.Path)] && !known[p.what()] {
			next.problems = append(next.problems, p)
		}
	}
}

// unforced returns a copy that no variable overrides; they are asked anew when it serves.
func (f *compiled) unforced() *compiled {
	if f == nil {
		return nil
	}
	return f.overridden(-1)
}

// uncounted returns a copy without counters, for whoever gives it some.
func (f *compiled) uncounted() *compiled {
	out := *f
	out.tally, out.past = tally{}, nil
	return &out
}
