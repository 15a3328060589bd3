package flag_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestStatusAsJSON: an ops page can hand it on as it is, and read it again.
func TestStatusAsJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []flag.ChangeInfo
		store := flag.New(&source{data: `{"flags": {"x": {"ramp": {"percent": 10}}}}`}, flag.Options{OnChange: func(info flag.ChangeInfo) { told = append(told, info) }})
		require.NoError(t, store.Load(t.Context()))
		written := func() string {
			status, err := store.Status("x")
			require.NoError(t, err)
			text, err := json.Marshal(status)
			require.NoError(t, err)
			var back flag.Status
			require.NoError(t, json.Unmarshal(text, &back))
			again, err := json.Marshal(back)
			require.NoError(t, err)
			require.Equal(t, string(text), string(again))
			return string(text)
		}
		now := time.Now().Format(time.RFC3339) // in the zone of the machine
		const ramp = `{"percent":10,"serve":"on","salt":"x"}`
		require.Equal(t, `{"key":"x","ramp":`+ramp+`,"serve":"off","true":"on","defined":`+ramp+
			`,"change":{"actor":"document","reason":"a new document"},"changed":"`+now+`","since":946684800000001,"revision":946684800000001}`, written())
		require.NoError(t, store.Kill("x", flag.Change{Actor: "me", Reason: "test", Revision: store.Revision()}))
		const by = `{"actor":"me","reason":"test"}`
		require.Equal(t, `{"key":"x","killed":true,"ramp":`+ramp+`,"serve":"off","true":"on","defined":`+ramp+
			`,"overlaid":true,"overlaidBy":`+by+`,"laid":[{"what":"kill","change":`+by+`,"at":"`+now+`"}]`+
			`,"change":`+by+`,"changed":"`+now+`","since":946684800000002,"revision":946684800000002}`, written())
		text, err := json.Marshal(told)
		require.NoError(t, err)
		require.Equal(t, `[{"op":"kill","key":"x","change":{"actor":"me","reason":"test","revision":946684800000001},"revision":946684800000002}]`, string(text))
	})
}
