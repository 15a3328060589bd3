package rollout_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/guidon-go/guidon/internal/scenario"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// TestTheNewestStays: two requests want the place of one whose way back takes long.
// They come in order of arrival, and the second one takes the place of the first. How
// far that has come by then is up to the scheduler, so this is no story.
func TestTheNewestStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		for _, line := range []string{
			"plan canary 5% 100% hold=10m judges=errors",
			"target shop refuses 3",
			"deploy v2",
			"at 5m deploy v3",
			"at 5m2s deploy v4",
			"end",
		} {
			words := strings.Fields(line)
			s.do(scenario.Command{Name: words[0], Args: words[1:]})
		}
		var order []string
		for _, r := range records(t, s.memory) {
			if r.Kind == rollout.KindRequested || r.Kind == rollout.KindFinished {
				order = append(order, r.Rollout+" "+r.To)
			}
		}
		require.Equal(t, []string{"v2 forward 0", "v2 superseded", "v3 forward 0", "v3 superseded", "v4 forward 0", "v4 succeeded"}, order)
		s.curtain()
	})
}
