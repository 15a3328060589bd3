package flag

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/internal/jsontree"
)

// drawer compiles the ramps and splits of one flag.
type drawer struct {
	*checker
	shape *shape
	salt  string
	place *place
}

func (d drawer) draw(by, salt string, purpose bucket.Purpose) *draw {
	out := &draw{salt: cmp.Or(salt, d.salt), layer: d.place}
	out.lane = bucket.Lane(out.salt, purpose)
	if by != "" {
		out.by = attribute(by)
	}
	return out
}

func (d drawer) ramp(path string, r Ramp) *draw {
	d.use.add(usage{tests: 1 + len(r.Schedule) + d.place.size()})
	out := d.draw(r.By, r.Salt, bucket.Ramp)
	out.setShare(d.share(jsontree.Join(path, "percent"), r.Share))
	out.serve = d.variant(d.shape, jsontree.Join(path, "serve"), r.Serve, d.shape.yes, true)
	out.schedule = d.schedule(path, r)
	d.use.timed = d.use.timed || out.schedule != nil
	return out
}

// schedule is nil if the ramp has none.
func (k *checker) schedule(path string, r Ramp) *schedule {
	var points []point
	last := int64(math.MinInt64)
	for i, p := range r.Schedule {
		at := jsontree.Index(jsontree.Join(path, "schedule"), i)
		next := point{k.moment(p.At, jsontree.Join(at, "at")), k.share(jsontree.Join(at, "percent"), p.Share)}
		if !p.At.IsZero() {
			if i > 0 && next.at <= last {
				k.add(jsontree.Join(at, "at"), "found %s, want a time after the point before it", p.At.Format(time.RFC3339))
			}
			last = next.at
		}
		points = append(points, next)
	}
	if points == nil {
		return nil
	}
	return &schedule{points, r.Linear}
}

func (d *draw) setShare(share Share) {
	if d.share = share; share > 0 {
		d.limit = bucket.Limit(int32(share))
	}
}

func (k *checker) share(path string, share Share) Share {
	if share < 0 || share > All {
		k.add(path, "found %v, want 0 to 100 %%", share)
		return 0
	}
	return share
}

func (d drawer) split(path string, s Split) *draw {
	d.use.add(usage{tests: 1 + len(s.Parts) + d.place.size()})
	out := d.draw(s.By, s.Salt, bucket.Split)
	serve := make([]int32, len(s.Parts))
	for i, part := range s.Parts {
		d.use.add(usage{tests: len(part.Ranges)})
		serve[i] = d.variant(d.shape, jsontree.Join(jsontree.Index(jsontree.Join(path, "parts"), i), "serve"), part.Serve, -1, true)
	}
	var problems Problems
	var spans []span
	if len(s.Parts) == 0 {
		problems.add(jsontree.Join(path, "parts"), "missing, want at least one part")
	} else {
		spans = layout(s, path, &problems)
	}
	for _, span := range spans {
		if span.from < span.to {
			out.cuts = append(out.cuts, cut{bucket.Limit(int32(span.to)), serve[span.part]})
		}
	}
	d.merge(problems)
	if out.cuts == nil {
		out.cuts = []cut{{^uint64(0), -1}} // refused
	}
	return out
}

func (d drawer) rule(path string, index int32, r Rule) exit {
	out := exit{reason: ReasonRule, rule: index, serve: -1}
	given := names(named{"serve", r.Serve != ""}, named{"ramp", r.Ramp != nil}, named{"split", r.Split != nil})
	if len(given) > 1 {
		d.add(path, "has %s, want one", strings.Join(given, " and "))
	}
	if r.Ramp != nil {
		out.draw = d.ramp(jsontree.Join(path, "ramp"), *r.Ramp)
	}
	if r.Split != nil {
		out.draw = d.split(jsontree.Join(path, "split"), *r.Split)
	}
	if r.Ramp == nil && r.Split == nil || r.Serve != "" {
		out.serve = d.variant(d.shape, jsontree.Join(path, "serve"), r.Serve, -1, true)
	}
	return out
}

// layer proves that a layer's ranges do not overlap, and gives each of its flags its
// place.
func (c *compilation) layer(name string) {
	k, def := c.under("layers", name), c.doc.Layers[name]
	k.name(k.path, name, "name")
	salt := cmp.Or(def.Salt, name)
	base := place{
		lane: bucket.Lane(salt, bucket.Layer), holdout: bucket.Lane(salt, bucket.Holdout),
		held: k.share(k.at("holdout"), def.Holdout),
	}
	if def.By != "" {
		base.by = attribute(def.By)
	}
	var claims []claim
	var problems Problems
	for _, key := range slices.Sorted(maps.Keys(def.Flags)) {
		path := jsontree.Join(k.at("flags"), key)
		claims = append(claims, claimed(def.Flags[key], 0, path, &problems)...)
		other, taken := c.layers[key]
		switch _, known := c.doc.Flags[key]; {
		case !known && c.whole.hide("flags"):
		case !known:
			k.add(path, "unknown flag %q%s", key, want(c, key, c.doc.Flags))
		case taken:
			k.add(path, "is in layer %q already, want one layer a flag", other)
		default:
			mine := base
			mine.ranges = slices.Clone(def.Flags[key])
			c.layers[key], c.places[key] = name, &mine
		}
	}
	separate(claims, &problems)
	k.merge(problems)
}
