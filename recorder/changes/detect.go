package changes

import "math"

// found is a change of one series.
type found struct {
	kind Kind
	// at is the index of the sample at which it begins.
	at        int
	from, to  float64
	direction string
	strength  float64
}

// detect looks for a change from the n-th sample on.
func detect(p *points, n int, b *baseline, off []float64) (found, bool) {
	off = off[:0]
	for i := n; i < len(p.v); i++ {
		off = append(off, b.off(p.at[i], p.v[i]))
	}
	if f, ok := stays(p, n, b, off); ok {
		return f, true
	}
	if f, ok := stopped(p, n, b); ok {
		return f, true
	}
	return spike(p, n, b, off)
}

// stays finds samples beyond what is usual that are more than chance: minRun in a row on one side, by enough on average, or
// as many of runWindow, each by enough. The first of them, or what led up to it, is the onset.
func stays(p *points, n int, b *baseline, off []float64) (found, bool) {
	for i := range off {
		f := found{at: i, from: b.level()}
		switch {
		case inARow(off[i:]):
			f.kind, f.direction = Level, "up"
			if off[i] < 0 {
				f.direction = "down"
			}
		case math.Abs(off[i]) > beyond*b.tail:
			f.kind, f.direction = often(off[i:min(i+runWindow, len(off))], beyond*b.tail)
		}
		if f.kind == "" {
			continue
		}
		if f.kind == Level {
			f.at = leads(off, i)
		}
		f.measure(p, n, b, off)
		f.at += n
		return f, true
	}
	return found{}, false
}

// inARow reports whether the first minRun are beyond the envelope on one side, on average by enough.
func inARow(off []float64) bool {
	if len(off) < minRun {
		return false
	}
	sum := 0.0
	for _, o := range off[:minRun] {
		if o*off[0] <= 0 {
			return false
		}
		sum += o
	}
	return math.Abs(sum) > minRun*beyond
}

// often says what it is if minRun of the samples are off by enough: a new level if the first of them are on one side.
func often(off []float64, beyond float64) (Kind, string) {
	up, down := 0, 0
	for _, o := range off {
		switch {
		case o > beyond:
			up++
		case o < -beyond:
			down++
		}
		if up+down < minRun {
			continue
		}
		switch {
		case down == 0:
			return Level, "up"
		case up == 0:
			return Level, "down"
		}
		return Variance, "both"
	}
	return "", ""
}

// leads goes back from a sample that is clearly off to the first of those beyond the envelope that lead up to it. One
// within it does not end them.
func leads(off []float64, i int) int {
	same := func(j int) bool { return j >= 0 && off[j]*off[i] > 0 }
	for same(i-1) || same(i-2) {
		if i--; !same(i) {
			i--
		}
	}
	return i
}

// measure finds how far a change went.
func (f *found) measure(p *points, n int, b *baseline, off []float64) {
	furthest := f.at
	for i := f.at; i < len(off); i++ {
		o, most := off[i], off[furthest]
		if f.kind == Variance && math.Abs(o) > math.Abs(most) || f.direction == "up" && o > most || f.direction == "down" && o < most {
			furthest = i
		}
	}
	f.to, f.strength = p.v[n+furthest], math.Abs(off[furthest])
	if f.kind == Variance {
		f.from, f.to = max(b.high, -b.low), math.Abs(f.to-b.level())
	}
}

// stopped finds the end of a counter that never paused for long. It cannot fall below zero, so that it may well be
// within its envelope.
func stopped(p *points, n int, b *baseline) (found, bool) {
	if !p.counter || b.level() <= 0 {
		return found{}, false
	}
	longest, run := 0, 0
	for _, v := range p.v[:n] {
		if run++; v > 0 {
			run = 0
		}
		longest = max(longest, run)
	}
	strength := b.median / b.unit
	run = 0
	for i := n; i < len(p.v); i++ {
		if run++; p.v[i] > 0 {
			run = 0
		}
		if run >= 2*longest+minPause && strength >= 1 {
			return found{kind: Stopped, at: i - run + 1, from: b.level(), direction: "down", strength: strength}, true
		}
	}
	return found{}, false
}

// spike finds one or two samples that are very far off.
func spike(p *points, n int, b *baseline, off []float64) (found, bool) {
	f, ok := found{kind: Spike, from: b.level()}, false
	for i, o := range off {
		if math.Abs(o) <= beyond {
			continue
		}
		edge := b.high
		f.direction = "up"
		if o < 0 {
			edge, f.direction = -b.low, "down"
		}
		if math.Abs(o)*b.unit+edge > max(spikeRatio*edge*b.tail*b.tail, edge+spikeRatio*b.unit) {
			f.at, f.to, f.strength, ok = n+i, p.v[n+i], math.Abs(o), true
			break
		}
	}
	return f, ok
}
