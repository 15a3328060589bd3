package flag_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

func TestStateThatIsDamaged(t *testing.T) {
	for name, damage := range map[string]func(data []byte) []byte{
		"a bit of the document": func(data []byte) []byte { data[len(data)-3] ^= 1; return data },
		"a bit of the sum":      func(data []byte) []byte { return bytes.Replace(data, []byte(`"sha256":"`), []byte(`"sha256":"0`), 1) },
		"its end":               func(data []byte) []byte { return data[:len(data)-1] },
		"more":                  func(data []byte) []byte { return append(data, '\n') },
		"its beginning alone":   func(data []byte) []byte { return data[:bytes.IndexByte(data, '\n')] },
		"empty":                 func([]byte) []byte { return nil },
		"half its first line":   func(data []byte) []byte { return data[:40] },
		"one letter":            func(data []byte) []byte { return data[:1] },
		"zeros":                 func(data []byte) []byte { return make([]byte, len(data)) },
	} {
		t.Run(name, func(t *testing.T) {
			k := newKept(t, `{"flags": {"a": {}}}`)
			for i := 1; i <= 2; i++ {
				k.start()
				require.NoError(t, k.Load(t.Context()))
				require.NoError(t, k.Kill("a", me))
				data, err := os.ReadFile(k.path)
				require.NoError(t, err)
				damaged := damage(data)
				require.NoError(t, os.WriteFile(k.path, damaged, 0o600))
				k.start()
				err = k.Load(t.Context())
				aside := fmt.Sprintf("%s.damaged-%d", k.path, i)
				require.ErrorContains(t, err, "flag: keep "+k.path+": damaged: ")
				require.ErrorIs(t, err, flag.ErrDamaged)
				require.ErrorContains(t, err, ": it is kept as "+aside+", and begun anew")
				require.Len(t, k.told, 1)
				require.Equal(t, err, k.told[0].Err)
				require.False(t, k.told[0].Refused)
				found, err := os.ReadFile(aside)
				require.NoError(t, err)
				require.Equal(t, string(damaged), string(found))
				require.NoError(t, k.Load(t.Context()))
				require.NoError(t, k.Err())
				require.False(t, k.statuses()[0].Killed)
				require.NoError(t, k.Kill("a", me))
				k.again(t)
				require.True(t, k.statuses()[0].Killed)
			}
		})
	}
}

func TestStateThatIsForeign(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"a document": {`{"flags": {}}`, "is no state of a store, so nothing is kept and it stays as it is"},
		"a text":     {"hello\n", "is no state of a store, so nothing is kept and it stays as it is"},
		"later":      {`{"format": "guidon flag state", "version": 2}` + "\n", "has version 2, want 1, so nothing is kept and it stays as it is"},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKept(t, `{"flags": {"a": {}}}`)
			require.NoError(t, os.WriteFile(k.path, []byte(tt.text), 0o600))
			for range 3 {
				require.EqualError(t, k.Load(t.Context()), "flag: keep "+k.path+": "+tt.want)
				require.EqualError(t, k.Err(), "flag: keep "+k.path+": "+tt.want)
			}
			require.Len(t, k.told, 1)
			err := k.Kill("a", me)
			require.ErrorIs(t, err, flag.ErrNotKept)
			require.EqualError(t, err, "flag: kill a: serves, but is not kept in "+k.path+": "+tt.want)
			require.True(t, k.statuses()[0].Killed)
			data, err := os.ReadFile(k.path)
			require.NoError(t, err)
			require.Equal(t, tt.text, string(data))
			require.NoError(t, os.Remove(k.path))
			require.NoError(t, k.Load(t.Context()), "it is kept as soon as there is a place")
			require.NoError(t, k.Err())
			k.again(t)
			require.True(t, k.statuses()[0].Killed)
		})
	}
}

func TestStateThatCannotBeRead(t *testing.T) {
	k := newKept(t, `{"flags": {"a": {}}}`)
	require.NoError(t, os.Mkdir(k.path, 0o700))
	require.ErrorContains(t, k.Load(t.Context()), "flag: keep "+k.path+": ")
	require.ErrorIs(t, k.Kill("a", me), flag.ErrNotKept)
	require.NoError(t, os.Remove(k.path))
	require.NoError(t, k.Load(t.Context()))
	k.path = filepath.Join(k.path, "below a file", "flags.state")
	k.start()
	require.Error(t, k.Load(t.Context()))
}

func TestStateThatCannotBeWritten(t *testing.T) {
	full := errors.New("no space left on device")
	for _, failing := range []string{"create", "write", "sync", "rename", "sync folder"} {
		t.Run(failing, func(t *testing.T) {
			k := newKept(t, `{"flags": {"a": {}, "b": {}}}`)
			require.NoError(t, k.Load(t.Context()))
			require.NoError(t, k.SetRamp("b", flag.Ramp{}, me))
			old, err := os.ReadFile(k.path)
			require.NoError(t, err)
			fail := func(step string) error {
				if step == failing {
					return full
				}
				return nil
			}
			k.Fault(fail)
			unkept := "serves, but is not kept in " + k.path + ": no space left on device"
			err = k.Kill("a", me)
			require.ErrorIs(t, err, flag.ErrNotKept)
			require.ErrorIs(t, err, full)
			require.EqualError(t, err, "flag: kill a: "+unkept)
			share, err := k.Advance("b", 5, flag.All, me)
			require.EqualError(t, err, "flag: advance b: "+unkept)
			require.EqualValues(t, 5, share)
			on, err := k.Toggle("b", me)
			require.EqualError(t, err, "flag: toggle b: "+unkept)
			require.False(t, on)
			on, err = k.Toggle("b", me)
			require.ErrorIs(t, err, flag.ErrNotKept)
			require.True(t, on)
			require.EqualError(t, k.Create("c", flag.FeatureFlag{}, me), "flag: create c: "+unkept)
			require.EqualError(t, k.Clear("c", me), "flag: clear c: "+unkept)
			require.EqualError(t, k.Err(), "flag: keep "+k.path+": no space left on device")
			for range 2 {
				require.EqualError(t, k.Load(t.Context()), "flag: keep "+k.path+": no space left on device")
			}
			require.Len(t, k.told, 2, "once when it began, and once when it could not be kept")
			require.True(t, k.statuses()[0].Killed)
			now, err := os.ReadFile(k.path)
			require.NoError(t, err)
			if failing != "sync folder" {
				require.Equal(t, string(old), string(now))
			}
			names, err := os.ReadDir(filepath.Dir(k.path))
			require.NoError(t, err)
			require.Len(t, names, 1, "nothing is left behind")
			k.Fault(nil)
			require.NoError(t, k.Load(t.Context()))
			require.Len(t, k.told, 3)
			require.NoError(t, k.Err())
			k.again(t)
			require.True(t, k.statuses()[0].Killed)
		})
	}
}

func TestStateIsSyncedInOrder(t *testing.T) {
	k := newKept(t, `{"flags": {"a": {}}}`)
	var steps []string
	k.Fault(func(step string) error { steps = append(steps, step); return nil })
	require.NoError(t, k.Load(t.Context()))
	require.NoError(t, k.Kill("a", me))
	require.Equal(t, strings.Split("create write sync rename sync-folder create write sync rename sync-folder", " "), strings.Split(strings.ReplaceAll(strings.Join(steps, "|"), " ", "-"), "|"))
}

func TestStateLeavesNoLitter(t *testing.T) {
	k := newKept(t, `{"flags": {"a": {}}}`)
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{".1.next", ".2.next", ".3.other", ".draft.next", "x.4.next"} {
		require.NoError(t, os.WriteFile(k.path+name, nil, 0o600))
		if name != ".2.next" {
			require.NoError(t, os.Chtimes(k.path+name, old, old))
		}
	}
	require.NoError(t, k.Load(t.Context()))
	var names []string
	entries, err := os.ReadDir(filepath.Dir(k.path))
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, strings.TrimPrefix(entry.Name(), "flags.state"))
	}
	require.Equal(t, []string{"", ".2.next", ".3.other", ".draft.next", "x.4.next"}, names)
}
