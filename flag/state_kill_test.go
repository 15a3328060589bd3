package flag_test

import (
	"bufio"
	"context"
	stdflag "flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

var stateKills = stdflag.Int("flag.kills", 5, "how often TestStateSurvivesKills kills a process")

// stateFolder is the folder of the process that is going to be killed.
const stateFolder = "GUIDON_STATE_FOLDER"

// counted is how far each flag's changes have come, as a store knows it.
func counted(store *flag.Store) (map[string]int, error) {
	at := map[string]int{}
	for status := range store.All() {
		var err error
		switch text := status.OverlaidBy.Reason; {
		case !status.Overlaid:
		case status.Key == "ramped":
			at[status.Key] = int(status.Ramp.Share)
		case status.Key == "put":
			def, wrong := store.Definition(status.Key)
			if at[status.Key], err = strconv.Atoi(def.Description); wrong != nil || err != nil || !status.Put {
				return nil, fmt.Errorf("%v is put: %v %v", status.Put, wrong, err)
			}
		case status.Key == "killed":
			if at[status.Key], err = strconv.Atoi(text); err != nil || !status.Killed {
				return nil, fmt.Errorf("%v is killed: %w", status.Killed, err)
			}
		}
	}
	return at, nil
}

// TestStoreToKill is the process that TestStateSurvivesKills kills: it changes flags and
// says what was acknowledged.
func TestStoreToKill(t *testing.T) {
	folder := os.Getenv(stateFolder)
	if folder == "" {
		t.Skip("it is for TestStateSurvivesKills")
	}
	store := flag.New(flag.File(filepath.Join(folder, "flags.json")), flag.Options{State: filepath.Join(folder, "flags.state"), OnChange: func(flag.ChangeInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	at, err := counted(store)
	require.NoError(t, err)
	var mu sync.Mutex
	var all sync.WaitGroup
	for key, change := range map[string]func(n int) error{
		"ramped": func(n int) error { return store.SetRamp("ramped", flag.Ramp{Share: flag.Share(n)}, me) },
		"put":    func(n int) error { return store.Put("put", flag.FeatureFlag{Description: fmt.Sprint(n)}, me) },
		"killed": func(n int) error { return store.Kill("killed", flag.Change{Actor: "me", Reason: fmt.Sprint(n)}) },
	} {
		n := at[key]
		all.Go(func() {
			for {
				n++
				if err := change(n); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				fmt.Printf("\nacknowledged %s %d\n", key, n)
				mu.Unlock()
			}
		})
	}
	all.Wait()
}

// TestStateSurvivesKills kills a real process at random moments: whatever it said was
// acknowledged is there with the source away, and in the next process.
func TestStateSurvivesKills(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "flags.json"), []byte(`{"flags": {"ramped": {}, "put": {}, "killed": {"serve": "on"}}}`), 0o600))
	want := map[string]int{}
	for round := range *stateKills {
		cmd := exec.Command(os.Args[0], "-test.run=^TestStoreToKill$")
		cmd.Env = append(os.Environ(), stateFolder+"="+folder)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines, left := bufio.NewScanner(out), 10+rand.IntN(100)
		for lines.Scan() {
			var key string
			var n int
			if _, err := fmt.Sscanf(lines.Text(), "acknowledged %s %d", &key, &n); err != nil {
				continue
			}
			want[key] = n
			if left--; left == 0 {
				time.AfterFunc(time.Duration(rand.IntN(int(3*time.Millisecond))), func() { _ = cmd.Process.Kill() })
			}
		}
		_ = cmd.Wait() // it was killed
		require.LessOrEqual(t, left, 0, "it ended by itself")

		away := flag.SourceFunc(func(context.Context) ([]byte, error) { return nil, errAway })
		store := flag.New(away, flag.Options{State: filepath.Join(folder, "flags.state")})
		err = store.Load(t.Context())
		require.ErrorIs(t, err, errAway)
		require.NotContains(t, err.Error(), "keep")
		got, err := counted(store)
		require.NoError(t, err)
		for key, n := range want {
			// The last one may have been made, and not acknowledged.
			require.True(t, got[key] == n || got[key] == n+1, "round %d: %s is at %d, and %d was acknowledged", round, key, got[key], n)
			want[key] = got[key]
		}
	}
}
