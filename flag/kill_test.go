package flag_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestKillIsAtOnce: under full load, while documents come and other flags and this one
// change, no evaluation that begins after Kill returned sees the flag on, by whatever
// entrance.
func TestKillIsAtOnce(t *testing.T) {
	rounds := uint64(1000)
	if testing.Short() {
		rounds = 100
	}
	src := &source{data: `{"flags": {"killed": {"serve": "on"}, "beside": {}}}`}
	store := flag.New(src, flag.Options{OnLoad: func(flag.LoadInfo) {}, OnChange: func(flag.ChangeInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	killed := flag.Bool("killed", false)
	var dead atomic.Uint64 // the round in which the flag is dead, or zero
	var over atomic.Bool
	var seen atomic.Uint64
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			subject := flag.For("u")
			evaluate := []func() bool{
				func() bool { return killed.Value(store, &subject) },
				func() bool { return killed.From(store.View(subject)) },
				func() bool { return killed.Decide(store, &subject).Value },
				func() bool { return flag.ByKey("killed", false).From(store.Snapshot().View(subject)) },
			}[i%4]
			for !over.Load() {
				round := dead.Load()
				if on := evaluate(); on && round != 0 && dead.Load() == round {
					t.Error("on after Kill returned")
					return
				}
				if seen.Add(1)%20 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	for _, disturb := range []func(int) error{
		func(i int) error {
			src.put(fmt.Sprintf(`{"flags": {"killed": {"serve": "on", "description": "%d"}, "beside": {}}}`, i), nil)
			return store.Load(context.Background())
		},
		func(i int) error { return store.SetRamp("beside", flag.Ramp{Share: flag.Share(i % 1000)}, me) },
		func(int) error { return store.Put("killed", on, me) },
	} {
		wait.Go(func() {
			for i := 0; !over.Load(); i++ {
				if err := disturb(i); err != nil {
					t.Error(err)
					return
				}
				runtime.Gosched()
			}
		})
	}
	for round := uint64(1); round <= rounds; round++ {
		require.NoError(t, store.Kill("killed", me))
		dead.Store(round)
		for until := seen.Load() + 100; seen.Load() < until && !t.Failed(); {
			runtime.Gosched()
		}
		dead.Store(0)
		require.NoError(t, store.Revive("killed", me))
	}
	over.Store(true)
	wait.Wait()
}

// slow is a value that takes until the test lets it be decoded.
type slow struct{ text string }

var slowly atomic.Pointer[func()]

func (s *slow) UnmarshalJSON(data []byte) error {
	if wait := slowly.Load(); wait != nil {
		(*wait)()
	}
	return json.Unmarshal(data, &s.text)
}

// slowDown makes the next compilation wait for the end.
func slowDown() (begun chan bool, end func()) {
	begun, over := make(chan bool), make(chan bool)
	wait := func() {
		select {
		case begun <- true:
			<-over
		case <-over:
		}
	}
	slowly.Store(&wait)
	return begun, func() {
		slowly.Store(nil)
		close(over)
	}
}

// TestKillWaitsForNoDocument: nor for what is put, or for a clear or a preview that
// waits for it.
func TestKillWaitsForNoDocument(t *testing.T) {
	value := flag.JSON("slow", slow{})
	text := `{"flags": {"slow": {"variants": {"v": "1"}, "serve": "v"}, "quick": {"serve": "on"}}}`
	src := &source{data: text}
	store := flag.New(src, flag.Options{})
	require.NoError(t, store.Load(t.Context()))
	quick, subject := flag.Bool("quick", false), flag.For("u")
	for name, work := range map[string]func() error{
		"load": func() error {
			src.put(strings.Replace(text, `"1"`, `"2"`, 1), nil)
			return store.Load(context.Background())
		},
		"put":    func() error { return store.Put("other", on, me) },
		"create": func() error { return store.Create("another", on, me) },
	} {
		begun, end := slowDown()
		done := make(chan error)
		go func() { done <- work() }()
		<-begun
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = store.Preview(func(*flag.Store) error { return nil }) })
		require.NoError(t, store.Kill("quick", me), name)
		require.False(t, quick.Value(store, &subject), name)
		_, err := store.Toggle("quick", me)
		require.NoError(t, err)
		require.NoError(t, store.Revive("quick", me), name)
		require.NoError(t, store.Kill("quick", me), name)
		end()
		require.NoError(t, <-done, name)
		wg.Wait()
		require.False(t, quick.Value(store, &subject), "what came meanwhile is killed, too")
		require.NoError(t, store.Clear("quick", me))
		require.True(t, quick.Value(store, &subject))
	}
	require.Equal(t, "2", value.Value(store, &subject).text)
}

// TestWhatComesBetweenMustFit: what is laid over a flag while a document or a
// definition is compiled is not lost, and is not dropped because it does not fit.
func TestWhatComesBetweenMustFit(t *testing.T) {
	flag.JSON("slow", slow{})
	text := `{"flags": {"slow": {"variants": {"v": "1"}, "serve": "v"}, "between": {"variants": {"a": "1", "b": "2"}, "serve": "a"}}}`
	next := strings.Replace(text, `{"a": "1", "b": "2"}`, `{"a": "3"}`, 1)
	for name, tt := range map[string]struct {
		work func(*flag.Store, *source) error // of a store whose first document serves
		want string
	}{
		"load": {func(s *flag.Store, src *source) error { src.put(next, nil); return s.Load(context.Background()) }, `unknown variant "b"`},
		"gone": {func(s *flag.Store, src *source) error {
			src.put(strings.Replace(next, "between", "else", 1), nil)
			return s.Load(context.Background())
		}, "clear it first"},
		"put": {func(s *flag.Store, _ *source) error {
			return s.Put("between", flag.FeatureFlag{Variants: map[string]any{"a": "3"}, Serve: "a"}, me)
		}, `unknown variant "b"`},
		"by now": {func(s *flag.Store, _ *source) error {
			return s.Put("between", flag.FeatureFlag{}, flag.Change{Actor: "a", Reason: "r", Revision: s.Revision()})
		}, "conflict"},
	} {
		src := &source{data: text}
		store := flag.New(src, flag.Options{})
		require.NoError(t, store.Load(t.Context()))
		begun, end := slowDown()
		done := make(chan error)
		go func() { done <- tt.work(store, src) }()
		<-begun
		require.NoError(t, store.Override("between", "b", me))
		end()
		require.ErrorContains(t, <-done, tt.want, name)
		subject := flag.For("u")
		require.Equal(t, "2", flag.ByKey("between", "").Value(store, &subject), name)
	}
}
