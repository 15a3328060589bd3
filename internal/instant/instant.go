package instant

import (
	"math"
	"time"
)

// What an int64 of nanoseconds can hold.
var (
	earliest = time.Unix(0, math.MinInt64)
	latest   = time.Unix(0, math.MaxInt64)
)

// Of is the nanoseconds from 1970 to a time, or the closest number there is.
func Of(t time.Time) int64 {
	switch {
	case t.Before(earliest):
		return math.MinInt64
	case t.After(latest):
		return math.MaxInt64
	}
	return t.UnixNano()
}

// Parse reads a date-time of RFC 3339 as [Of] has it: "2026-12-01T08:00:00.5+01:00",
// with T and Z in upper case and no leap second. Digits of the second beyond nine
// are dropped.
func Parse(s string) (nanos int64, ok bool) {
	const date, clock = "2006-01-02T", "15:04:05"
	if len(s) <= len(date+clock) || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	year, month, day := digits(s[0:4]), digits(s[5:7]), digits(s[8:10])
	hour, minute, second := digits(s[11:13]), digits(s[14:16]), digits(s[17:19])
	nano, zone := cutFraction(s[len(date+clock):])
	offset, ok := parseZone(zone)
	if !ok || year < 0 || !in(month, 1, 12) || !in(day, 1, 31) || !in(hour, 0, 23) || !in(minute, 0, 59) || !in(second, 0, 59) {
		return 0, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nano, time.UTC)
	if t.Day() != day { // February 30 became March 2
		return 0, false
	}
	return Of(t.Add(-offset)), true
}

// cutFraction cuts off a point and the digits behind it, and reads them as
// nanoseconds. A point without a digit is left in the rest.
func cutFraction(s string) (nano int, rest string) {
	if len(s) < 2 || s[0] != '.' || !isDigit(s[1]) {
		return 0, s
	}
	i := 1
	for unit := 100_000_000; i < len(s) && isDigit(s[i]); i++ {
		nano += int(s[i]-'0') * unit
		unit /= 10
	}
	return nano, s[i:]
}

// parseZone reads Z or ±hh:mm as how far it is ahead of UTC.
func parseZone(s string) (offset time.Duration, ok bool) {
	if s == "Z" {
		return 0, true
	}
	if len(s) != len("+hh:mm") || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	hours, minutes := digits(s[1:3]), digits(s[4:6])
	offset = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if s[0] == '-' {
		offset = -offset
	}
	return offset, in(hours, 0, 23) && in(minutes, 0, 59)
}

// digits is the number that a few digits stand for, or -1 if there is anything else.
func digits(s string) int {
	n := 0
	for i := range len(s) {
		if !isDigit(s[i]) {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func in(n, low, high int) bool { return low <= n && n <= high }
