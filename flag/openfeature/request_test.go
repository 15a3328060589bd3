package openfeature_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flagtest"
	"github.com/guidon-go/guidon/flag/openfeature"
	of "github.com/open-feature/go-sdk/openfeature"
)

const requestFlags = `{"flags": {
	"pro":  {"rules": [{"if": {"attr": "user.plan", "eq": "pro"}, "serve": "on"}]},
	"page": {"variants": {"old": "old", "new": "new"}, "serve": "old", "ramp": {"percent": 100, "serve": "new"}}
}}`

var page = flag.String("page", "none")

var pro = map[string]any{"user": map[string]any{"plan": "pro"}}

// TestNewContext: a request has one view of the flags, which knows who asks.
func TestNewContext(t *testing.T) {
	flags := loaded(t, requestFlags)
	p := openfeature.New(flags, openfeature.Options{})
	c, other := client(t, p), client(t, openfeature.New(loaded(t, `{"flags": {"page": {"variants": {"x": "x"}, "serve": "x"}}}`), openfeature.Options{}))
	ctx := p.NewContext(t.Context(), of.NewEvaluationContext("anna", pro))
	seen := page.Watch(flag.FromContext(ctx))
	if err := flags.SetRamp("page", flag.Ramp{}, flag.Change{Actor: "ann", Reason: "a test"}); err != nil {
		t.Fatal(err)
	}
	nobody := of.EvaluationContext{}
	if seen.Seen() || !c.Boolean(ctx, "pro", false, nobody) || seen.Seen() {
		t.Error("want the attributes of the context to count, and no exposure to another flag")
	}
	if got := c.String(ctx, "page", "", of.NewEvaluationContext("bob", nil)); got != "old" || seen.Seen() {
		t.Errorf("got %q for somebody else, want old, and no exposure", got)
	}
	if got := other.String(ctx, "page", "", nobody); got != "x" || seen.Seen() {
		t.Errorf("got %q from another store, want x, and no exposure", got)
	}
	if got := c.String(ctx, "page", "", nobody); got != "new" || !seen.Seen() {
		t.Errorf("got %q, want new, as when the request began, and an exposure", got)
	}
	if got := c.String(t.Context(), "page", "", of.NewEvaluationContext("anna", nil)); got != "old" {
		t.Errorf("got %q in the next request, want old", got)
	}
	if got := c.String(flagtest.With(ctx, page, "test"), "page", "", nobody); got != "test" {
		t.Errorf("got %q, want what a test sets", got)
	}
}

// TestNewContextKeepsView: one that a middleware has made of the same user knows more.
func TestNewContextKeepsView(t *testing.T) {
	flags := loaded(t, requestFlags)
	p := openfeature.New(flags, openfeature.Options{})
	plan := flag.Attr[string]("user.plan")
	ctx := flag.NewContext(t.Context(), flags.View(flag.For("anna", plan.Is("pro"))))
	view := flag.FromContext(ctx)
	c := client(t, p)
	anna := p.NewContext(ctx, of.NewEvaluationContext("anna", nil))
	if flag.FromContext(anna) != view || !c.Boolean(anna, "pro", false, of.EvaluationContext{}) {
		t.Error("want the view of the same user to stay")
	}
	if flag.FromContext(p.NewContext(ctx, of.NewEvaluationContext("bob", nil))) == view {
		t.Error("want another user to have another view")
	}
	if more := p.NewContext(p.NewContext(t.Context(), of.NewEvaluationContext("anna", nil)), of.NewEvaluationContext("anna", pro)); !c.Boolean(more, "pro", false, of.EvaluationContext{}) {
		t.Error("want what a second call knows of the same user to count")
	}
	if bob := p.NewContext(anna, of.NewEvaluationContext("bob", pro)); !c.Boolean(bob, "pro", false, of.EvaluationContext{}) {
		t.Error("want the later context to count")
	}
}

// TestTwoStores: each provider decides by its own store, whatever view another has put there.
func TestTwoStores(t *testing.T) {
	a, b := loaded(t, `{"flags": {"f": {"serve": "on"}}}`), loaded(t, `{"flags": {"f": {}, "g": {"serve": "on"}}}`)
	pa, pb := openfeature.New(a, openfeature.Options{}), openfeature.New(b, openfeature.Options{})
	ca, cb, anna := client(t, pa), client(t, pb), of.NewEvaluationContext("anna", nil)
	for name, ctx := range map[string]context.Context{
		"a view of the other's":        pb.NewContext(flag.NewContext(t.Context(), a.View(flag.For("anna"))), anna),
		"both":                         pb.NewContext(pa.NewContext(t.Context(), anna), anna),
		"a view laid over it later on": flag.NewContext(pb.NewContext(t.Context(), anna), a.View(flag.For("anna"))),
	} {
		if !ca.Boolean(ctx, "f", false, anna) || cb.Boolean(ctx, "f", true, anna) || !cb.Boolean(ctx, "g", false, anna) {
			t.Errorf("%s: want each to decide by its own store", name)
		}
	}
}

// TestRequirement2_7_1: tracking events come with all that they say.
func TestRequirement2_7_1(t *testing.T) {
	var got []openfeature.Tracked
	p := openfeature.New(loaded(t, requestFlags), openfeature.Options{OnTrack: func(event openfeature.Tracked) { got = append(got, event) }})
	c := client(t, p)
	ctx := p.NewContext(t.Context(), of.NewEvaluationContext("anna", nil))
	c.Track(ctx, "bought", of.EvaluationContext{}, of.NewTrackingEventDetails(99.5).Add("currency", "SEK"))
	c.Track(t.Context(), "", of.EvaluationContext{}, of.TrackingEventDetails{})
	want := []openfeature.Tracked{
		{Context: ctx, Name: "bought", Subject: "anna", Value: 99.5, Attributes: map[string]any{"currency": "SEK"}},
		{Context: t.Context(), Attributes: map[string]any{}},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b context.Context) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	client(t, openfeature.New(loaded(t, requestFlags), openfeature.Options{})).Track(ctx, "bought", of.EvaluationContext{}, of.TrackingEventDetails{})
}

func TestTrackPanics(t *testing.T) {
	var said bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&said, nil)))
	defer slog.SetDefault(before)
	p := openfeature.New(loaded(t, requestFlags), openfeature.Options{OnTrack: func(openfeature.Tracked) { panic("oh") }})
	p.Track(t.Context(), "bought", of.EvaluationContext{}, of.TrackingEventDetails{})
	if !strings.Contains(said.String(), "OnTrack panicked") {
		t.Errorf("got the log %q, want the panic", said.String())
	}
}
