package rollout_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // for hosts without zones

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/internal/jsontree"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// Moments as Python's zoneinfo has them; where it offers two (its fold), the doc of
// Freeze says which.
func TestFreezeUntil(t *testing.T) {
	const stockholm = "Europe/Stockholm"
	no := time.Time{}.Format(time.RFC3339)
	for _, c := range []struct {
		name, zone, from, to string
		now, until           string // until is when it ends, or no
	}{
		{"once, before", stockholm, "2026-12-20 00:00", "2027-01-04 08:00", "2026-12-19T22:59:59Z", no},
		{"once, its first moment", stockholm, "2026-12-20 00:00", "2027-01-04 08:00", "2026-12-19T23:00:00Z", "2027-01-04T07:00:00Z"},
		{"once, its last moment", stockholm, "2026-12-20 00:00", "2027-01-04 08:00", "2027-01-04T06:59:59Z", "2027-01-04T07:00:00Z"},
		{"once, after", stockholm, "2026-12-20 00:00", "2027-01-04 08:00", "2027-01-04T07:00:00Z", no},
		{"once, a year later", stockholm, "2026-12-20 00:00", "2027-01-04 08:00", "2027-12-24T12:00:00Z", no},
		{"no zone is UTC", "", "2026-12-20 00:00", "2027-01-04 08:00", "2026-12-20T00:00:00Z", "2027-01-04T08:00:00Z"},
		{"longer than a Duration can be", "", "1600-01-01 00:00", "9999-12-31 23:59", "2026-12-20T00:00:00Z", "9999-12-31T23:59:00Z"},

		{"before there was a year 1", "", "0000-06-01 00:00", "0000-07-01 00:00", "0000-06-15T00:00:00Z", "0000-07-01T00:00:00Z"},

		{"weekend, before", stockholm, "Fri 16:00", "Mon 08:00", "2026-11-27T14:59:59Z", no},
		{"weekend, its first moment", stockholm, "Fri 16:00", "Mon 08:00", "2026-11-27T15:00:00Z", "2026-11-30T07:00:00Z"},
		{"weekend, over Sunday", stockholm, "Fri 16:00", "Mon 08:00", "2026-11-29T12:00:00Z", "2026-11-30T07:00:00Z"},
		{"weekend, after", stockholm, "Fri 16:00", "Mon 08:00", "2026-11-30T07:00:00Z", no},
		{"the weekend on which the clock goes back", stockholm, "Fri 16:00", "Mon 08:00", "2026-10-23T14:00:00Z", "2026-10-26T07:00:00Z"},
		{"the weekend on which it goes forward", stockholm, "Fri 16:00", "Mon 08:00", "2026-03-27T15:00:00Z", "2026-03-30T06:00:00Z"},
		{"within one day", stockholm, "Wed 12:00", "Wed 13:00", "2026-11-25T11:30:00Z", "2026-11-25T12:00:00Z"},
		{"within one day, on another", stockholm, "Wed 12:00", "Wed 13:00", "2026-11-26T11:30:00Z", no},
		{"all but an hour of the week", stockholm, "Wed 13:00", "Wed 12:00", "2026-11-25T10:59:00Z", "2026-11-25T11:00:00Z"},
		{"all but an hour of the week, in it", stockholm, "Wed 13:00", "Wed 12:00", "2026-11-25T11:00:00Z", no},
		{"whole days", stockholm, "Sat 00:00", "Mon 00:00", "2026-11-27T23:00:00Z", "2026-11-29T23:00:00Z"},
		{"before 1970", "", "Sun 00:00", "Mon 00:00", "1969-07-20T20:17:40Z", "1969-07-21T00:00:00Z"},

		{"night, in the evening", stockholm, "18:00", "08:00", "2026-11-25T17:00:00Z", "2026-11-26T07:00:00Z"},
		{"night, in the morning", stockholm, "18:00", "08:00", "2026-11-26T06:59:59Z", "2026-11-26T07:00:00Z"},
		{"night, by day", stockholm, "18:00", "08:00", "2026-11-26T07:00:00Z", no},
		{"lunch", stockholm, "12:00", "13:00", "2026-07-01T10:00:00Z", "2026-07-01T11:00:00Z"},
		{"from midnight", stockholm, "00:00", "08:00", "2026-11-25T23:00:00Z", "2026-11-26T07:00:00Z"},
		{"to midnight", stockholm, "18:00", "00:00", "2026-11-25T22:59:00Z", "2026-11-25T23:00:00Z"},

		{"ends at a time that is skipped", stockholm, "22:00", "02:30", "2026-03-29T01:29:59Z", "2026-03-29T01:30:00Z"},
		{"begins at a time that is skipped", stockholm, "02:30", "08:00", "2026-03-29T01:00:00Z", "2026-03-29T06:00:00Z"},
		{"and not before", stockholm, "02:30", "08:00", "2026-03-29T00:59:59Z", no},
		{"is skipped, but for its end", stockholm, "02:15", "02:45", "2026-03-29T01:00:00Z", "2026-03-29T01:45:00Z"},
		{"is skipped altogether", stockholm, "02:00", "03:00", "2026-03-29T01:00:00Z", no},
		{"ends at a time that comes twice", stockholm, "22:00", "02:30", "2026-10-25T00:45:00Z", "2026-10-25T01:30:00Z"},
		{"begins at a time that comes twice", stockholm, "02:30", "08:00", "2026-10-25T00:30:00Z", "2026-10-25T07:00:00Z"},
		{"and goes on between the two", stockholm, "02:30", "08:00", "2026-10-25T01:10:00Z", "2026-10-25T07:00:00Z"},
		{"begins when the second time is over", stockholm, "03:00", "08:00", "2026-10-25T01:59:59Z", no},
		{"begins when the second time is over, then", stockholm, "03:00", "08:00", "2026-10-25T02:00:00Z", "2026-10-25T07:00:00Z"},
		{"comes twice, and is one", stockholm, "02:10", "02:50", "2026-10-25T00:55:00Z", "2026-10-25T01:50:00Z"},
		{"one night runs into the next", stockholm, "02:30", "02:15", "2026-10-25T00:20:00Z", "2026-10-26T01:15:00Z"},
		{"once, both skipped", stockholm, "2026-03-29 02:10", "2026-03-29 02:20", "2026-03-29T01:00:00Z", "2026-03-29T01:20:00Z"},

		{"half an hour back, twice", "Australia/Lord_Howe", "20:00", "01:45", "2026-04-04T14:50:00Z", "2026-04-04T15:15:00Z"},
		{"half an hour forward, skipped", "Australia/Lord_Howe", "20:00", "02:15", "2026-10-03T15:40:00Z", "2026-10-03T15:45:00Z"},
		{"at half an hour", "Asia/Kolkata", "18:00", "09:00", "2026-01-05T03:29:59Z", "2026-01-05T03:30:00Z"},
		{"at half an hour, in 1980", "Asia/Kathmandu", "18:00", "08:00", "1980-01-01T02:29:00Z", "1980-01-01T02:30:00Z"},
		{"New York in 1955, forward", "America/New_York", "20:00", "02:30", "1955-04-24T07:10:00Z", "1955-04-24T07:30:00Z"},
		{"seconds, before there were zones", stockholm, "20:00", "23:40", "1878-12-31T22:27:00Z", "1878-12-31T22:27:48Z"},
		{"when the first zone came, twice", stockholm, "20:00", "23:50", "1878-12-31T22:37:00Z", "1878-12-31T22:49:46Z"},

		{"Samoa: the night before the skipped Friday, till it is Saturday morning", "Pacific/Apia", "18:00", "08:00", "2011-12-30T04:00:00Z", "2011-12-30T18:00:00Z"},
		{"Samoa: a Friday that never was", "Pacific/Apia", "Fri 00:00", "Sat 00:00", "2011-12-30T10:00:00Z", no},
		{"Samoa: nor was it Thursday", "Pacific/Apia", "Fri 00:00", "Sat 00:00", "2011-12-30T09:59:59Z", no},
		{"Samoa: a weekend without its Friday", "Pacific/Apia", "Fri 16:00", "Mon 08:00", "2011-12-30T10:00:00Z", "2012-01-01T18:00:00Z"},
		{"Samoa: once, on the skipped day", "Pacific/Apia", "2011-12-30 07:00", "2011-12-30 08:00", "2011-12-30T10:00:00Z", "2011-12-30T18:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := rollout.Freeze{Name: c.name, Zone: c.zone, From: c.from, To: c.to}
			require.NoError(t, f.Validate())
			now, err := time.Parse(time.RFC3339, c.now)
			require.NoError(t, err)
			until, frozen := f.Until(now)
			if got := until.UTC().Format(time.RFC3339); got != c.until || frozen != (c.until != no) {
				t.Errorf("%v: at %s: got %s, %v, want %s", f, c.now, got, frozen, c.until)
			}
		})
	}
}

func TestFreezeUntilIsInItsZone(t *testing.T) {
	until, _ := rollout.Freeze{Name: "nights", Zone: "Asia/Kolkata", From: "18:00", To: "08:00"}.Until(noon.Add(8 * time.Hour))
	if got, want := until.Format("15:04 MST"), "08:00 IST"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFreezeValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		freeze rollout.Freeze
		want   []string // what the error says, in order
	}{
		{"nothing", rollout.Freeze{}, []string{`name: found ""`, `from: found ""`, `to: found ""`}},
		{"everything is wrong", rollout.Freeze{Name: "\xff", Zone: "Europe/Stokholm", From: "noon", To: "Fri 24:00"}, []string{
			`name: found "\xff", want some text in UTF-8`,
			`zone: found "Europe/Stokholm", want an IANA name such as "Europe/Stockholm", or none for UTC; without a time zone database, import time/tzdata: unknown time zone Europe/Stokholm`,
			`from: found "noon", want "08:00", "Fri 08:00" or "2026-12-20 08:00"`,
			`to: found "Fri 24:00", want "08:00"`,
		}},
		{"another zone on each host", rollout.Freeze{Name: "a", Zone: "Local", From: "08:00", To: "09:00"}, []string{`zone: found "Local", which is another on each host`}},
		{"a path", rollout.Freeze{Name: "a", Zone: "../UTC", From: "08:00", To: "09:00"}, []string{`zone: found "../UTC"`}},
		{"every day, whole", rollout.Freeze{Name: "a", From: "00:00", To: "00:00"}, []string{`to: found "00:00", which is from: it would never end`}},
		{"every week, whole", rollout.Freeze{Name: "a", From: "Fri 16:00", To: "Fri 16:00"}, []string{`to: found "Fri 16:00", which is from: it would never end`}},
		{"once, empty", rollout.Freeze{Name: "a", From: "2026-12-20 16:00", To: "2026-12-20 16:00"}, []string{`to: found "2026-12-20 16:00", want a time after from, which is "2026-12-20 16:00"`}},
		{"once, backwards", rollout.Freeze{Name: "a", From: "2027-01-04 08:00", To: "2026-12-20 00:00"}, []string{`to: found "2026-12-20 00:00", want a time after from`}},
		{"once, skipped", rollout.Freeze{Name: "a", Zone: "Europe/Stockholm", From: "2026-03-29 02:00", To: "2026-03-29 03:00"}, []string{`from, to: found "2026-03-29 02:00" and "2026-03-29 03:00", between which the clock in Europe/Stockholm is put forward`}},
		{"two forms", rollout.Freeze{Name: "a", From: "Fri 16:00", To: "08:00"}, []string{`to: found "08:00", want the form of from, which is "Fri 16:00"`}},
		{"no such day", rollout.Freeze{Name: "a", From: "2026-02-29 16:00", To: "2026-03-01 16:00"}, []string{`from: found "2026-02-29 16:00"`}},
		{"a digit too few", rollout.Freeze{Name: "a", From: "18:00", To: "8:00"}, []string{`to: found "8:00", want "08:00"`}},
		{"a space too many", rollout.Freeze{Name: "a", From: "2026-02-28  6:00", To: "Fri  8:00"}, []string{`from: found`, `to: found`}},
		{"seconds", rollout.Freeze{Name: "a", From: "18:00:00", To: "08:00:00"}, []string{`from: found`, `to: found`}},
		{"a day in small letters", rollout.Freeze{Name: "a", From: "fri 16:00", To: "Monday 08:00"}, []string{`from: found`, `to: found`}},
		{"a date without a time", rollout.Freeze{Name: "a", From: "2026-12-24", To: "2026-12-27"}, []string{`from: found`, `to: found`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.freeze.Validate()
			require.ErrorIs(t, err, rollout.ErrInvalid)
			var at *rollout.Error
			require.ErrorAs(t, err, &at)
			require.Equal(t, c.freeze.Name, at.Key)
			lines := strings.Split(err.Error(), "\n")
			require.Len(t, lines, len(c.want), err.Error())
			for i, want := range c.want {
				require.Contains(t, lines[i], want)
			}
			until, frozen := c.freeze.Until(noon)
			require.False(t, frozen || !until.IsZero(), "a freeze that is refused is in force")
		})
	}
}

func TestFreezeInJSON(t *testing.T) {
	want := []rollout.Freeze{
		{Name: "weekend", Zone: "Europe/Stockholm", From: "Fri 16:00", To: "Mon 08:00"},
		{Name: "nights", From: "18:00", To: "08:00"},
	}
	const text = `[{"name":"weekend","zone":"Europe/Stockholm","from":"Fri 16:00","to":"Mon 08:00"},{"name":"nights","from":"18:00","to":"08:00"}]`
	data, err := json.Marshal(want)
	require.NoError(t, err)
	if diff := cmp.Diff(text, string(data)); diff != "" {
		t.Errorf("as JSON (-want +got):\n%s", diff)
	}
	var got []rollout.Freeze
	require.NoError(t, jsontree.Unmarshal(data, &got))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func TestFreezeString(t *testing.T) {
	for _, c := range []struct {
		freeze rollout.Freeze
		want   string
	}{
		{rollout.Freeze{Name: "weekend", Zone: "Europe/Stockholm", From: "Fri 16:00", To: "Mon 08:00"}, "weekend (Fri 16:00 to Mon 08:00 Europe/Stockholm)"},
		{rollout.Freeze{Name: "nights", From: "18:00", To: "08:00"}, "nights (18:00 to 08:00 UTC)"},
	} {
		if got := c.freeze.String(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// wall is a slow and obvious reading of a clock: what it shows at every minute, in
// minutes since it showed 1970.
type wall struct {
	start time.Time
	shows []int64
}

func minutes(t time.Time) int64 {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC).Unix() / 60
}

func newWall(start time.Time, zone *time.Location, days int) wall {
	w := wall{start: start}
	for i := range days * 24 * 60 {
		w.shows = append(w.shows, minutes(start.Add(time.Duration(i)*time.Minute).In(zone)))
	}
	return w
}

// mark freezes from the first minute that shows from or more, to the last that shows
// to; if none does, for as long as a clock that is not changed takes to get there.
func (w wall) mark(frozen []bool, from, to int64) {
	first, end := len(w.shows), -1
	for i, shown := range w.shows {
		if shown >= from {
			first = min(first, i)
		}
		if shown <= to {
			end = i + int(to-shown)
		}
	}
	for i := first; i < min(end, len(frozen)); i++ {
		frozen[i] = true
	}
}

// TestFreezeAgainstWall compares every minute around changes of the clock with the
// slow reading, for random freezes.
func TestFreezeAgainstWall(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	days := []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}
	for _, c := range []struct{ zone, change string }{ // a day near a change of the clock
		{"Europe/Stockholm", "2026-03-29"}, {"Europe/Stockholm", "2026-10-25"},
		{"America/New_York", "2026-03-08"}, {"America/New_York", "1955-10-30"},
		{"Australia/Lord_Howe", "2026-04-04"}, {"Australia/Lord_Howe", "2026-10-03"},
		{"Pacific/Apia", "2011-12-30"}, {"Pacific/Kwajalein", "1993-08-21"}, {"Asia/Singapore", "1981-12-31"},
		{"America/Sao_Paulo", "2018-11-04"}, {"Africa/Cairo", "2010-08-11"}, {"Africa/Casablanca", "2026-02-15"},
		{"Asia/Kathmandu", "1985-12-31"}, {"Europe/London", "1947-04-13"}, {"Antarctica/Troll", "2026-03-29"},
		{"Asia/Pyongyang", "2018-05-04"}, {"UTC", "2026-11-25"},
	} {
		t.Run(c.zone+" "+c.change, func(t *testing.T) {
			zone, err := time.LoadLocation(c.zone)
			require.NoError(t, err)
			change, err := time.Parse(time.DateOnly, c.change)
			require.NoError(t, err)
			const before, around = 12 * 24 * 60, 2 * 24 * 60 // minutes: a weekly freeze may have begun earlier
			clock := newWall(change.Add(-before*time.Minute), zone, 28)
			changes := int(clock.shows[before+around]-clock.shows[before-around]) != 2*around
			require.Equal(t, c.zone != "UTC", changes, "the clock is changed then")
			for range 4 {
				day, within := int64(24*60), 24*60
				if random.IntN(3) > 0 {
					within = 4 * 60 // most changes are at night
				}
				from, to := random.Int64N(int64(within)), random.Int64N(int64(within))
				hours := func(m int64) string { return time.Unix(m*60, 0).UTC().Format("15:04") }
				f := rollout.Freeze{Name: "random", Zone: c.zone, From: hours(from), To: hours(to)}
				every := day
				if random.IntN(2) > 0 {
					fromDay, toDay := random.Int64N(7), random.Int64N(7)
					f.From, f.To = days[fromDay]+" "+f.From, days[toDay]+" "+f.To
					from, to, every = from+fromDay*day, to+toDay*day, 7*day
				}
				if from == to {
					require.Error(t, f.Validate())
					continue
				}
				if to < from {
					to += every
				}
				require.NoError(t, f.Validate())

				frozen := make([]bool, len(clock.shows))
				sunday := minutes(change.AddDate(0, 0, -int(change.Weekday())))
				for turn := -14 * day; turn <= 14*day; turn += every {
					clock.mark(frozen, sunday+turn+from, sunday+turn+to)
				}
				checkMinutes(t, f, clock, frozen, before-around, before+around)
			}
		})
	}
}

func checkMinutes(t *testing.T, f rollout.Freeze, clock wall, frozen []bool, begin, end int) {
	t.Helper()
	for i := begin; i < end; i++ {
		if i%61 != 0 && frozen[i] == frozen[i-1] && frozen[i] == frozen[i+1] {
			continue // every minute would be slow: edges, and some of the others
		}
		now := clock.start.Add(time.Duration(i) * time.Minute)
		until, yes := f.Until(now)
		if yes != frozen[i] {
			t.Fatalf("%v: at %v, when the clock shows %v: frozen %v, want %v", f, now, clock.shows[i], yes, frozen[i])
		}
		if !yes {
			continue
		}
		free := i
		for free < len(frozen) && frozen[free] {
			free++
		}
		if want := clock.start.Add(time.Duration(free) * time.Minute); free < len(frozen) && !until.Equal(want) {
			t.Fatalf("%v: at %v: until %v, want %v", f, now, until.UTC(), want)
		}
		if again, yes := f.Until(until); yes {
			t.Fatalf("%v: at %v: until %v, and then until %v", f, now, until, again)
		}
	}
}

// FuzzFreeze gives a freeze any text: it never panics, and one that is valid ends,
// later than now.
func FuzzFreeze(f *testing.F) {
	f.Add("Europe/Stockholm", "Fri 16:00", "Mon 08:00", int64(1774746000))
	f.Add("Pacific/Apia", "18:00", "08:00", int64(1325239200))
	f.Add("Australia/Lord_Howe", "2026-12-20 00:00", "2027-01-04 08:00", int64(1797000000))
	f.Add("America/St_Johns", "00:01", "00:00", int64(1162094400))
	f.Add("", "0000-01-01 00:00", "9999-12-31 23:59", int64(-62167219200))
	f.Add("Local", "24:00", "Mon", int64(-1<<63))
	f.Fuzz(func(t *testing.T, zone, from, to string, second int64) {
		freeze := rollout.Freeze{Name: "any", Zone: zone, From: from, To: to}
		_ = freeze.String()
		err := freeze.Validate()
		const year = 366 * 24 * 60 * 60
		now := time.Unix(second%(8000*year), 0)
		until, frozen := freeze.Until(now)
		if err != nil {
			require.ErrorIs(t, err, rollout.ErrInvalid)
			require.False(t, frozen)
		}
		if !frozen {
			require.Zero(t, until)
			return
		}
		require.True(t, until.After(now), "%v: at %v: until %v", freeze, now, until)
		_, again := freeze.Until(until)
		require.False(t, again, "%v: at %v: frozen at its end %v", freeze, now, until)
	})
}
