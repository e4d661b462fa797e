package promstore

import (
	"cmp"
	"slices"
)

// scrapeTimes are the times of the scrapes of a target, in unix milliseconds. They ascend within each part.
// The parts are those of blocks, so that no time is copied.
type scrapeTimes [][]int64

// with returns the times with those of one more block, of so many.
func (s scrapeTimes) with(times []int64, blocks int) scrapeTimes {
	if n := len(s); n > 0 && slices.Equal(s[n-1], times) { // Series that one block had no room for.
		return s
	}
	if s == nil {
		s = make(scrapeTimes, 0, blocks)
	}
	return append(s, times)
}

// sorted returns the times in parts each of which begins behind the end of the one before. Where a part has
// all times of another, that one is left out. If parts overlap otherwise, all are one, with each time once.
func (s scrapeTimes) sorted() scrapeTimes {
	slices.SortStableFunc(s, func(a, b []int64) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(len(b), len(a))) })
	apart := s[:min(1, len(s))]
	for i := 1; i < len(s); i++ {
		part, n := s[i], len(apart)
		switch {
		case part[0] > apart[n-1][len(apart[n-1])-1]:
			apart = append(apart, part) // in the memory of s, whose part it is or one before that
		case !contains(apart[n-1], part):
			all := slices.Concat(append(apart, s[i:]...)...)
			slices.Sort(all)
			return scrapeTimes{slices.Compact(all)}
		}
	}
	return apart
}

// contains reports whether some times are among others. Both ascend.
func contains(times, some []int64) bool {
	for _, at := range some {
		i := search(times, at)
		if i == len(times) || times[i] != at {
			return false
		}
		times = times[i+1:]
	}
	return true
}

// scrapePlace is a place among the times of sorted scrapeTimes.
type scrapePlace struct {
	scrapeTimes
	part, index int
}

// reset moves to the first of the times after at.
func (p *scrapePlace) reset(of scrapeTimes, at int64) {
	p.scrapeTimes, p.index = of, 0
	p.part, _ = slices.BinarySearchFunc(of, at, func(part []int64, at int64) int { return cmp.Compare(part[len(part)-1], at) })
	if p.part < len(of) {
		p.index = search(of[p.part], at)
	}
}

// is reports whether the times are the same ones.
func (p *scrapePlace) is(of scrapeTimes) bool {
	return len(p.scrapeTimes) == len(of) && (len(of) == 0 || &p.scrapeTimes[0] == &of[0])
}

// after returns the first time after at, which must not be before that of the call before. ok is false if
// there is none.
func (p *scrapePlace) after(at int64) (next int64, ok bool) {
	for ; p.part < len(p.scrapeTimes); p.part, p.index = p.part+1, 0 {
		times := p.scrapeTimes[p.part]
		for p.index < len(times) && times[p.index] <= at {
			p.index++
		}
		if p.index < len(times) {
			return times[p.index], true
		}
	}
	return 0, false
}
