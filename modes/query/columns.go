package query

import (
	"math"
	"slices"
	"time"
)

// steps returns how many steps the range has.
func (r Range) steps() int64 {
	if r.Step <= 0 || r.End.Before(r.Start) {
		return 1
	}
	return int64(r.End.Sub(r.Start)/r.Step) + 1
}

// last returns the time of the last step.
func (r Range) last() time.Time { return r.Start.Add(time.Duration(r.steps()-1) * r.Step) }

// stepOf returns the number of the step that is nearest to a time in unix milliseconds.
func (r Range) stepOf(at int64) int64 {
	if r.Step <= 0 {
		return 0
	}
	return int64(time.UnixMilli(at).Sub(r.Start).Round(r.Step) / r.Step)
}

// columns returns the rows in which a line passes through each of n columns; NaN where it has no
// value. If there are more steps than columns, two columns have the lowest and the highest value of
// their steps: no peak is lost.
func (r Range) columns(s *series, a axis, n int) []float64 {
	line := make([]float64, n)
	for i := range line {
		line[i] = math.NaN()
	}
	steps := r.steps()
	if steps > int64(n) {
		r.narrow(line, s, a, steps)
	} else {
		r.interpolate(line, s, a, steps)
	}
	return line
}

// covered returns which lines cannot be seen, where the first ones are over the others.
func covered(lines [][]float64) (behind []int) {
	for i, line := range lines {
		numbers, seen := 0, 0
		for at, row := range line {
			if math.IsNaN(row) {
				continue
			}
			numbers++
			over := func(other []float64) bool { return math.Round(other[at]) == math.Round(row) }
			if !slices.ContainsFunc(lines[:i], over) {
				seen++
			}
		}
		if numbers > 0 && seen == 0 {
			behind = append(behind, i)
		}
	}
	return behind
}

// narrow puts several steps into two columns.
func (r Range) narrow(line []float64, s *series, a axis, steps int64) {
	pairs := len(line) / 2
	for _, p := range s.samples {
		row := a.rowOf(p.value)
		step := r.stepOf(p.at)
		if math.IsNaN(row) || step < 0 || step >= steps {
			continue
		}
		first := 2 * int(float64(step)*float64(pairs)/float64(steps))
		before, after := &line[first], &line[first+1]
		switch {
		case math.IsNaN(*before):
			*before, *after = row, row
		case row <= min(*before, *after):
			*before, *after = max(*before, *after), row
		case row >= max(*before, *after):
			*before, *after = min(*before, *after), row
		}
	}
}

// interpolate gives each step a column, and connects steps that follow each other.
func (r Range) interpolate(line []float64, s *series, a axis, steps int64) {
	columnOf := func(step int64) int {
		if steps == 1 {
			return 0
		}
		return int(math.Round(float64(step) * float64(len(line)-1) / float64(steps-1)))
	}
	before, rowBefore := int64(-2), 0.0
	for _, p := range s.samples {
		row := a.rowOf(p.value)
		step := r.stepOf(p.at)
		if math.IsNaN(row) || step < 0 || step >= steps {
			continue
		}
		at := columnOf(step)
		line[at] = row
		if step == before+1 {
			for i, from := columnOf(before)+1, columnOf(before); i < at; i++ {
				line[i] = rowBefore + (row-rowBefore)*float64(i-from)/float64(at-from)
			}
		}
		before, rowBefore = step, row
	}
}
