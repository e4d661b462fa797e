package query

import (
	"encoding/csv"
	"io"
	"slices"

	"fodc/modes/logsink"
)

// Columns of a CSV file that are no labels.
const (
	columnTime  = "time"
	columnValue = "value"
	// takenPrefix is put before a label that has the name of one of them.
	takenPrefix = "exported_"
)

// WriteCSV writes a row for each sample: its time, its value, and the value of each label that a
// series of the result has; the first row names the columns.
func (r *Response) WriteCSV(to io.Writer) error {
	result, err := parseResult(r.Data)
	if err != nil {
		return err
	}
	w := csv.NewWriter(to)
	if result.kind == typeString {
		return w.WriteAll([][]string{{columnValue}, {logsink.Printable(result.text)}})
	}
	names := labelNames(result.series)
	// An error of the writer sticks until Flush.
	_ = w.Write(append([]string{columnTime, columnValue}, columnNames(names)...))
	row := make([]string, 2+len(names))
	for i := range result.series {
		s := &result.series[i]
		for j, name := range names {
			row[2+j] = logsink.Printable(s.valueOf(name))
		}
		for _, sample := range s.samples {
			row[0], row[1] = timeText(sample.at), sample.valueText()
			_ = w.Write(row)
		}
	}
	w.Flush()
	return w.Error()
}

// labelNames returns the names of all labels, sorted.
func labelNames(all []series) []string {
	seen := map[string]bool{}
	var names []string
	for i := range all {
		for _, l := range all[i].labels {
			if !seen[l.name] {
				seen[l.name] = true
				names = append(names, l.name)
			}
		}
	}
	slices.SortFunc(names, compareNames)
	return names
}

// columnNames returns a column's name for each label, none twice.
func columnNames(labels []string) []string {
	taken := map[string]bool{columnTime: true, columnValue: true}
	for _, name := range labels {
		if name != columnTime && name != columnValue {
			taken[name] = true
		}
	}
	columns := make([]string, 0, len(labels))
	for _, name := range labels {
		if name == columnTime || name == columnValue {
			for taken[name] {
				name = takenPrefix + name
			}
			taken[name] = true
		}
		columns = append(columns, logsink.Printable(name))
	}
	return columns
}
