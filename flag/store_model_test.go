package flag_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// modelled is what a store must be, in the slowest and most obvious way. Its flags have
// the variants a and b, or b alone, and may need that another serves a.
type modelled struct {
	strict    bool
	last      map[string]modelDef // the newest document of which something serves
	document  map[string]modelDef // the flags of documents that are right, or once were
	dropped   map[string]bool     // those of documents that have never been right
	puts      map[string]modelDef
	laid      map[string]modelLaid
	newest    map[string]uint64
	revision  uint64
	firstEver uint64
}

// modelDef is a definition.
type modelDef struct {
	name     string // a part of its values
	onlyB    bool
	serve    string
	disabled bool
	needs    string
	broken   bool
}

// modelLaid is what lies over a flag beside a definition.
type modelLaid struct {
	killed         bool
	override, ramp string // variants
	full           bool   // whether the ramp is at 100 %, or at 0 %
	disabled       *bool
}

func (d modelDef) has(variant string) bool { return variant == "b" || variant == "a" && !d.onlyB }

func (d modelDef) flag() flag.FeatureFlag {
	def := flag.FeatureFlag{Variants: map[string]any{"b": d.name + "b"}, Serve: d.serve, Disabled: d.disabled}
	if !d.onlyB {
		def.Variants["a"] = d.name + "a"
	}
	if d.needs != "" {
		def.When = &flag.Condition{Flag: d.needs, Serves: []string{"a"}}
	}
	if d.broken {
		def.Off = "nothing"
	}
	return def
}

// fits says whether what lies over a flag fits its definition.
func (l modelLaid) fits(d modelDef) bool {
	return (l.override == "" || d.has(l.override)) && (l.ramp == "" || d.has(l.ramp) && (l.full || l.ramp != d.serve))
}

// merged is a document under what was put.
func merged(document, puts map[string]modelDef) map[string]modelDef {
	all := maps.Clone(document)
	maps.Copy(all, puts)
	return all
}

// right says whether flags can serve together.
func right(all map[string]modelDef) bool {
	for key := range all {
		if !rightAbout(all, key) {
			return false
		}
	}
	return true
}

// rightAbout says whether nothing is wrong with one of them.
func rightAbout(all map[string]modelDef, key string) bool {
	d := all[key]
	if needed, there := all[d.needs]; d.broken || d.needs != "" && (!there || !needed.has("a")) {
		return false
	}
	at := d.needs
	for range all {
		if at == key {
			return false // a circle
		}
		at = all[at].needs
	}
	return true
}

// serves is the variant and the value that everybody gets.
func (m *modelled) serves(key string) (variant, value string) {
	d, there := merged(m.document, m.puts)[key]
	l := m.laid[key]
	disabled := d.disabled
	if l.disabled != nil {
		disabled = *l.disabled
	}
	needed := "a"
	if d.needs != "" {
		needed, _ = m.serves(d.needs)
	}
	switch {
	case !there || l.killed:
		return "", "default"
	case l.override != "":
		return l.override, d.name + l.override
	case disabled || needed != "a":
		return "", "default"
	case l.ramp != "" && l.full:
		return l.ramp, d.name + l.ramp
	}
	return d.serve, d.name + d.serve
}

func (m *modelled) there(key string) bool {
	_, there := merged(m.document, m.puts)[key]
	return there || m.dropped[key]
}

func (m *modelled) since(key string) uint64 {
	if at, ok := m.newest[key]; ok {
		return at
	}
	return m.firstEver
}

var (
	errModelOther = errors.New("another error")
	modelKeys     = []string{"k0", "k1", "k2", "k3"}
)

// late is the answer to a change that was decided by an old revision.
func (m *modelled) late(key string, revision uint64) error {
	if revision != 0 && (revision < m.since(key) || revision > m.revision) {
		return flag.ErrConflict
	}
	return nil
}

// aside says whether something waits for a flag that is not there.
func (m *modelled) aside(key string) bool {
	l, is := m.laid[key]
	return m.strict && is && l.ramp == "" && l.disabled == nil
}

// lay changes what lies over a flag.
func (m *modelled) lay(key string, revision uint64, edit func(*modelLaid)) error {
	if !m.there(key) && !m.aside(key) {
		return flag.ErrNotFound
	}
	if err := m.late(key, revision); err != nil {
		return err
	}
	l := m.laid[key]
	edit(&l)
	d, defined := merged(m.document, m.puts)[key]
	bare := modelLaid{killed: l.killed}
	if m.aside(key) {
		bare.override = m.laid[key].override
	}
	switch {
	case defined && !l.fits(d):
		return errModelOther
	case !defined && l != bare && l != (modelLaid{}):
		return errModelOther
	}
	m.laid[key] = l
	m.revision++
	m.newest[key] = m.revision
	if l == (modelLaid{}) {
		delete(m.laid, key)
		if !m.there(key) {
			delete(m.newest, key)
		}
	}
	return nil
}

// put lays a definition over the document.
func (m *modelled) put(key string, revision uint64, d modelDef, create bool) error {
	switch err := m.late(key, revision); {
	case err != nil:
		return err
	case create && m.there(key), !create && revision != 0 && !m.there(key):
		return flag.ErrConflict
	}
	puts := maps.Clone(m.puts)
	puts[key] = d
	if !right(merged(m.document, puts)) || !m.laid[key].fits(d) {
		return flag.ErrInvalid
	}
	before := merged(m.document, m.puts)
	m.puts = puts
	next, dropped, _ := m.judge(m.last) // anew, since it may fit better by now
	m.take(next, dropped, before)
	m.newest[key] = m.revision
	return nil
}

// clear takes everything away.
func (m *modelled) clear(key string, revision uint64) error {
	if !m.there(key) && !m.aside(key) {
		return flag.ErrNotFound
	}
	if err := m.late(key, revision); err != nil {
		return err
	}
	puts := maps.Clone(m.puts)
	if delete(puts, key); !right(merged(m.document, puts)) {
		return flag.ErrInvalid
	}
	before, had := merged(m.document, m.puts), len(m.puts)
	m.puts = puts
	delete(m.laid, key)
	if len(puts) < had {
		next, dropped, _ := m.judge(m.last)
		m.take(next, dropped, before)
	} else {
		m.revision++
	}
	m.newest[key] = m.revision
	if !m.there(key) {
		delete(m.newest, key)
	}
	return nil
}

// load is a document. If the store is not strict, its flags need no others.
func (m *modelled) load(document map[string]modelDef) (wrong bool) {
	next, dropped, wrong := m.judge(document)
	for key := range m.puts {
		if _, there := document[key]; m.strict && there {
			wrong = wrong || !rightAbout(document, key)
		}
	}
	if m.strict && (wrong || !right(merged(document, m.puts))) {
		return true
	}
	before := merged(m.document, m.puts)
	m.last = document
	m.take(next, dropped, before)
	if m.firstEver == 0 {
		m.firstEver, m.newest = m.revision, map[string]uint64{}
	}
	return wrong
}

// judge finds what of a document serves, or would if nothing was put.
func (m *modelled) judge(document map[string]modelDef) (next map[string]modelDef, dropped map[string]bool, wrong bool) {
	next, dropped = map[string]modelDef{}, map[string]bool{}
	for _, key := range modelKeys {
		d, there := document[key]
		_, isPut := m.puts[key]
		l, isLaid := m.laid[key]
		ok := there && !d.broken && (isPut || l.fits(d)) || !there && (isPut || !isLaid || m.aside(key))
		last, had := m.document[key]
		switch {
		case ok && there:
			next[key] = d
		case ok:
		case had:
			next[key] = last
		default:
			dropped[key] = true
		}
		wrong = wrong || !ok
	}
	return next, dropped, wrong
}

// take makes that serve.
func (m *modelled) take(next map[string]modelDef, dropped map[string]bool, before map[string]modelDef) {
	were := m.dropped
	m.document, m.dropped = next, dropped
	m.revision++
	after := merged(m.document, m.puts)
	for _, key := range modelKeys {
		was, had := before[key]
		is, has := after[key]
		switch {
		case !has && !dropped[key] && m.aside(key):
			if had || were[key] {
				m.newest[key] = m.revision
			}
		case !has && !dropped[key]:
			delete(m.newest, key)
		case had != has || !has && !were[key] || was != is:
			m.newest[key] = m.revision
		}
	}
}

// TestStoreModel makes random changes to a store and to the model of one, and compares
// what they serve and what they refuse.
func TestStoreModel(t *testing.T) {
	seeds := uint64(100)
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 6))
		m := &modelled{strict: seed%2 == 0, document: map[string]modelDef{}, puts: map[string]modelDef{}, laid: map[string]modelLaid{}, newest: map[string]uint64{}}
		src := &source{}
		told, start := uint64(0), uint64(0) // the store's revisions, where the model's begin from 0
		store := flag.New(src, flag.Options{Strict: m.strict, OnLoad: func(flag.LoadInfo) {}, OnChange: func(info flag.ChangeInfo) { told = info.Revision - start }})
		start = store.Revision()
		names := 0
		random := func() modelDef {
			names++
			d := modelDef{name: fmt.Sprint(names, "-"), onlyB: r.IntN(4) == 0, serve: "b", disabled: r.IntN(8) == 0, broken: r.IntN(10) == 0}
			if d.serve = "b"; !d.onlyB && r.IntN(2) == 0 {
				d.serve = "a"
			}
			if m.strict && r.IntN(3) == 0 {
				d.needs = modelKeys[r.IntN(len(modelKeys))]
			}
			return d
		}
		document := map[string]modelDef{}
		reload := func(try int) {
			next := maps.Clone(document)
			for _, key := range modelKeys {
				switch r.IntN(4) {
				case 0:
					next[key] = random()
				case 1:
					delete(next, key)
				}
			}
			flags := map[string]flag.FeatureFlag{}
			for key, d := range next {
				flags[key] = d.flag()
			}
			text, err := json.Marshal(flag.Document{Schema: fmt.Sprint(try), Flags: flags})
			require.NoError(t, err)
			src.put(string(text), nil)
			wrong := m.load(next)
			require.Equal(t, wrong, store.Load(t.Context()) != nil, "seed %d, step %d", seed, try)
			if !wrong || !m.strict {
				document = next
			}
		}
		for step := 0; step < 120; step++ {
			key, before := modelKeys[r.IntN(len(modelKeys))], m.revision
			c, decided := flag.Change{Actor: "me", Reason: "test"}, uint64(0)
			if r.IntN(3) == 0 {
				decided = uint64(r.IntN(int(m.revision) + 2))
				if c.Revision = start + decided; decided == 0 {
					c.Revision = 0
				}
			}
			variant := []string{"a", "b"}[r.IntN(2)]
			var got, want error
			op := ""
			switch kind := r.IntN(10); {
			case kind == 0 || m.firstEver == 0:
				reload(step)
				before = m.revision
			case kind == 1:
				op, want = "kill", m.lay(key, decided, func(l *modelLaid) { l.killed = true })
				got = store.Kill(key, c)
			case kind == 2 && !m.laid[key].killed && (m.there(key) || m.aside(key)):
				op, want = "revive", m.late(key, decided)
				got = store.Revive(key, c)
			case kind == 2:
				op, want = "revive", m.lay(key, decided, func(l *modelLaid) { l.killed = false })
				got = store.Revive(key, c)
			case kind == 3:
				op, want = "override", m.lay(key, decided, func(l *modelLaid) { l.override = variant })
				got = store.Override(key, variant, c)
			case kind == 4:
				full := r.IntN(2) == 0
				op, want = "set ramp", m.lay(key, decided, func(l *modelLaid) { l.ramp, l.full = variant, full })
				share := flag.Share(0)
				if full {
					share = flag.All
				}
				got = store.SetRamp(key, flag.Ramp{Share: share, Serve: variant}, c)
			case kind == 5:
				op, want = "toggle", m.lay(key, decided, func(l *modelLaid) {
					off := !merged(m.document, m.puts)[key].disabled
					if l.disabled != nil {
						off = !*l.disabled
					}
					l.disabled = &off
				})
				_, got = store.Toggle(key, c)
			case kind == 6:
				op, want = "clear", m.clear(key, decided)
				got = store.Clear(key, c)
			case kind == 7:
				d := random()
				op, want = "create", m.put(key, decided, d, true)
				got = store.Create(key, d.flag(), c)
			default:
				d := random()
				op, want = "put", m.put(key, decided, d, false)
				got = store.Put(key, d.flag(), c)
			}
			at := fmt.Sprintf("seed %d, step %d: %s %s: %v", seed, step, op, key, got)
			if want == errModelOther {
				require.Error(t, got, at)
			} else {
				require.ErrorIs(t, got, want, at)
			}
			if m.revision != before {
				require.Equal(t, m.revision, told, at)
			}
			if m.firstEver == 0 {
				continue
			}
			subject := flag.For("u")
			for _, key := range modelKeys {
				_, value := m.serves(key)
				require.Equal(t, value, flag.ByKey(key, "default").Value(store, &subject), "%s: %s", at, key)
				status, err := store.Status(key)
				if !m.there(key) && !m.aside(key) {
					require.ErrorIs(t, err, flag.ErrNotFound, at)
					continue
				}
				require.NoError(t, err, at)
				require.Equal(t, !m.there(key), status.Missing, at)
				_, put := m.puts[key]
				require.Equal(t, []any{m.revision, m.since(key), put, m.laid[key].killed}, []any{status.Revision - start, status.Since - start, status.Put, status.Killed}, "%s: %s", at, key)
			}
			if step%10 > 0 {
				continue
			}
			preview, err := store.Preview(func(s *flag.Store) error {
				for _, key := range slices.Backward(modelKeys) {
					_ = s.Kill(key, me)
					_ = s.Clear(key, me)
				}
				return nil
			})
			require.NoError(t, err)
			require.NotNil(t, preview)
		}
	}
}
