package flag_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// untold is load without a log of changes.
func untold(t testing.TB, document string) *flag.Store {
	t.Helper()
	store := flag.New(flag.Bytes([]byte(document)), flag.Options{OnChange: func(flag.ChangeInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	return store
}

// listening runs a loop over a sequence until the test ends, in a bubble. What it returns
// is what the loop has got since it was last asked.
func listening[T any](t *testing.T, follow func(context.Context) iter.Seq[T]) func() []T {
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	var got []T
	var done atomic.Bool
	go func() {
		for v := range follow(ctx) {
			mu.Lock()
			got = append(got, v)
			mu.Unlock()
		}
		done.Store(true)
	}()
	t.Cleanup(func() {
		cancel()
		synctest.Wait()
		require.True(t, done.Load(), "the loop ends with its context")
	})
	return func() []T {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		all := got
		got = nil
		return all
	}
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const one, other, rules, broken = `"watched": {"ramp": {"percent": 5}}`, `"unwatched": {}`, `"watched": {"ramp": {"percent": 5}, "rules": [{"if": {"attr": "country", "eq": "SE"}, "serve": "on"}]}`, `"watched": {"serve": "blue"}`
		src := &source{}
		store := flag.New(src, flag.Options{OnLoad: func(flag.LoadInfo) {}, OnChange: func(flag.ChangeInfo) {}})
		news := listening(t, func(ctx context.Context) iter.Seq[flag.Status] { return store.Watch(ctx, "watched") })
		require.Equal(t, []flag.Status{{Key: "watched", Missing: true}}, news())
		document := func(flags string) func() error {
			return func() error { src.put(`{"flags": {`+flags+`}}`, nil); _ = store.Load(t.Context()); return nil }
		}
		subject := flag.For("u")
		type brief struct {
			Missing, Killed, Quarantined bool
			Ramp                         flag.Share
		}
		for _, step := range []struct {
			name string
			do   func() error
			want *brief // nil if there is no news
		}{
			{"a document without it", document(other), nil},
			{"a document with it", document(one + "," + other), &brief{Ramp: 5 * flag.Percent}},
			{"the same in another order", document(other + "," + one), nil},
			{"an evaluation", func() error { flag.Bool("watched", false).Value(store, &subject); return nil }, nil},
			{"another flag", func() error { return store.Kill("unwatched", me) }, nil},
			{"time", func() error { time.Sleep(time.Hour); return nil }, nil},
			{"a ramp", func() error { return store.SetRamp("watched", flag.Ramp{Share: 7}, me) }, &brief{Ramp: 7}},
			{"a kill", func() error { return store.Kill("watched", me) }, &brief{Ramp: 7, Killed: true}},
			{"a change that is refused", func() error { _ = store.Override("watched", "blue", me); return nil }, nil},
			{"a change of nothing", func() error { return store.Override("watched", "", me) }, &brief{Ramp: 7, Killed: true}},
			{"taken back", func() error { return store.Clear("watched", me) }, &brief{Ramp: 5 * flag.Percent}},
			{"nothing revived", func() error { return store.Revive("watched", me) }, nil},
			{"nothing taken back", func() error { return store.Clear("watched", me) }, &brief{Ramp: 5 * flag.Percent}},
			{"rules alone", document(rules + "," + other), &brief{Ramp: 5 * flag.Percent}},
			{"a broken definition", document(broken + "," + other), &brief{Ramp: 5 * flag.Percent, Quarantined: true}},
			{"a broken document", func() error { src.put(`{`, nil); _ = store.Load(t.Context()); return nil }, nil},
			{"mended", document(rules + "," + other), &brief{Ramp: 5 * flag.Percent}},
			{"gone", document(other), &brief{Missing: true}},
			{"gone still", document(other + `, "third": {}`), nil},
			{"back", document(rules + "," + other), &brief{Ramp: 5 * flag.Percent}},
			{"gone again", document(other), &brief{Missing: true}},
			{"another flag, while it is gone", func() error { return store.Kill("unwatched", me) }, nil},
			{"broken from the start", document(broken + "," + other), &brief{Quarantined: true}},
			{"a kill of nothing", func() error { return store.Kill("watched", me) }, &brief{Quarantined: true, Killed: true}},
		} {
			require.NoError(t, step.do(), step.name)
			got := news()
			if step.want == nil {
				require.Empty(t, got, step.name)
				continue
			}
			require.Len(t, got, 1, step.name)
			require.Equal(t, *step.want, brief{got[0].Missing, got[0].Killed, got[0].Quarantined, got[0].Ramp.Share}, step.name)
			now, err := store.Status("watched")
			if got[0].Missing {
				require.ErrorIs(t, err, flag.ErrNotFound)
				beside, err := store.Status("unwatched")
				require.NoError(t, err)
				require.Equal(t, beside.Revision, got[0].Revision)
			} else {
				require.Equal(t, now, got[0], step.name)
			}
		}
	})
}

// TestWatchersOfOthersDoNothing: who changes one flag has nothing made for those who watch
// another, so does not wait for them.
func TestWatchersOfOthersDoNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := untold(t, `{"flags": {"changed": {}, "watched-beside": {"ramp": {"percent": 5, "by": "tenant"}}}}`)
		change := func() float64 {
			return testing.AllocsPerRun(100, func() {
				if err := store.Kill("changed", me); err != nil {
					t.Error(err)
				}
				synctest.Wait()
			})
		}
		before := change()
		for range 100 {
			listening(t, func(ctx context.Context) iter.Seq[flag.Status] { return store.Watch(ctx, "watched-beside") })()
			listening(t, func(ctx context.Context) iter.Seq[flag.Status] { return store.Watch(ctx, "watched-nowhere") })()
		}
		require.Less(t, change(), before+100)
	})
}

// TestWatchIsSlow: a loop that is at work misses what comes meanwhile, but the newest,
// and nobody waits for it.
func TestWatchIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := untold(t, `{"flags": {"watched-slowly": {}}}`)
		news := listening(t, func(ctx context.Context) iter.Seq[flag.Status] {
			return func(yield func(flag.Status) bool) {
				for status := range store.Watch(ctx, "watched-slowly") {
					yield(status)
					time.Sleep(time.Minute)
				}
			}
		})
		require.Len(t, news(), 1)
		for i := range 1000 {
			require.NoError(t, store.SetRamp("watched-slowly", flag.Ramp{Share: flag.Share(i)}, me))
		}
		require.Empty(t, news())
		time.Sleep(time.Hour)
		got := news()
		require.Len(t, got, 1)
		require.Equal(t, flag.Share(999), got[0].Ramp.Share)
	})
}

// TestWatchEnds: with its loop, with its context, and with no store at all.
func TestWatchEnds(t *testing.T) {
	store := load(t, `{"flags": {"ends": {}}}`)
	for range store.Watch(t.Context(), "ends") {
		break
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for range store.Watch(over, "ends") {
		t.Error("yielded after its end")
	}
	for range flag.Bool("ends", false).Follow(over, store, flag.For("u")) {
		t.Error("yielded after its end")
	}
	for _, none := range []*flag.Store{nil, {}} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for status := range none.Watch(ctx, "ends") {
			require.Equal(t, flag.Status{Key: "ends", Missing: true}, status)
			cancel()
		}
		ctx, cancel = context.WithCancel(t.Context())
		defer cancel()
		for d := range flag.Bool("ends", true).Follow(ctx, none, flag.For("u")) {
			require.True(t, d.Value)
			require.Equal(t, flag.ReasonNoDocument, d.Reason)
			cancel()
		}
	}
}

// TestWatchersMissNothing: however publishing and looking fall together, every watcher
// sees the changes in order, and the last one.
func TestWatchersMissNothing(t *testing.T) {
	store := untold(t, `{"flags": {"missed": {}, "beside": {}}}`)
	missed := flag.Bool("missed", false)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			before := flag.Share(-1)
			for status := range store.Watch(t.Context(), "missed") {
				if status.Ramp.Share <= before {
					t.Errorf("got %d after %d", status.Ramp.Share, before)
				}
				if before = status.Ramp.Share; before == flag.All {
					return
				}
			}
		})
		wait.Go(func() {
			for d := range missed.Follow(t.Context(), store, flag.For("u")) {
				if d.Value {
					return
				}
			}
		})
	}
	for i := range flag.Share(1000) {
		require.NoError(t, store.SetRamp("missed", flag.Ramp{Share: i + 1}, me))
		require.NoError(t, store.Override("beside", []string{"on", ""}[i%2], me))
	}
	require.NoError(t, store.SetRamp("missed", flag.Ramp{Share: flag.All}, me))
	wait.Wait()
}

func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now().UTC()
		open := begin.Add(90*time.Minute + 30*time.Second).Format(time.RFC3339)
		document := func(color string) string {
			return `{"flags": {
				"follow-base": {"serve": "off"},
				"follow-theme": {"variants": {"a": {"Colors": ["` + color + `"]}, "b": {"Colors": ["blue"]}, "same": {"Colors": ["` + color + `"]}}, "serve": "a", "rules": [{"if": {"flag": "follow-base"}, "serve": "b"}]},
				"follow-opening": {"serve": "on", "when": {"time": {"from": "` + open + `"}}}}}`
		}
		type theme struct{ Colors []string }
		followed := flag.JSON("follow-theme", theme{})
		src := &source{data: document("red")}
		store := flag.New(src, flag.Options{Every: time.Minute, OnChange: func(flag.ChangeInfo) {}})
		require.NoError(t, store.Load(t.Context()))
		subject := flag.For("u")
		news := listening(t, func(ctx context.Context) iter.Seq[flag.Decision[theme]] { return followed.Follow(ctx, store, subject) })
		opening := listening(t, func(ctx context.Context) iter.Seq[flag.Decision[bool]] {
			return flag.Bool("follow-opening", false).Follow(ctx, store, subject)
		})
		pinned := listening(t, func(ctx context.Context) iter.Seq[flag.Decision[bool]] {
			return flag.Bool("follow-opening", false).Follow(ctx, store, subject.At(begin))
		})
		colors := func() (all []string) {
			for _, d := range news() {
				all = append(all, fmt.Sprint(d.Variant, d.Value.Colors))
			}
			return all
		}
		require.Equal(t, []string{"a[red]"}, colors())
		require.Len(t, opening(), 1)
		require.Len(t, pinned(), 1)
		for _, step := range []struct {
			name string
			do   func() error
			want []string
		}{
			{"a prerequisite", func() error { return store.Override("follow-base", "on", me) }, []string{"b[blue]"}},
			{"and back", func() error { return store.Clear("follow-base", me) }, []string{"a[red]"}},
			{"what makes no difference to him", func() error { return store.SetRamp("follow-theme", flag.Ramp{Serve: "b"}, me) }, nil},
			{"another reason", func() error { return store.Override("follow-theme", "a", me) }, nil},
			{"another variant of the same value", func() error { return store.Override("follow-theme", "same", me) }, []string{"same[red]"}},
			{"and back again", func() error { return store.Clear("follow-theme", me) }, []string{"a[red]"}},
			{"another value of the same variant", func() error { src.put(document("green"), nil); return store.Load(t.Context()) }, []string{"a[green]"}},
			{"time", func() error { time.Sleep(time.Hour); return nil }, nil},
		} {
			require.NoError(t, step.do(), step.name)
			require.Equal(t, step.want, colors(), step.name)
		}
		// The clock opens the other flag, to a minute, unless the subject has a moment.
		time.Sleep(30*time.Minute + 45*time.Second)
		require.Empty(t, opening(), "a minute is not over since it looked")
		time.Sleep(time.Minute)
		got := opening()
		require.Len(t, got, 1)
		require.True(t, got[0].Value)
		require.Empty(t, pinned())
		for key := range map[string]bool{"follow-theme": true, "follow-opening": true} {
			status, err := store.Status(key)
			require.NoError(t, err)
			require.Empty(t, status.Counts, "following counts as no evaluation")
		}
	})
}
