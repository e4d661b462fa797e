package query

import (
	"bufio"
	"fmt"
	"slices"
	"time"

	"github.com/guptarohit/asciigraph"
	"github.com/prometheus/common/model"
)

const (
	// maxLines bounds the series that a chart has: more of them nobody can tell apart.
	maxLines = 8
	// A chart has no fewer and no more columns than these, whatever the screen has.
	minColumns = 16
	maxColumns = 240
	// tickColumns is how many columns a time at the axis has for itself.
	tickColumns = 14
)

// lineColors are those of lines, lineMarks what they are made of where there are no colors. The
// first one is made of strokes then, too.
var (
	lineColors = [maxLines]asciigraph.AnsiColor{asciigraph.Blue, asciigraph.Yellow, asciigraph.Green, asciigraph.Red,
		asciigraph.Magenta, asciigraph.Cyan, asciigraph.Orange, asciigraph.Gray}
	lineMarks = [maxLines]string{"", "*", "o", "+", "x", "#", "%", "@"}
)

// stroke is the mark of a line that is made of strokes.
const stroke = "─"

// writeChart draws the first series as lines, with a legend.
func writeChart(w *bufio.Writer, all []series, of Range, s Screen) {
	common, differ := commonLabels(all)
	from, to := of.Start.UnixMilli(), of.End.UnixMilli()
	writeTitle(w, common, fmt.Sprintf("%s to %s, step %s", shortTime(from), shortTime(to), model.Duration(of.Step)))
	drawn := all[:min(len(all), maxLines)]
	fmt.Fprintln(w)
	digits := shortDigits
	var behind []int
	if a, ok := axisOf(drawn); ok {
		digits = a.digits()
		lines := ""
		lines, behind = drawLines(drawn, of, a, s)
		fmt.Fprintln(w, lines)
	} else {
		fmt.Fprintln(w, "no numbers to draw")
	}
	fmt.Fprintln(w)
	writeLegend(w, legend{drawn, differ, of.steps(), digits}, s)
	writeBehind(w, behind, s)
	if more := len(all) - len(drawn); more > 0 {
		fmt.Fprintf(w, "\n%d more series are not drawn: topk(%d, ...) chooses some, --output csv has all\n", more, maxLines)
	}
}

// drawLines returns the lines of the series with their axes, and which of them are behind others. The
// library gets rows instead of values, and as many as there are columns: it scales neither.
func drawLines(drawn []series, of Range, a axis, s Screen) (chart string, behind []int) {
	// The library leaves room between a number and the axis if it has two characters.
	digits := a.digits()
	label := func(row float64) string { return fmt.Sprintf("%2s", shortNumber(a.at(row), digits)) }
	labels := 0
	for row := range a.rows + 1 {
		labels = max(labels, len(label(float64(row))))
	}
	last := of.last().Sub(of.Start)
	layout := timeLayout(last)
	// Beside the columns there are the numbers, an axis, and half of the last time.
	beside := labels + 3 + (len(layout)+1)/2
	n := min(max(s.Width-beside, minColumns), maxColumns)
	options := []asciigraph.Option{
		asciigraph.Height(max(a.rows, 1)), asciigraph.LowerBound(0), asciigraph.UpperBound(float64(a.rows)),
		asciigraph.YAxisValueFormatter(label),
	}
	if last > 0 {
		options = append(options, asciigraph.XAxisRange(0, last.Seconds()), asciigraph.XAxisTickCount(n/tickColumns+1),
			asciigraph.XAxisValueFormatter(func(seconds float64) string {
				return of.Start.Add(time.Duration(seconds * float64(time.Second))).UTC().Format(layout)
			}))
	}
	lines := make([][]float64, len(drawn))
	for i := range drawn {
		lines[i] = of.columns(&drawn[i], a, n)
	}
	behind = covered(lines)
	slices.Reverse(lines) // The first one is drawn last, over the others.
	colors := make([]asciigraph.AnsiColor, 0, len(drawn))
	marks := make([]asciigraph.CharSet, 0, len(drawn))
	for i := len(drawn) - 1; i >= 0; i-- {
		colors = append(colors, lineColors[i])
		mark := asciigraph.CharSet{}
		if !s.Color && lineMarks[i] != "" {
			mark = asciigraph.CreateCharSet(lineMarks[i])
		}
		marks = append(marks, mark)
	}
	options = append(options, asciigraph.SeriesChars(marks...))
	if s.Color {
		options = append(options, asciigraph.SeriesColors(colors...))
	}
	return asciigraph.PlotMany(lines, options...), behind
}

// timeLayout returns how times at an axis of the length are written.
func timeLayout(length time.Duration) string {
	switch {
	case length <= 15*time.Minute:
		return time.TimeOnly
	case length <= 24*time.Hour:
		return "15:04"
	case length <= 300*24*time.Hour:
		return "01-02 15:04"
	}
	return time.DateOnly
}
