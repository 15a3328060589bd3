package rollout

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// These look at what only the engine asks: several freezes together.

func TestCalendarFrozen(t *testing.T) {
	const stockholm = "Europe/Stockholm"
	weekend := Freeze{Name: "weekend", Zone: stockholm, From: "Fri 16:00", To: "Mon 08:00"}
	nights := Freeze{Name: "nights", Zone: stockholm, From: "18:00", To: "08:00"}
	christmas := Freeze{Name: "Christmas", Zone: stockholm, From: "2026-12-23 08:00", To: "2027-01-04 08:00"}
	audit := Freeze{Name: "audit", Zone: "Asia/Kolkata", From: "2026-11-26 12:30", To: "2026-11-26 14:00"} // 08:00 to 09:30 in Stockholm
	for _, c := range []struct {
		name       string
		freezes    []Freeze
		now        string
		who, until string // nobody: not frozen
	}{
		{"none", nil, "2026-11-25T20:00:00Z", "", ""},
		{"in force in the year 1", []Freeze{{Name: "a", Zone: "Asia/Kolkata", From: "05:50", To: "05:59"}}, "2026-11-25T12:00:00Z", "", ""},
		{"by day", []Freeze{weekend, nights, christmas}, "2026-11-25T12:00:00Z", "", ""},
		{"one", []Freeze{weekend, nights, christmas}, "2026-11-25T20:00:00Z", "nights", "2026-11-26T07:00:00Z"},
		{"the longer one", []Freeze{nights, weekend, christmas}, "2026-11-28T20:00:00Z", "weekend", "2026-11-30T07:00:00Z"},
		{"one after the other, without a gap", []Freeze{weekend, nights, christmas}, "2026-12-22T20:00:00Z", "nights, Christmas", "2027-01-04T07:00:00Z"},
		{"and in another zone", []Freeze{weekend, nights, audit}, "2026-11-25T20:00:00Z", "nights, audit", "2026-11-26T08:30:00Z"},
		{"at once, ending together", []Freeze{nights, weekend}, "2026-11-30T05:00:00Z", "nights", "2026-11-30T07:00:00Z"},
		{"and again, named once", []Freeze{nights, {Name: "days", Zone: stockholm, From: "2026-11-26 08:00", To: "2026-11-26 18:00"}}, "2026-11-25T20:00:00Z", "nights, days", "2026-11-27T07:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, err := newCalendar(c.freezes)
			require.NoError(t, err)
			now, err := time.Parse(time.RFC3339, c.now)
			require.NoError(t, err)
			who, until, frozen := all.frozen(now)
			require.Equal(t, c.who != "", frozen)
			require.Equal(t, c.who, who)
			if frozen {
				require.Equal(t, c.until, until.UTC().Format(time.RFC3339))
			} else {
				require.Zero(t, until)
			}
		})
	}
}

func TestNewCalendarRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		freezes []Freeze
		want    []string
	}{
		{"each, with its place", []Freeze{{Name: "a", From: "18:00", To: "08:00"}, {Name: "b", From: "18:00"}, {From: "18:00", To: "08:00"}},
			[]string{`freezes[1]: "b": to: found ""`, `freezes[2]: "": name: found ""`}},
		{"every day", []Freeze{{Name: "nights", From: "18:00", To: "08:00"}, {Name: "days", From: "08:00", To: "18:00"}},
			[]string{`freezes: one of "nights, days" is always in force: together they would never end`}},
		{"every week, in two zones", []Freeze{{Name: "a", From: "Mon 00:00", To: "Fri 00:00"}, {Name: "b", Zone: "Asia/Kolkata", From: "Fri 05:30", To: "Mon 05:30"}},
			[]string{`freezes: one of "a, b" is always in force`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, err := newCalendar(c.freezes)
			require.Nil(t, all)
			require.ErrorIs(t, err, ErrInvalid)
			lines := strings.Split(err.Error(), "\n")
			require.Len(t, lines, len(c.want), err.Error())
			for i, want := range c.want {
				require.Contains(t, lines[i], want)
			}
		})
	}
}

// TestCalendarIsTheUnion steps through time as an obvious program would.
func TestCalendarIsTheUnion(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	begin := time.Date(2026, 10, 20, 0, 0, 0, 0, time.UTC) // the clock of Stockholm is changed on the 25th
	days := []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}
	compared := 0
	for range 12 {
		var freezes []Freeze
		for i := range 1 + random.IntN(4) {
			f := Freeze{Name: string(rune('a' + i)), Zone: []string{"", "Europe/Stockholm", "Asia/Kolkata"}[random.IntN(3)]}
			from := begin.Add(time.Duration(random.IntN(10*48)) * 30 * time.Minute) // often touching
			to := from.Add(time.Duration(1+random.IntN(47)) * 30 * time.Minute)
			f.From, f.To = from.Format("15:04"), to.Format("15:04")
			switch random.IntN(3) {
			case 0:
				f.From, f.To = from.Format("2006-01-02 15:04"), to.Format("2006-01-02 15:04")
			case 1:
				f.From, f.To = days[from.Weekday()]+" "+f.From, days[to.Weekday()]+" "+f.To
			}
			freezes = append(freezes, f)
		}
		all, err := newCalendar(freezes)
		if err != nil {
			continue
		}
		frozen := func(at time.Time) bool {
			for _, w := range all {
				if _, yes := w.until(at); yes {
					return true
				}
			}
			return false
		}
		for range 20 {
			now := begin.Add(time.Duration(random.IntN(10*24*60)) * time.Minute)
			_, until, yes := all.frozen(now)
			require.Equal(t, frozen(now), yes)
			if !yes {
				continue
			}
			compared++
			want := now
			for frozen(want) {
				want = want.Add(time.Minute)
			}
			require.True(t, want.Equal(until), "%v: at %v: until %v, want %v", freezes, now, until, want)
		}
	}
	require.Greater(t, compared, 50)
}
