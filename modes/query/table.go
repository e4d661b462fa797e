package query

import (
	"bufio"
	"fmt"
	"strings"
)

// table is rows of cells, the first of which is the names of the columns.
type table struct {
	rows [][]string
	// left says which columns begin at the left; others end at the right.
	left []bool
	// marks, if there are any, stand before each row but the first. They take one column.
	marks []string
}

// write writes the columns as wide as their cells are.
func (t *table) write(w *bufio.Writer) {
	widths := make([]int, len(t.left))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], widthOf(cell))
		}
	}
	for n, row := range t.rows {
		var line strings.Builder
		if t.marks != nil {
			line.WriteString(append([]string{" "}, t.marks...)[n] + "  ")
		}
		for i, cell := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			if !t.left[i] {
				line.WriteString(pad(cell, widths[i]))
			}
			line.WriteString(cell)
			if t.left[i] {
				line.WriteString(pad(cell, widths[i]))
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// writeVector writes a row for each series: the labels that tell them apart, and the value.
func writeVector(w *bufio.Writer, all []series) {
	common, differ := commonLabels(all)
	at := ""
	for i := range all {
		if samples := all[i].samples; len(samples) > 0 {
			at = shortTime(samples[0].at)
		}
	}
	writeTitle(w, common, at)
	t := table{left: append(leftColumns(len(differ)), false)}
	t.rows = append(t.rows, append(cells(differ), "value"))
	for i := range all {
		row := all[i].cells(differ)
		value := ""
		if samples := all[i].samples; len(samples) > 0 {
			value = samples[0].valueText()
		}
		t.rows = append(t.rows, append(row, value))
	}
	t.write(w)
}

// writeSamples writes the samples of each series, below its labels.
func writeSamples(w *bufio.Writer, all []series) {
	for i := range all {
		if i > 0 {
			fmt.Fprintln(w)
		}
		writeTitle(w, all[i].labels, "")
		t := table{left: []bool{true, false}, rows: [][]string{{"time", "value"}}}
		for _, s := range all[i].samples {
			t.rows = append(t.rows, []string{timeText(s.at), s.valueText()})
		}
		t.write(w)
	}
}

// writeTitle writes labels in full, and a text behind them. It writes nothing if there are neither.
func writeTitle(w *bufio.Writer, labels []label, behind string) {
	title := selector(labels)
	if title != "" && behind != "" {
		title += "  "
	}
	if title += behind; title != "" {
		fmt.Fprintln(w, title)
	}
}

func leftColumns(n int) []bool {
	left := make([]bool, n)
	for i := range left {
		left[i] = true
	}
	return left
}

// cells returns the texts as cells.
func cells(texts []string) []string {
	all := make([]string, 0, len(texts)+1)
	for _, text := range texts {
		all = append(all, cellText(text))
	}
	return all
}

// cells returns the values of the labels as cells.
func (s *series) cells(names []string) []string {
	values := make([]string, 0, len(names)+1)
	for _, name := range names {
		values = append(values, s.valueOf(name))
	}
	return cells(values)
}
