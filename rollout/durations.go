package rollout

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"
)

// Durations sums up some times. In JSON they are in seconds, as "median_seconds"
// and so on.
type Durations struct {
	Count  int           // how many they are
	Mean   time.Duration // arithmetic
	Median time.Duration // nearest rank
	P90    time.Duration // nearest rank
	// Low and High are the median's 95 % interval: two of the times, by order
	// statistics, so that no distribution is assumed (David and Nagaraja, Order
	// Statistics, 3rd ed., 7.1). Both are zero for fewer than six times, which have
	// none.
	Low, High time.Duration
}

// durationsJSON is Durations in seconds.
type durationsJSON struct {
	Count  int      `json:"count"`
	Mean   float64  `json:"mean_seconds"`
	Median float64  `json:"median_seconds"`
	Low    *float64 `json:"median_low_seconds,omitempty"`
	High   *float64 `json:"median_high_seconds,omitempty"`
	P90    float64  `json:"p90_seconds"`
}

// MarshalJSON writes the times in seconds.
func (d Durations) MarshalJSON() ([]byte, error) {
	out := durationsJSON{Count: d.Count, Mean: d.Mean.Seconds(), Median: d.Median.Seconds(), P90: d.P90.Seconds()}
	if d.interval() {
		low, high := d.Low.Seconds(), d.High.Seconds()
		out.Low, out.High = &low, &high
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (d *Durations) UnmarshalJSON(data []byte) error {
	var in durationsJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	of := func(seconds *float64) time.Duration {
		if seconds == nil {
			return 0
		}
		return time.Duration(math.Round(*seconds * float64(time.Second)))
	}
	*d = Durations{Count: in.Count, Mean: of(&in.Mean), Median: of(&in.Median), Low: of(in.Low), High: of(in.High), P90: of(&in.P90)}
	return nil
}

// interval says whether there are enough for one: of five, all lie on one side of
// the median once in 16 times.
func (d Durations) interval() bool { return d.Count >= 6 }

// String is "median 1.2s (95 % interval 1s to 2s), p90 3s, mean 1.5s of 7", or "no
// value" for nil.
func (d *Durations) String() string {
	if d == nil {
		return "no value"
	}
	short := func(t time.Duration) time.Duration {
		switch {
		case t >= 10*time.Hour:
			return t.Round(time.Minute)
		case t >= 10*time.Second:
			return t.Round(time.Second)
		}
		return t.Round(10 * time.Millisecond)
	}
	interval := ""
	if d.interval() {
		interval = fmt.Sprintf(" (95 %% interval %v to %v)", short(d.Low), short(d.High))
	}
	return fmt.Sprintf("median %v%s, p90 %v, mean %v of %d", short(d.Median), interval, short(d.P90), short(d.Mean), d.Count)
}

// durations sums up times; none have no value.
func durations(all []time.Duration) *Durations {
	n := len(all)
	if n == 0 {
		return nil
	}
	slices.Sort(all)
	rank := func(q float64) time.Duration { return all[int(math.Ceil(q*float64(n)))-1] }
	d := &Durations{Count: n, Median: rank(0.5), P90: rank(0.9)}
	if out := outside(n); out > 0 {
		d.Low, d.High = all[out-1], all[n-out]
	}
	mean := 0.0 // years of commits may come together: too much for a time.Duration
	for _, t := range all {
		mean += float64(t) / float64(n)
	}
	d.Mean = time.Duration(math.Round(mean))
	return d
}

// outside is the largest rank, counted from either end, beyond which the median of
// what n times were drawn from lies with probability at most 2.5 %; 0 for none: it
// is above the kth smallest if fewer than k of n fair coins fall below it.
func outside(n int) int {
	logs := func(k int) float64 { l, _ := math.Lgamma(float64(k) + 1); return l }
	below := 0.0
	for k := 0; k < n; k++ {
		below += math.Exp(logs(n) - logs(k) - logs(n-k) - float64(n)*math.Ln2)
		if below > 0.025 {
			return k
		}
	}
	return 0
}

// Rate is a part of a whole, 0 to 1, with its 95 % interval (Wilson, Journal of
// the American Statistical Association 22, 1927).
type Rate struct {
	Value float64 `json:"value"` // as counted
	Low   float64 `json:"low"`   // lower end of the interval
	High  float64 `json:"high"`  // upper end of the interval
}

// wilson is the rate of k in n; of none there is no value.
func wilson(k, n int) *Rate {
	if n == 0 {
		return nil
	}
	const z = 1.959963984540054 // the normal distribution's 97.5 % quantile
	p, m := float64(k)/float64(n), float64(n)
	center := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	r := &Rate{Value: p, Low: max(center-half, 0), High: min(center+half, 1)}
	switch k { // exact in theory, and so without the last bit of rounding
	case 0:
		r.Low = 0
	case n:
		r.High = 1
	}
	return r
}
