package health_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// TestSLORestart: one that is written and read every now and then reads as one that
// never was.
func TestSLORestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		whole, parts := newSLO(t, 0.99), newSLO(t, 0.99)
		random := rand.New(rand.NewPCG(3, 4))
		size := 0
		for i := range 3000 {
			gap := time.Second
			if random.IntN(20) == 0 {
				gap = 6 * time.Hour
			}
			time.Sleep(time.Duration(random.ExpFloat64() * float64(gap)))
			class := health.Class(random.IntN(2)) // Failure and Success
			whole.Record(time.Now(), class)
			parts.Record(time.Now(), class)
			if i%10 == 0 {
				text, err := json.Marshal(parts)
				require.NoError(t, err)
				size = max(size, len(text))
				time.Sleep(time.Duration(random.Int64N(int64(time.Hour))))
				parts = newSLO(t, 0.99)
				require.NoError(t, json.Unmarshal(text, parts))
				require.Equal(t, whole.Snapshot(time.Now()), parts.Snapshot(time.Now()))
			}
		}
		require.Equal(t, 720*time.Hour, parts.Snapshot(time.Now()).Spent.Covered)
		require.Less(t, size, 40_000)
	})
}

func TestSLORestoresNothing(t *testing.T) {
	text, err := json.Marshal(newSLO(t, 0.99))
	require.NoError(t, err)
	s := newSLO(t, 0.99)
	s.Record(time.Now(), health.Failure)
	require.NoError(t, json.Unmarshal(text, s))
	require.Zero(t, s.Snapshot(time.Now()).Spent, "in place of what was there")
	s.Record(time.Now(), health.Success)
	spent := s.Snapshot(time.Now()).Spent
	require.EqualValues(t, 1, spent.Requests)
	require.Zero(t, spent.Failures)
}

// TestSLOClockSetBack: what was counted in a time that is yet to come is gone, and what
// comes is counted.
func TestSLOClockSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSLO(t, 0.99)
		s.Record(time.Now(), health.Failure)
		time.Sleep(time.Hour)
		ahead := time.Now().Add(3630 * time.Second) // the same place in the hour's ring, a lap later
		s.Record(ahead, health.Failure)
		text, err := json.Marshal(s)
		require.NoError(t, err)
		s = newSLO(t, 0.99)
		require.NoError(t, json.Unmarshal(text, s))
		s.Record(time.Now(), health.Success)
		require.EqualValues(t, 1, s.Snapshot(time.Now()).Burns[1].Short.Requests)
		require.EqualValues(t, 2, s.Snapshot(time.Now()).Spent.Requests)
	})
}

func TestSLORefusesText(t *testing.T) {
	rule := health.BurnRule{Long: time.Hour, Short: 5 * time.Minute, Factor: 2}
	const hour, month = `{"window":3600000000000`, `{"window":2592000000000000`
	for _, tt := range []struct{ name, text, want string }{
		{"no JSON", `{"windows"`, "unexpected end"},
		{"a type", `{"windows":7}`, "cannot unmarshal"},
		{"no windows", `{}`, "windows: found 0, want 2"},
		{"others", `{"windows":[` + month + `},` + hour + `}]}`, "windows[0].window: found 720h0m0s, want 1h0m0s\ninvalid: slo: windows[1].window: found 1h0m0s, want 720h0m0s"},
		{"no start", `{"windows":[` + hour + `,"counts":[[1,1,1]]},` + month + `}]}`, "windows[0].counts[0]: found one without a start"},
		{"yet to come", `{"start":"2199-01-01T00:00:00Z","windows":[` + hour + `},` + month + `}]}`, "start: found 2199"},
		{"long ago", `{"start":"1969-01-01T00:00:00Z","windows":[` + hour + `},` + month + `}]}`, "start: found 1969"},
		{"failures", `{"start":"1999-01-01T00:00:00Z","windows":[` + hour + `},` + month + `,"counts":[[1,1,1],[2,1,2]]}]}`, "windows[1].counts[1]: found step 2 with 1 requests and 2 failures"},
		{"requests", `{"start":"1999-01-01T00:00:00Z","windows":[` + hour + `,"counts":[[1,274877906944,1]]},` + month + `}]}`, "windows[0].counts[0]"},
		{"a step", `{"start":"1999-01-01T00:00:00Z","windows":[` + hour + `,"counts":[[18446744073709551615,1,1]]},` + month + `}]}`, "windows[0].counts[0]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSLO(t, 0.99, rule)
			s.Record(time.Now(), health.Failure)
			before := s.Snapshot(time.Now()).Spent.Requests
			err := s.UnmarshalJSON([]byte(tt.text))
			require.ErrorIs(t, err, health.ErrInvalid)
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, before, s.Snapshot(time.Now()).Spent.Requests)
		})
	}
	require.ErrorIs(t, new(health.SLO).UnmarshalJSON([]byte(strings.Repeat(" ", 3)+`{"windows":[`+hour+`}]}`)), health.ErrInvalid)
}
