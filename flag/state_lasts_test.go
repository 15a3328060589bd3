package flag_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestStateHasWhatIsTold: whoever is told of a change may take long, and the process may
// die meanwhile; the file has it by then.
func TestStateHasWhatIsTold(t *testing.T) {
	k := newKept(t, `{"flags": {"killed": {}, "put": {}}}`)
	told := 0
	k.Store = flag.New(k.src, flag.Options{State: k.path, OnChange: func(info flag.ChangeInfo) {
		next := flag.New(k.src, flag.Options{State: k.path})
		require.NoError(t, next.Load(t.Context()))
		status, err := next.Status(info.Key)
		require.NoError(t, err)
		require.Equal(t, info.Op != "clear", status.Overlaid, "of %s %s", info.Op, info.Key)
		told++
	}})
	require.NoError(t, k.Load(t.Context()))
	require.NoError(t, k.Kill("killed", me))
	require.NoError(t, k.Put("put", flag.FeatureFlag{Serve: "on"}, me))
	require.NoError(t, k.Clear("killed", me))
	require.NoError(t, k.Clear("put", me))
	require.Equal(t, 4, told)
}

// TestStateHasChangesDuringRestore: a change that is made while the first Load brings
// back what was kept is kept, too.
func TestStateHasChangesDuringRestore(t *testing.T) {
	for range 10 {
		k := newKept(t, `{"flags": {"x": {"serve": "on"}, "y": {}}}`)
		require.NoError(t, k.Load(t.Context()))
		many := strings.Builder{}
		for i := range 500 {
			fmt.Fprintf(&many, `, "f%d": {}`, i)
		}
		k.src.put(`{"flags": {"x": {"serve": "on"}, "y": {"serve": "nonsense"}`+many.String()+`}}`, nil)
		require.Error(t, k.Load(t.Context()))
		k.start()
		done := make(chan struct{})
		go func() {
			defer close(done)
			for k.Snapshot() == nil {
				runtime.Gosched()
			}
			_ = k.Kill("x", me) // the file was not read yet, perhaps
		}()
		require.ErrorContains(t, k.Load(t.Context()), "nonsense")
		<-done
		require.ErrorContains(t, k.Load(t.Context()), "nonsense")
		k.again(t)
		status, err := k.Status("x")
		require.NoError(t, err)
		require.True(t, status.Killed)
	}
}

// TestStateComesLate: where the file can be read only when a newer document serves, on a
// mount that comes late for example, that goes on serving, and what was changed at run
// time is laid over it.
func TestStateComesLate(t *testing.T) {
	k := newKept(t, `{"flags": {"killed": {"serve": "on"}, "new": {}}}`)
	require.NoError(t, k.Load(t.Context()))
	require.NoError(t, k.Kill("killed", me))
	require.NoError(t, os.Rename(k.path, k.path+".mount"))
	require.NoError(t, os.Mkdir(k.path, 0o700))
	k.src.put(`{"flags": {"killed": {"serve": "on"}, "new": {"serve": "on"}}}`, nil)
	k.start()
	require.ErrorContains(t, k.Load(t.Context()), "found a folder, want a file")
	require.NoError(t, os.Remove(k.path))
	require.NoError(t, os.Rename(k.path+".mount", k.path))
	k.src.put("", errAway)
	require.EqualError(t, k.Load(t.Context()), "flag: load document: the source is away")
	want := k.statuses()
	require.True(t, want[0].Killed)
	require.Equal(t, "on", want[1].Serve)
	k.again(t)
	require.Equal(t, want, k.statuses())
}

// TestStateThatServesNoMore: a document that was kept, and that the new program refuses,
// is told of with what is wrong with it.
func TestStateThatServesNoMore(t *testing.T) {
	k := newKept(t, `{"flags": {"x": {"serve": "on"}, "y": {"serve": "nonsense"}}}`)
	require.Error(t, k.Load(t.Context()))
	k.src.put("", errAway)
	store := flag.New(k.src, flag.Options{State: k.path, Strict: true})
	for range 2 {
		err := store.Load(t.Context())
		require.ErrorIs(t, err, errAway)
		require.ErrorContains(t, err, "the document that "+k.path+" has serves no more")
		require.ErrorContains(t, err, "nonsense")
	}
}

// TestStateKeepsEachDocumentThatServes: after several documents, each of them wrong about
// other flags, every flag serves after a restart what it served before, by whichever
// document; and what nothing is served from any more is not kept.
func TestStateKeepsEachDocumentThatServes(t *testing.T) {
	const flags = 3
	random := rand.New(rand.NewPCG(1, 2))
	k := newKept(t, `{"flags": {}}`)
	most := 0
	for i := range 200 {
		var document []string
		for x := range flags {
			text, variant := `"f%d": {"serve": "nonsense", "description": %q}`, fmt.Sprint("v", i)
			if random.IntN(3) == 0 {
				text = `"f%d": {"serve": %[2]q, "variants": {"all": "all", %[2]q: "this"}}`
			}
			document = append(document, fmt.Sprintf(text, x, variant))
		}
		k.src.put(`{"flags": {`+strings.Join(document, ", ")+`}}`, nil)
		_ = k.Load(t.Context())
		key := fmt.Sprint("f", random.IntN(flags))
		switch status, err := k.Status(key); {
		case err != nil || status.Serve == "" || i%4 != 0:
		case status.Overlaid && status.Quarantined: // to clear it may let a document fit that came before
		case status.Overlaid:
			require.NoError(t, k.Clear(key, me))
		case i%8 == 0:
			require.NoError(t, k.Override(key, status.Serve, me))
		default:
			require.NoError(t, k.Put(key, flag.FeatureFlag{Description: "put"}, me))
		}
		want := k.statuses()
		data, err := os.ReadFile(k.path)
		require.NoError(t, err)
		documents := bytes.Count(data, []byte(`{"flags":`))
		require.LessOrEqual(t, documents, 1+flags)
		most = max(most, documents)
		k.again(t)
		require.Equal(t, want, k.statuses(), i)
	}
	require.Equal(t, 1+flags, most)
}

// TestStateKeepsRampsExactly: a schedule is at the same moments in any zone, and a salt
// that JSON would change is refused.
func TestStateKeepsRampsExactly(t *testing.T) {
	k := newKept(t, `{"flags": {"x": {}, "y": {}}}`)
	require.NoError(t, k.Load(t.Context()))
	for _, offset := range []int{53*60 + 28, 30 * 3600} { // local mean time, and none at all
		at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.FixedZone("odd", offset))
		schedule := []flag.Point{{At: at, Share: flag.All}}
		require.NoError(t, k.SetRamp("x", flag.Ramp{Schedule: schedule}, me))
		require.Equal(t, at, schedule[0].At, "it is the caller's")
		want := k.statuses()
		require.True(t, at.Equal(want[0].Ramp.Schedule[0].At))
		require.NoError(t, k.Kill("y", me))
		k.again(t)
		require.Equal(t, want[0], k.statuses()[0])
	}
	for _, ramp := range []flag.Ramp{{Salt: "\xff"}, {By: "\xff"}} {
		require.ErrorContains(t, k.SetRamp("x", ramp, me), `\xff`)
	}
}

// TestStateOfOneAuthor: in a file from when each flag had one author, he has laid there
// all of it.
func TestStateOfOneAuthor(t *testing.T) {
	k := newKept(t, `{"flags": {"x": {}}}`)
	require.NoError(t, k.Load(t.Context()))
	require.NoError(t, k.SetRamp("x", flag.Ramp{Share: 1}, me))
	require.NoError(t, k.Kill("x", me))
	data, err := os.ReadFile(k.path)
	require.NoError(t, err)
	_, body, _ := strings.Cut(string(data), "\n")
	body = regexp.MustCompile(`"by":\[[^]]*\],`).ReplaceAllString(body, "")
	older := fmt.Sprintf("{\"format\": \"guidon flag state\", \"version\": 1, \"sha256\": \"%x\"}\n%s", sha256.Sum256([]byte(body)), body)
	require.Less(t, len(older), len(data))
	require.NoError(t, os.WriteFile(k.path, []byte(older), 0o600))
	k.again(t)
	require.Equal(t, []string{"kill by me", "ramp by me"}, laid(k.statuses()[0]))
}

// TestRevisionsDoNotComeAgain: who decided by what he saw in another process, or before a
// restart, is late, however many changes there were here; with a state even if the clock
// was set back.
func TestRevisionsDoNotComeAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.state")
	for name, options := range map[string]flag.Options{"without a state": {}, "with one": {State: path}} {
		options.OnChange = func(flag.ChangeInfo) {}
		later := uint64(0)
		store := func() *flag.Store {
			s := flag.New(&source{data: `{"flags": {"x": {}}}`}, options)
			require.NoError(t, s.Load(context.Background()))
			return s
		}
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Hour)
			one := store()
			require.NoError(t, one.Kill("x", me))
			time.Sleep(time.Minute)
			other := store()
			seen := func(s *flag.Store) flag.Change {
				return flag.Change{Actor: "late", Reason: "seen there", Revision: s.Revision()}
			}
			require.ErrorIs(t, other.SetRamp("x", flag.Ramp{}, seen(one)), flag.ErrConflict, name)
			require.ErrorIs(t, one.SetRamp("x", flag.Ramp{}, seen(other)), flag.ErrConflict, name)
			require.NoError(t, other.Kill("x", me))
			later = other.Revision()
			require.Less(t, later, uint64(1)<<53, "whoever reads JSON as floats has it, too")
		})
		synctest.Test(t, func(*testing.T) { // where it is an hour earlier
			require.Equal(t, options.State != "", store().Revision() > later, name)
		})
	}
}
