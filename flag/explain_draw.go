package flag

import (
	"slices"

	"github.com/guidon-go/guidon/internal/bucket"
)

// draw finds the subject's place: yes if it serves a variant, unknown without a unit.
func (x *explainer) draw(a *account, seen []Seen, d *drawAccount, s *Step) truth {
	*s = d.step
	is := yes
	if d.draw.layer != nil {
		is = x.layer(a, seen, d, s)
	}
	if d.attr >= 0 && is == yes {
		s.Saw = x.saw(a, seen, d.attr)
	}
	if is != yes {
		s.Is = truthOf(is)
		return is
	}
	unit, ok := x.unit(d.draw.by)
	if !ok {
		s.Is = TruthUnknown
		return unknown
	}
	place := &Draw{Unit: unit, Slot: bucket.Slot(unit, d.draw.lane)}
	if s.Draw = place; d.draw.cuts == nil {
		place.Share = d.draw.shareAt(x.now)
		is = truly(Share(place.Slot) < place.Share)
		s.Serve = d.names[d.draw.serve]
	} else {
		i := slices.IndexFunc(d.ranges, func(r Range) bool { return Share(place.Slot) < r.To })
		place.Range, s.Serve = d.ranges[i:i+1:i+1], d.names[d.draw.cuts[i].serve]
	}
	s.Is = truthOf(is)
	return is
}

// layer says whether the flag's layer leaves the subject to it.
func (x *explainer) layer(a *account, seen []Seen, d *drawAccount, s *Step) truth {
	p := d.draw.layer
	s.Steps = x.take(2)
	holdout, layer := &s.Steps[0], &s.Steps[1]
	*holdout, *layer = d.holdout, d.layer
	if d.layerAttr >= 0 {
		saw := x.saw(a, seen, d.layerAttr)
		holdout.Saw, layer.Saw = saw, saw
	}
	unit, ok := x.unit(p.by)
	if !ok {
		holdout.Is, layer.Is = TruthUnknown, TruthUnknown
		return unknown
	}
	slot := bucket.Slot(unit, p.holdout)
	holdout.Draw, holdout.Is = &Draw{Unit: unit, Slot: slot, Share: p.held}, truthOf(truly(Share(slot) < p.held))
	if holdout.Is == TruthTrue {
		return no
	}
	slot = bucket.Slot(unit, p.lane)
	is := truly(p.keeps(x.subject) == drawnPlace)
	layer.Draw, layer.Is = &Draw{Unit: unit, Slot: slot, Range: p.ranges}, truthOf(is)
	return is
}

func (x *explainer) unit(by uint32) (uint64, bool) {
	if by == 0 {
		return x.subject.unit, x.subject.key != ""
	}
	return x.subject.unitBy(by)
}
