package flag

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/guidon-go/guidon/internal/bucket"
)

// overlay is what was changed of one flag at run time; it wins over the document.
// What it points to is immutable.
type overlay struct {
	killed   bool
	variant  string
	disabled *bool // what Toggle said
	ramp     *Ramp
	put      *definition
	under    *compiled       // what documents have in the place of put; nil if they have nothing that serves
	by       [laidKinds]Laid // who laid each of these there
	change   Change          // the newest, which may have taken something back
	at       time.Time       // when that was
}

// Laid is one of the things that lie over a flag's definition since somebody changed it
// at run time.
type Laid struct {
	What   string    `json:"what"`        // "kill", "override", "environment", "toggle", "ramp" or "put"
	Change Change    `json:"change"`      // who laid it there, and why
	At     time.Time `json:"at,omitzero"` // when; zero for a variable of the environment
}

// What may lie over a flag, in the order in which it wins.
const (
	laidKill = iota
	laidOverride
	laidToggle
	laidRamp
	laidPut
	laidKinds
)

var laidNames = [laidKinds]string{"kill", "override", "toggle", "ramp", "put"}

// has says what lies there.
func (o overlay) has() [laidKinds]bool {
	return [laidKinds]bool{o.killed, o.variant != "", o.disabled != nil, o.ramp != nil, o.put != nil}
}

// sign notes who has changed one of the things that may lie there.
func (o *overlay) sign(what int, change Change, at time.Time) {
	o.change, o.at = Change{Actor: change.Actor, Reason: change.Reason}, at
	o.by[what] = Laid{}
	if o.has()[what] {
		o.by[what] = Laid{laidNames[what], o.change, at}
	}
}

// signed is sign for what an earlier process laid there.
func (o *overlay) signed(by []Laid) {
	for what, there := range o.has() {
		if !there {
			continue
		}
		o.by[what] = Laid{laidNames[what], o.change, o.at}
		for _, l := range by {
			if l.What == laidNames[what] {
				o.by[what] = l
			}
		}
	}
}

// laid lists what lies there.
func (o overlay) laid() (all []Laid) {
	for what, there := range o.has() {
		if there {
			all = append(all, o.by[what])
		}
	}
	return all
}

// aside says whether it waits where a document does not have the flag. Elsewhere the flag
// stays as it was, which a strict store cannot do: it would have to refuse the document.
func (s *Store) aside(o overlay) bool {
	return s.options.Strict && o.disabled == nil && o.ramp == nil && o.put == nil
}

func (o overlay) empty() bool { return o.has() == [laidKinds]bool{} }

// apply returns a copy of the flag, as it is defined or was put, with the rest of the
// overlay laid over it.
func (o overlay) apply(f *compiled) (*compiled, error) {
	out := *f
	out.killed = o.killed
	if o.variant != "" {
		i, ok := slices.BinarySearch(f.names, o.variant)
		if !ok {
			return nil, fmt.Errorf("unknown variant %q, want one of %q", o.variant, f.names)
		}
		out.override = int32(i)
	}
	if o.disabled != nil {
		out.disabled = *o.disabled
	}
	if o.ramp == nil {
		return &out, nil
	}
	schedule, err := o.ramp.schedule()
	if err != nil {
		return nil, err
	}
	over := draw{laid: true, schedule: schedule, serve: f.yes, salt: f.salt, layer: f.linked().place}
	if f.main != nil && f.main.cuts != nil {
		return nil, errors.New("has a split, over which no ramp can lie")
	} else if f.main != nil {
		over.serve, over.salt, over.by, over.lane = f.main.serve, f.main.salt, f.main.by, f.main.lane
	}
	if o.ramp.Serve != "" {
		i, ok := slices.BinarySearch(f.names, o.ramp.Serve)
		if !ok {
			return nil, fmt.Errorf("unknown variant %q, want one of %q", o.ramp.Serve, f.names)
		}
		over.serve = int32(i)
	}
	switch {
	case over.serve < 0:
		return nil, fmt.Errorf("a ramp must name its variant, want one of %q", f.names)
	case over.serve == f.serve && schedule != nil:
		return nil, fmt.Errorf("serves %q to everybody, so a schedule of it would mean nothing", f.names[over.serve])
	case over.serve == f.serve && o.ramp.Share < All:
		return nil, fmt.Errorf("serves %q to everybody, so a ramp to it at %v would mean nothing", f.names[over.serve], o.ramp.Share)
	}
	if o.ramp.Salt != "" && o.ramp.Salt != over.salt || over.lane == 0 {
		over.salt = cmp.Or(o.ramp.Salt, over.salt)
		over.lane = bucket.Lane(over.salt, bucket.Ramp)
	}
	if o.ramp.By != "" {
		over.by = attribute(o.ramp.By)
	}
	over.setShare(o.ramp.Share)
	out.main, out.timed = &over, f.timed || schedule != nil
	out.exits = slices.Clone(f.exits)
	out.exits[exitServe].draw, out.exits[exitServe].reason = &over, ReasonRamp
	return &out, nil
}

// schedule checks the part of a ramp that needs no flag.
func (r Ramp) schedule() (*schedule, error) {
	if r.Share < 0 || r.Share > All {
		return nil, fmt.Errorf("found %v, want 0 to 100 %%", r.Share)
	}
	if !utf8.ValidString(r.Salt) || !utf8.ValidString(r.By) {
		return nil, fmt.Errorf("found the salt %q and the attribute %q, want UTF-8, as a document has it", r.Salt, r.By)
	}
	if len(r.Schedule) >= maxTests {
		return nil, errors.New(tooCostly)
	}
	k := &checker{compilation: &compilation{problems: map[string]Problems{}}}
	schedule := k.schedule("", r)
	return schedule, k.problems[""].err()
}
