package flag_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// exposed returns a store that tells of exposures, and who says of which, in order.
func exposed(t testing.TB, document string) (*flag.Store, func() []flag.ExposureInfo) {
	var mu sync.Mutex
	var all []flag.ExposureInfo
	store := flag.New(flag.Bytes([]byte(document)), flag.Options{OnChange: func(flag.ChangeInfo) {}, OnExposure: func(info flag.ExposureInfo) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, info)
	}})
	require.NoError(t, store.Load(t.Context()))
	return store, func() []flag.ExposureInfo {
		mu.Lock()
		defer mu.Unlock()
		got := all
		all = nil
		return got
	}
}

func TestOnExposure(t *testing.T) {
	type key struct{}
	store, told := exposed(t, `{"flags": {"exposed": {"rules": [{"if": {"attr": "country", "eq": "NO"}, "serve": "on"}, {"if": {"attr": "country", "eq": "SE"}, "serve": "on"}], "ramp": {"percent": 50}}}}`)
	on, missing, subject := flag.Bool("exposed", false), flag.String("exposed-missing", ""), flag.For("u", country.Is("SE"))
	on.Value(store, &subject)
	on.Decide(store, &subject)
	store.Snapshot().View(subject)
	require.Empty(t, told(), "no view, no request")

	ctx := flag.NewContext(context.WithValue(t.Context(), key{}, "span"), store.View(subject))
	for range 3 {
		on.On(ctx)
		on.From(flag.FromContext(ctx))
		on.DecideFrom(flag.FromContext(ctx))
	}
	missing.In(ctx)
	got := told()
	require.Len(t, got, 2)
	require.Equal(t, "span", got[0].Context.Value(key{}))
	require.Nil(t, flag.FromContext(got[0].Context))
	got[0].Context, got[1].Context = nil, nil
	require.Equal(t, []flag.ExposureInfo{
		{Key: "exposed", Variant: "on", Reason: flag.ReasonRule, Rule: 1, Revision: store.Revision(), Subject: "u"},
		{Key: "exposed-missing", Reason: flag.ReasonUnknownFlag, Rule: -1, Revision: store.Revision(), Subject: "u"},
	}, got)

	// Another request is told of again, and what is made of its view is the same request.
	view := store.View(flag.For("v"))
	with, err := view.With("exposed", "on")
	require.NoError(t, err)
	on.From(with)
	on.From(view)
	on.From(on.Override(view, true))
	missing.From(with)
	flag.Ref[bool]{}.From(view)
	got = told()
	require.Len(t, got, 2)
	require.Equal(t, context.Background(), got[0].Context)
	require.Equal(t, []any{"exposed", "on", flag.ReasonOverride, true, "v"}, []any{got[0].Key, got[0].Variant, got[0].Reason, got[0].Overridden, got[0].Subject})
	require.Equal(t, []any{"exposed-missing", flag.ReasonUnknownFlag, true}, []any{got[1].Key, got[1].Reason, got[1].Overridden}, "of a request that overrides any flag")
	view = store.View(flag.For("v"))
	d := on.DecideFrom(view)
	got = told()
	require.Len(t, got, 1)
	require.Equal(t, []any{d.Unit, d.Reason, false}, []any{got[0].Unit, got[0].Reason, got[0].Overridden})
}

// TestOnExposureOfManyFlags: each is told of once, at any number of them; a list of them
// would take minutes.
func TestOnExposureOfManyFlags(t *testing.T) {
	const many = 100_000
	store, told := exposed(t, `{"flags": {}}`)
	view := store.View(flag.For("u"))
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			for i := range many {
				flag.ByKey(fmt.Sprint("many-", i), false).From(view)
			}
		})
	}
	wait.Wait()
	keys := map[string]bool{}
	infos := told()
	for _, info := range infos {
		keys[info.Key] = true
	}
	require.Len(t, infos, many)
	require.Len(t, keys, many)
}

// TestOnExposureOnce: whatever evaluates at once, through whichever view of a request,
// each flag is told of exactly once, and each watch sees it.
func TestOnExposureOnce(t *testing.T) {
	store, told := exposed(t, `{"flags": {"once-0": {"ramp": {"percent": 50}}, "once-1": {}, "once-2": {"serve": "on"}, "once-3": {}}}`)
	var refs []flag.Switch
	for i := range 4 {
		refs = append(refs, flag.Bool(fmt.Sprint("once-", i), false))
	}
	for range 200 {
		view := store.View(flag.For("u"))
		with, err := view.With("once-3", "on")
		require.NoError(t, err)
		views := []*flag.View{view, with, view, refs[1].Override(view, true)}
		ctx := flag.NewContext(t.Context(), view)
		begin := make(chan struct{})
		var wait sync.WaitGroup
		for i := range 4 {
			wait.Go(func() {
				<-begin
				e := refs[i].Watch(view)
				for j := range refs {
					ref := refs[(i+j)%4]
					ref.From(views[i])
					ref.On(ctx)
					ref.DecideFrom(views[i])
				}
				if !e.Seen() {
					t.Error("a watch saw nothing")
				}
			})
		}
		close(begin)
		wait.Wait()
		count := map[string]int{}
		for _, info := range told() {
			count[info.Key]++
		}
		require.Equal(t, map[string]int{"once-0": 1, "once-1": 1, "once-2": 1, "once-3": 1}, count)
	}
}

// TestOnExposureIsFree: the hook may panic, change flags, and evaluate through the same
// view.
func TestOnExposureIsFree(t *testing.T) {
	var log strings.Builder
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	free, other := flag.Bool("free", false), flag.Bool("free-other", false)
	var store *flag.Store
	var view *flag.View
	told := 0
	store = flag.New(flag.Bytes([]byte(`{"flags": {"free": {"serve": "on"}, "free-other": {"serve": "on"}}}`)), flag.Options{OnChange: func(flag.ChangeInfo) {}, OnExposure: func(info flag.ExposureInfo) {
		told++
		require.True(t, other.From(view))
		require.NoError(t, store.Kill(info.Key, me))
		panic("boo")
	}})
	require.NoError(t, store.Load(t.Context()))
	view = store.View(flag.For("u"))
	require.True(t, free.From(view), "the request goes on")
	require.Equal(t, 2, told)
	require.Contains(t, log.String(), `msg="flags: OnExposure panicked" panic=boo flag=free`)
	status, err := store.Status("free")
	require.NoError(t, err)
	require.True(t, status.Killed)
}

// TestExposureIsOverridden: a watch knows whether its flag was evaluated through a view
// that overrides any flag.
func TestExposureIsOverridden(t *testing.T) {
	store := load(t, `{"flags": {"over": {}, "over-other": {}}}`)
	over := flag.Bool("over", false)
	for name, tt := range map[string]struct {
		through func(*flag.View) *flag.View
		want    bool
	}{
		"as it is":     {func(v *flag.View) *flag.View { return v }, false},
		"the flag":     {func(v *flag.View) *flag.View { v, _ = v.With("over", "on"); return v }, true},
		"another flag": {func(v *flag.View) *flag.View { v, _ = v.With("over-other", "on"); return v }, true},
		"a value":      {func(v *flag.View) *flag.View { return over.Override(v, true) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			view := store.View(flag.For("u"))
			before := over.Watch(view)
			made := tt.through(view)
			within := over.Watch(made)
			require.False(t, before.Overridden() || before.Seen(), "not evaluated yet")
			over.From(made)
			for _, e := range []*flag.Exposure{before, within} {
				require.True(t, e.Seen())
				require.Equal(t, tt.want, e.Overridden())
			}
		})
	}
	var none *flag.Exposure
	require.False(t, none.Overridden())
}

// TestViewsCostNothing: without a hook, no entrance of a view allocates.
func TestViewsCostNothing(t *testing.T) {
	store := load(t, `{"flags": {"costs": {"ramp": {"percent": 50}}}}`)
	costs := flag.Bool("costs", false)
	view := store.View(flag.For("u"))
	ctx := flag.NewContext(t.Context(), view)
	with, err := view.With("costs", "on")
	require.NoError(t, err)
	evaluate := func() {
		costs.On(ctx)
		costs.From(view)
		costs.DecideFrom(view)
		costs.DecideFrom(with)
	}
	evaluate()
	require.Zero(t, testing.AllocsPerRun(100, evaluate))
}

// TestViewsArePinned: a view decides as of one moment, also where a flag has come to
// look at the clock only at run time, and through what is made of it.
func TestViewsArePinned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := untold(t, `{"flags": {"pinned": {}, "pinned-needing": {"serve": "on", "when": {"flag": "pinned"}}, "pinned-other": {}}}`)
		pinned, needing := flag.Bool("pinned", false), flag.Bool("pinned-needing", false)
		early := store.View(flag.For("u"))
		require.NoError(t, store.SetRamp("pinned", flag.Ramp{Schedule: []flag.Point{{At: time.Now().Add(time.Hour), Share: flag.All}}}, me))
		view := store.View(flag.For("u"))
		with, err := view.With("pinned-other", "on")
		require.NoError(t, err)
		late := store.View(flag.For("u").At(time.Now().Add(2 * time.Hour)))
		for range 3 {
			for _, v := range []*flag.View{early, view, with} {
				require.False(t, pinned.From(v) || pinned.DecideFrom(v).Value || needing.From(v) || needing.DecideFrom(v).Value)
			}
			require.True(t, pinned.From(late) && needing.From(late))
			time.Sleep(time.Hour)
		}
		view = store.View(flag.For("u"))
		require.True(t, pinned.From(view) && needing.From(view))
	})
}
