package query

import (
	"bufio"
	"fmt"
	"math"

	"github.com/guptarohit/asciigraph"
)

// legend is what is said of the series that are drawn.
type legend struct {
	drawn []series
	// differ are the labels that tell them apart.
	differ []string
	steps  int64
	// digits is how many a number has at most.
	digits int
}

// writeLegend writes a row for each series: its line, the labels that tell it from others, its
// lowest, last and highest number, and at how many steps it has none.
func writeLegend(w *bufio.Writer, l legend, s Screen) {
	t := table{left: append(leftColumns(len(l.differ)), false, false, false)}
	head := append(cells(l.differ), "min", "last", "max")
	missing := false
	all := make([]summary, len(l.drawn))
	for i := range l.drawn {
		all[i] = summarize(&l.drawn[i], l.digits)
		missing = missing || all[i].numbers < l.steps
	}
	if missing {
		head, t.left = append(head, "missing"), append(t.left, false)
	}
	t.rows = append(t.rows, head)
	for i, sum := range all {
		row := append(l.drawn[i].cells(l.differ), sum.low, sum.last, sum.high)
		if missing {
			row = append(row, fmt.Sprintf("%d of %d", max(l.steps-sum.numbers, 0), l.steps))
		}
		t.rows, t.marks = append(t.rows, row), append(t.marks, mark(i, s))
	}
	t.write(w)
}

// writeBehind says which lines cannot be seen, since others are drawn over them.
func writeBehind(w *bufio.Writer, behind []int, s Screen) {
	if len(behind) == 0 {
		return
	}
	fmt.Fprint(w, "\nbehind other lines:")
	for _, i := range behind {
		fmt.Fprint(w, " ", mark(i, s))
	}
	fmt.Fprintln(w)
}

// mark returns what the line of a series is made of.
func mark(i int, s Screen) string {
	switch {
	case s.Color:
		return lineColors[i].String() + stroke + asciigraph.Default.String()
	case lineMarks[i] == "":
		return stroke
	}
	return lineMarks[i]
}

// summary is what a legend says of a series.
type summary struct {
	low, last, high string
	// numbers counts the samples that are one.
	numbers int64
}

func summarize(s *series, digits int) (sum summary) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range s.samples {
		sum.last = shortNumber(p.value, digits)
		if p.histogram != "" {
			sum.last = cellText(p.histogram)
		}
		if math.IsNaN(p.value) {
			continue
		}
		sum.numbers++
		low, high = min(low, p.value), max(high, p.value)
	}
	if sum.numbers > 0 {
		sum.low, sum.high = shortNumber(low, digits), shortNumber(high, digits)
	}
	return sum
}
