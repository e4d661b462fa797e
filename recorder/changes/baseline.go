package changes

import (
	"math"
	"slices"
)

// baseline says what was usual before the time that is searched.
type baseline struct {
	n int
	// mid is the time that the trend turns about, end that of the last sample.
	mid, end int64
	// median is the value at mid; slope is by how much it rises in a millisecond.
	median, slope float64
	// least and most bound the samples as they are.
	least, most float64
	// low and high bound how far the samples were from the trend; unit is what counts as much.
	low, high, unit float64
	// spread is the standard deviation, found robustly. tail is 1 if the samples stray as those of plain noise do,
	// and more if some were far off: then one more says little.
	spread, tail float64
}

// fit finds the trend of the samples and how far they stray from it. The trend is that of Theil and Sen over
// pairs half of the time apart: the median of slopes, which single bursts do not bend.
func fit(p *points, n int, floor float64, scratch []float64) baseline {
	b := baseline{n: n, mid: p.at[n/2], end: p.at[n-1]}
	b.least, b.most = slices.Min(p.v[:n]), slices.Max(p.v[:n])
	half := n / 2
	scratch = scratch[:0]
	for i := 0; i+half < n; i++ {
		scratch = append(scratch, (p.v[i+half]-p.v[i])/float64(p.at[i+half]-p.at[i]))
	}
	b.slope = median(scratch)
	residuals := func() []float64 {
		scratch = scratch[:0]
		for i := range n {
			scratch = append(scratch, p.v[i]-b.slope*float64(p.at[i]-b.mid))
		}
		return scratch
	}
	b.median = median(residuals())
	r := residuals()
	stays, falls := math.Inf(-1), math.Inf(1)
	b.low, b.high = math.Inf(1), math.Inf(-1)
	for i := range r {
		r[i] -= b.median
		b.low, b.high = min(b.low, r[i]), max(b.high, r[i])
		if i >= 2 {
			stays = max(stays, min(r[i], r[i-1], r[i-2]))
			falls = min(falls, max(r[i], r[i-1], r[i-2]))
		}
	}
	for i := range r {
		r[i] = math.Abs(r[i])
	}
	b.spread = 1.4826 * median(r)
	b.low, b.high = min(b.low, -minEnvelope*b.spread), max(b.high, minEnvelope*b.spread)
	// How far three samples in a row were off: little for noise, much for what wanders.
	b.unit = max(stays, -falls, b.spread) * (1 + smallSample/float64(n))
	b.unit = max(b.unit, floor)
	b.tail = 1
	if edge := max(b.high, -b.low); edge > 0 {
		b.tail = max(1, edge/(minEnvelope*b.spread)) // Infinite if most are equal.
	}
	return b
}

// off returns how far a sample is beyond the envelope, in units and with its sign, and 0 within it. A trend may go on or
// stop: what either explains is not beyond.
func (b *baseline) off(at int64, v float64) float64 {
	goesOn := v - b.median - b.slope*float64(at-b.mid)
	stops := v - b.median - b.slope*float64(min(at, b.end)-b.mid)
	lower, upper := min(goesOn, stops), max(goesOn, stops)
	switch {
	case lower > b.high:
		return (lower - b.high) / b.unit
	case upper < b.low:
		return (upper - b.low) / b.unit
	}
	return 0
}

// level is what is usual at the end of the baseline, within what there was.
func (b *baseline) level() float64 {
	return min(max(b.median+b.slope*float64(b.end-b.mid), b.least), b.most)
}
