// Package histogram counts latencies in log-linear buckets.
//
// The one idea: each octave (1 to 2 ms, 2 to 4 ms, ...) is cut into 64 buckets of
// equal width, so that a bucket is found with a shift and is never wider than
// 1/64 of what it holds. A quantile is reported as the middle of the bucket that
// holds the sample of nearest rank, which is off by at most 1/128, or 0.78 %, of
// it, whatever the shape of the data.
//
// That holds from [Min] (2.048 µs) up to [Max] (68.7 s); what lies outside is
// counted in the first or last bucket. Histograms add up exactly.
package histogram
