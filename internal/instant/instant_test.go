package instant_test

import (
	"math"
	"regexp"
	"testing"
	"time"

	"github.com/guidon-go/guidon/internal/instant"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	tests := []struct {
		text string
		want int64
	}{
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01T00:00:00.000000001Z", 1},
		{"1970-01-01T00:00:01.5Z", 1_500_000_000},
		{"1970-01-01T00:00:00.0000000019999999999999999999999999999999Z", 1},
		{"1969-12-31T23:59:59.999999999Z", -1},
		{"1970-01-01T01:00:00+01:00", 0},
		{"1969-12-31T18:30:00-05:30", 0},
		{"1970-01-01T23:59:00+23:59", 0},
		{"1970-01-01T00:00:00-00:00", 0},
		{"2000-02-29T00:00:00Z", 951_782_400_000_000_000},
		{"2024-02-29T23:59:59.25Z", 1_709_251_199_250_000_000},
		{"2262-04-11T23:47:16.854775806Z", math.MaxInt64 - 1},
		{"2262-04-11T23:47:16.854775807Z", math.MaxInt64},
		{"2262-04-11T23:47:16.854775808Z", math.MaxInt64},
		{"2262-04-12T00:47:16.854775806+01:00", math.MaxInt64 - 1},
		{"9999-12-31T23:59:59-23:59", math.MaxInt64},
		{"1677-09-21T00:12:43.145224193Z", math.MinInt64 + 1},
		{"1677-09-21T00:12:43.145224192Z", math.MinInt64},
		{"1677-09-21T00:12:43.145224191Z", math.MinInt64},
		{"0000-01-01T00:00:00+23:59", math.MinInt64},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, ok := instant.Parse(tt.text)
			require.True(t, ok)
			require.Equal(t, tt.want, got)
			parsed, err := time.Parse(time.RFC3339Nano, tt.text)
			require.NoError(t, err)
			require.Equal(t, tt.want, instant.Of(parsed))
		})
	}
}

// not is why each of these is no date-time.
var not = []struct{ name, text string }{
	{"empty", ""},
	{"a date", "2026-12-01"},
	{"no zone", "2026-12-01T08:00:00"},
	{"a fraction without a zone", "2026-12-01T08:00:00.5"},
	{"a point without digits", "2026-12-01T08:00:00.Z"},
	{"a point at the end", "2026-12-01T08:00:00."},
	{"a comma", "2026-12-01T08:00:00,5Z"},
	{"a lower-case t", "2026-12-01t08:00:00Z"},
	{"a lower-case z", "2026-12-01T08:00:00z"},
	{"a space for the T", "2026-12-01 08:00:00Z"},
	{"a one-digit hour", "2026-12-01T8:00:00Z"},
	{"a one-digit hour and a fraction", "2026-12-01T8:00:00.0Z"},
	{"month 0", "2026-00-01T08:00:00Z"},
	{"month 13", "2026-13-01T08:00:00Z"},
	{"day 0", "2026-12-00T08:00:00Z"},
	{"day 32", "2026-12-32T08:00:00Z"},
	{"April 31", "2026-04-31T08:00:00Z"},
	{"a leap day in a year without one", "2026-02-29T08:00:00Z"},
	{"a leap day in 1900", "1900-02-29T08:00:00Z"},
	{"hour 24", "2026-12-01T24:00:00Z"},
	{"minute 60", "2026-12-01T08:60:00Z"},
	{"a leap second", "2016-12-31T23:59:60Z"},
	{"second 60 within a day", "2016-12-31T12:00:60Z"},
	{"an offset of 24 hours", "2026-12-01T08:00:00+24:00"},
	{"an offset of 60 minutes", "2026-12-01T08:00:00+01:60"},
	{"an offset without a colon", "2026-12-01T08:00:00+0100"},
	{"an offset with anything for the colon", "2026-12-01T08:00:00+01.00"},
	{"an offset without a sign", "2026-12-01T08:00:00 01:00"},
	{"an offset of hours only", "2026-12-01T08:00:00+01"},
	{"a negative part of an offset", "2026-12-01T08:00:00+-1:00"},
	{"a Z and an offset", "2026-12-01T08:00:00Z+01:00"},
	{"more behind it", "2026-12-01T08:00:00Z "},
	{"more before it", " 2026-12-01T08:00:00Z"},
	{"a sign in the year", "+026-12-01T08:00:00Z"},
	{"a sign in the second", "2026-12-01T08:00:+1Z"},
	{"a year of five digits", "12026-12-01T08:00:00Z"},
	{"slashes", "2026/12/01T08:00:00Z"},
	{"a point for the first colon", "2026-12-01T08.00:00Z"},
	{"a point for the second colon", "2026-12-01T08:00.00Z"},
	{"letters in the fraction", "2026-12-01T08:00:00.5aZ"},
	{"digits from elsewhere", "2026-12-01T08:00:0٣Z"},
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range not {
		t.Run(tt.name, func(t *testing.T) {
			_, ok := instant.Parse(tt.text)
			require.False(t, ok)
		})
	}
}

func TestOf(t *testing.T) {
	tests := []struct {
		name string
		time time.Time
		want int64
	}{
		{"1970", time.Unix(0, 0), 0},
		{"elsewhere", time.Date(1970, 1, 1, 2, 0, 0, 7, time.FixedZone("", 7200)), 7},
		{"the first that fits", time.Unix(0, math.MinInt64), math.MinInt64},
		{"one before it", time.Unix(0, math.MinInt64).Add(-1), math.MinInt64},
		{"one after it", time.Unix(0, math.MinInt64).Add(1), math.MinInt64 + 1},
		{"the last that fits", time.Unix(0, math.MaxInt64), math.MaxInt64},
		{"one after that", time.Unix(0, math.MaxInt64).Add(1), math.MaxInt64},
		{"one before that", time.Unix(0, math.MaxInt64).Add(-1), math.MaxInt64 - 1},
		{"the zero time", time.Time{}, math.MinInt64},
		{"as early as can be", time.Unix(math.MinInt64, 0), math.MinInt64},
		{"as late as can be", time.Unix(math.MaxInt64/2, 0), math.MaxInt64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, instant.Of(tt.time))
		})
	}
	now := time.Now() // with a monotonic clock
	require.Equal(t, now.UnixNano(), instant.Of(now))
}

func TestParseAllocatesNothing(t *testing.T) {
	texts := []string{"2026-12-01T08:00:00.123456789123+01:00", "9999-12-31T23:59:59Z"}
	for _, tt := range not {
		texts = append(texts, tt.text)
	}
	for _, text := range texts {
		require.Zero(t, testing.AllocsPerRun(100, func() { instant.Parse(text) }), "%q", text)
	}
}

// strict is the form that RFC 3339 prescribes; time.Parse also takes a comma, hours
// of one digit and offsets up to 24:60.
var strict = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// FuzzParse wants exactly the strict texts that package time reads, and the same
// moment for them.
func FuzzParse(f *testing.F) {
	f.Add("2024-02-29T23:59:59.123456789123+23:59")
	f.Add("0000-02-29T00:00:00-00:00")
	for _, tt := range not {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, err := time.Parse(time.RFC3339Nano, text)
		nanos, ok := instant.Parse(text)
		require.Equal(t, err == nil && strict.MatchString(text), ok)
		if ok {
			require.Equal(t, instant.Of(want), nanos)
		}
	})
}

func BenchmarkParseNoAlloc(b *testing.B) {
	for _, text := range []string{"2026-12-01T08:00:00Z", "2026-12-01T08:00:00.123456789+01:00", "not a time, though long enough"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				instant.Parse(text)
			}
		})
	}
}
