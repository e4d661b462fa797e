package recorder

import (
	"slices"

	"fodc/messages"
)

// addScrapeTimes adds the times of all of the target's scrapes within the bounds, whatever these
// have recorded.
func (t *target) addScrapeTimes(s *Snapshot, from, to int64) {
	var times []int64
	add := func(of []int64) {
		first, end := indexesWithin(of, from, to)
		if of = of[first:end]; len(of) == 0 {
			return
		}
		if n := len(times); n > 0 && of[0] <= times[n-1] { // The clock was set back.
			s.add(timesReader(t.name, times))
			times = nil
		}
		times = append(times, of...)
	}
	for _, c := range t.chunks {
		add(c.times)
	}
	add(t.head.times)
	s.add(timesReader(t.name, times))
}

// timesReader returns a reader of times of scrapes, which must ascend and never change.
func timesReader(target string, times []int64) chunkReader {
	return chunkReader{targetView: targetView{target: target}, times: times, to: len(times), timesOnly: true}
}

// nextOfTimes is next for a reader of times: the block has as many as fit the budget.
func (r *chunkReader) nextOfTimes(budget int, atLeastOne bool) (block messages.Block, cost int, end bool) {
	n := max(0, (budget-r.blockCost())/timeCost)
	if atLeastOne {
		n = max(n, 1)
	}
	if n = min(n, r.to-r.from); n == 0 {
		return messages.Block{}, 0, false
	}
	times := r.times[r.from : r.from+n]
	r.from += n
	return messages.Block{Target: r.target, Times: slices.Clip(times)}, r.blockCost() + n*timeCost, r.from == r.to
}

// have records that a block has the times of the scrapes from <= i < to. Those that do not join the
// ones of the blocks before are not recorded: nobody minds if times come twice.
func (r *chunkReader) have(from, to int) {
	switch had := &r.had; {
	case had.from == had.to:
		had.from, had.to = from, to
	case from <= had.to && to >= had.from:
		had.from, had.to = min(had.from, from), max(had.to, to)
	}
}

// restOfTimes returns a reader of the times of scrapes that were to be read, and that no block had. It
// has none if no times of scrapes are wanted.
func (r *chunkReader) restOfTimes() chunkReader {
	if r.target == "" || r.timesOnly {
		return chunkReader{}
	}
	times := r.times[r.from:r.to]
	return timesReader(r.target, slices.Concat(times[:r.had.from], times[r.had.to:]))
}
