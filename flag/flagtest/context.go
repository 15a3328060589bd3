package flagtest

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/internal/viewtest"
)

// Flag is a [flag.Ref] or a [flag.Switch], whose values are of type T.
type Flag[T any] interface {
	Key() string                                   // as [flag.Ref.Key]
	Override(view *flag.View, value T) *flag.View  // as [flag.Ref.Override]
	Variants(view *flag.View) iter.Seq2[string, T] // as [flag.Ref.Variants]
}

// With returns a context in which the flag has this value, whatever the document says,
// unless it is killed. The context it is made from stays as it is. Where there is no view
// in it, all other flags have their defaults.
func With[T any](ctx context.Context, f Flag[T], value T) context.Context {
	return set(ctx, func(view *flag.View) *flag.View { return f.Override(view, value) })
}

// set makes the context's view another, and that of a middleware which takes its place.
func set(ctx context.Context, in func(*flag.View) *flag.View) context.Context {
	all := in
	if before, ok := ctx.Value(viewtest.Key{}).(func(*flag.View) *flag.View); ok {
		all = func(view *flag.View) *flag.View { return in(before(view)) }
	}
	return flag.NewContext(context.WithValue(ctx, viewtest.Key{}, all), in(flag.FromContext(ctx)))
}

// At returns a context in which flags with schedules and time windows are decided as of
// a moment. The context it is made from stays as it is.
func At(ctx context.Context, moment time.Time) context.Context {
	return set(ctx, func(view *flag.View) *flag.View { return view.At(moment) })
}

// Each yields a context for every variant that the flag can serve, by name and in that
// order: those of the document whose view is in the context, as [flag.Ref.Variants] knows
// them, of which the caller's default is called "default". Without a view, or if its
// document does not have the flag, a boolean flag has "off" and "on"; for any other that is
// an error of the test, since nobody knows its values.
//
// For several flags at once, nest the loops.
func Each[T any](t testing.TB, ctx context.Context, f Flag[T]) iter.Seq2[string, context.Context] {
	t.Helper()
	type variant struct {
		name  string
		value T
	}
	var all []variant
	for name, value := range f.Variants(flag.FromContext(ctx)) {
		if name == "" {
			name = "default"
		}
		all = append(all, variant{name, value})
	}
	off := *new(T)
	switch on, boolean := any(true).(T); {
	case all != nil:
	case boolean:
		all = []variant{{"off", off}, {"on", on}}
	default:
		t.Errorf("each variant of %q: not in the document of the context's view, and only a boolean flag has values without", f.Key())
	}
	return func(yield func(string, context.Context) bool) {
		for _, v := range all {
			if !yield(v.name, With(ctx, f, v.value)) {
				return
			}
		}
	}
}
