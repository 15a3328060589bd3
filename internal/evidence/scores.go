package evidence

import "math"

// Events is what happened in every bucket at one ramp: Count of the Requests were
// of the kind that is tested.
type Events struct {
	Count, Requests []uint32
}

// Past is what happened in every bucket before the rollout, of the same kind; it
// makes the expectation of a bucket whose users fail more often than others, or
// are slower, what it should be. The zero value knows nothing.
type Past Events

// expected is how many events each bucket would have had if they had fallen on
// its requests as they did on all, or, with a past, as they did before the
// rollout: the rate of the past, shrunk towards the overall rate as if each bucket
// had had as many more requests as bring some 20 events.
func (e Events) expected(past Past, from int) []float64 {
	events, weight := 0.0, 0.0
	weights := make([]float64, len(e.Count))
	rate, shrink := 0.0, 0.0
	if len(past.Requests) > 0 {
		n, x := 0.0, 0.5
		for m := from; m < len(past.Requests); m++ {
			n += float64(past.Requests[m])
			x += float64(past.Count[m])
		}
		if n > 0 {
			rate = x / n
			shrink = min(400, 20/rate)
		}
	}
	for m := from; m < len(weights); m++ {
		weights[m] = float64(e.Requests[m])
		if rate > 0 {
			weights[m] *= (float64(past.Count[m]) + float64(shrink*rate)) / (float64(past.Requests[m]) + shrink)
		}
		weight += weights[m]
		events += float64(e.Count[m])
	}
	for m := range weights {
		if weight > 0 {
			weights[m] *= events / weight
		}
	}
	return weights
}

// Failures scores a bucket by how many more events it had than expected, by the
// same in units of its traffic's noise, by the logarithm of its events, and by
// whether it had any: the last two are for failures that come in bursts or from
// few users. With a past, they are taken beyond what that lets expect, too.
func (e Events) Failures(past Past, from int) []Score {
	expected := e.expected(past, from)
	scores := make([]Score, len(expected))
	for m := from; m < len(scores); m++ {
		x := float64(e.Count[m])
		log, any := math.Log2(1+x), min(x, 1)
		if len(past.Requests) > 0 {
			log -= math.Log2(1 + expected[m])
			any -= 1 - math.Exp(-expected[m])
		}
		scores[m] = Score{fixed(x - expected[m]), fixed((x - expected[m]) / math.Sqrt(float64(e.Requests[m])+1)), fixed(log), fixed(any)}
	}
	return scores
}

// Fewer scores a bucket by how many fewer events it had than expected.
func (e Events) Fewer(past Past, from int) []Score {
	scores := e.Failures(past, from)
	for m := range scores {
		s := &scores[m]
		*s = Score{-s[0], -s[1], -s[2]}
	}
	return scores
}

// Pairs scores two kinds of events of a bucket together, each by how many more it
// had than expected, and the same in units of its traffic's noise.
func Pairs(a, b []Score) []Score {
	scores := make([]Score, len(a))
	for m := range scores {
		scores[m] = Score{a[m][0], a[m][1], b[m][0], b[m][1]}
	}
	return scores
}

// Traffic scores a bucket by how much more traffic it had than others, or, in the
// second half of the scores, how much less. With a past it is more or less than
// the bucket's share before the rollout.
func (e Events) Traffic(past Past, from int) []Score {
	all := Events{Count: e.Requests, Requests: make([]uint32, len(e.Requests))}
	for m := range all.Requests {
		all.Requests[m] = 1
	}
	before := Past{}
	if len(past.Requests) > 0 {
		before = Past{Count: past.Requests, Requests: all.Requests}
	}
	expected := all.expected(before, from)
	scores := make([]Score, len(expected))
	for m := from; m < len(scores); m++ {
		n := float64(e.Requests[m])
		more, log := fixed(n-expected[m]), fixed(math.Log2((1+n)/(1+expected[m])))
		scores[m] = Score{more, log, -more, -log}
	}
	return scores
}

func fixed(x float64) int64 { return int64(math.Round(x * unit)) }
