package rollout_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// The salt of an earlier rollout is refused, also when that one is over for long.
func TestAttackSaltOfAnEvictedRollout(t *testing.T) {
	for _, others := range []int{0, 101} {
		t.Run(fmt.Sprint(others), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				text := `{"flags": {"new-page": {"ramp": {"percent": 5, "salt": "s"}}}}`
				load := func() *flag.Store {
					s := flag.New(flag.Bytes([]byte(text)), flag.Options{})
					require.NoError(t, s.Load(t.Context()))
					return s
				}
				engine, store := engineOn(t, &rollout.Memory{}), load()
				g, err := engine.Guard(store, rollout.Guarded{Flag: newPage, ID: "one", Manual: true})
				require.NoError(t, err)
				ctx, cancel := context.WithCancel(t.Context())
				go g.Run(ctx)
				synctest.Wait()
				require.NoError(t, engine.Act(ctx, "one", rollout.Act{Kind: rollout.Abort, Actor: "ann"}))
				synctest.Wait()
				cancel()
				for i := range others {
					_, err := engine.Deploy(t.Context(), rollout.Request{ID: fmt.Sprint(i), Release: rel(fmt.Sprint(i)), Plan: toFifty, Target: harmless()})
					require.NoError(t, err)
				}
				_, err = engine.Guard(load(), rollout.Guarded{Flag: newPage, ID: "two", Manual: true})
				require.ErrorIs(t, err, rollout.ErrConflict)
			})
		})
	}
}
