package changes

import (
	"math"
	"strings"
	"time"
)

// points are the samples of a series as they are compared: those of a counter as its rate.
type points struct {
	at []int64
	v  []float64
	// counter says that v is a rate.
	counter bool
}

func (p *points) reset() { p.at, p.v, p.counter = p.at[:0], p.v[:0], false }

// take makes points of the samples of a time, both ends included, at most MaxPoints. It leaves out what is no number, and
// what is not newer than the sample before.
func (p *points) take(s *Series, from, to int64) {
	p.reset()
	n := min(len(s.Times), len(s.Values))
	for i := max(0, n-MaxPoints); i < n; i++ {
		at := s.Times[i]
		v := s.Values[i]
		if at < from || at > to || math.IsNaN(v) || math.IsInf(v, 0) || len(p.at) > 0 && at <= p.at[len(p.at)-1] {
			continue
		}
		p.at, p.v = append(p.at, at), append(p.v, v)
	}
}

// toRates replaces the values of a counter by its rate since the sample before. Over a reset there is none.
func (p *points) toRates() {
	p.counter = true
	n := 0
	before, beforeAt := 0.0, int64(0)
	for i, v := range p.v {
		at := p.at[i]
		if i > 0 && v >= before {
			// The n-th place was read already.
			p.at[n], p.v[n] = at, (v-before)/(float64(at-beforeAt)/1000)
			n++
		}
		before, beforeAt = v, at
	}
	p.at, p.v = p.at[:n], p.v[:n]
}

// isCounter reports whether a series is a counter. The type alone does not say it: there are counters
// that are exported as gauges, and blocks have no types.
func isCounter(s *Series, v []float64) bool {
	rises, falls, resets := 0, 0, 0
	for i := 1; i < len(v); i++ {
		switch {
		case v[i] > v[i-1]:
			rises++
		case v[i] < resetShare*v[i-1]:
			resets++
		case v[i] < v[i-1]:
			falls++
		}
	}
	if falls <= maxMildResets && mildResets*falls <= rises && (s.Type == "counter" || strings.HasSuffix(s.Name, "_total")) {
		resets, falls = resets+falls, 0
	}
	steps := len(v) - 1
	if falls > 0 || steps < 1 || v[0] < 0 {
		return false
	}
	switch {
	case s.Type == "counter":
		return resets <= rises || rises == 0
	case isPartOfHistogram(s):
		return true
	case strings.HasSuffix(s.Name, "_bytes"):
		return false // Memory that only grows is a size all the same.
	}
	if 0 < resets && resets <= maxMildResets && strings.HasSuffix(s.Name, "_total") {
		return true // A process that has counted little is started again.
	}
	if resets == 0 && rises > 0 && strings.Contains(s.Name, "total") {
		return true // What rises now and then, and is called a total.
	}
	return float64(rises) >= minRising*float64(steps) && resets*4 <= rises
}

func isPartOfHistogram(s *Series) bool {
	return strings.HasSuffix(s.Name, "_bucket") ||
		(s.Type == "histogram" || s.Type == "summary") && (strings.HasSuffix(s.Name, "_count") || strings.HasSuffix(s.Name, "_sum"))
}

// isClock reports whether a series has points in time, which always change: by its name, and by values within ten years of
// its samples, in a unit from seconds to nanoseconds.
func isClock(name string, p *points) bool {
	const tenYears = 10 * 365 * 24 * 3600
	if !strings.Contains(name, "time") || len(p.v) == 0 {
		return false
	}
	for unit := 1.0; unit <= 1e9; unit *= 1000 {
		if math.Abs(p.v[0]/unit-float64(p.at[0])/1000) < tenYears {
			return true
		}
	}
	return false
}

// interval is the usual time between two samples, in milliseconds; 0 if there are not two.
func interval(at []int64) int64 {
	var all []int64
	for i := 1; i < len(at); i++ {
		all = append(all, at[i]-at[i-1])
	}
	return medianInt(all)
}

func timeOf(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
