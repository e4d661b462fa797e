package inspect

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"fodc/modes/logsink"

	"github.com/alecthomas/units"
)

// timeFormat is RFC 3339 in UTC, to the second.
const timeFormat = "2006-01-02T15:04:05Z"

func formatTime(ms int64) string {
	if ms == 0 {
		return "-"
	}
	return time.UnixMilli(ms).UTC().Format(timeFormat)
}

func formatDuration(ms int64) string {
	return (time.Duration(ms) * time.Millisecond).Round(time.Second).String()
}

func formatRatio(bytes, samples int64) string {
	if samples == 0 {
		return "-"
	}
	return strconv.FormatFloat(bytesPerSample(bytes, samples), 'f', 2, 64)
}

// formatBytes returns the bytes in full, and rounded with a unit if they are many.
func formatBytes(n int64) string {
	text := strconv.FormatInt(n, 10)
	for _, u := range []struct {
		bytes units.Base2Bytes
		name  string
	}{{units.GiB, "GiB"}, {units.MiB, "MiB"}, {units.KiB, "KiB"}} {
		if n >= int64(u.bytes) {
			return fmt.Sprintf("%s (%.1f %s)", text, float64(n)/float64(u.bytes), u.name)
		}
	}
	return text
}

// WriteTable writes the report for people.
func (r *Report) WriteTable(w io.Writer) error {
	text := table(r.summary(), 0)
	if len(r.Segments) > 0 {
		text += "\n" + table(r.segmentRows(), 4)
	}
	if len(r.Gaps) > 0 {
		text += "\ngaps\n" + table(r.gapRows(), 0)
	}
	if len(r.Damage) > 0 {
		text += "\ndamage\n" + table(r.damageRows(), 0)
	}
	_, err := io.WriteString(w, text)
	return err
}

func (r *Report) summary() [][]string {
	rows := [][]string{{"journal", r.Dir}}
	if len(r.Segments) == 0 && len(r.Damage) == 0 {
		return append(rows, []string{"segments", "none"})
	}
	for i, n := range r.Nodes {
		text := n.describe()
		if len(r.Nodes) > 1 {
			text = fmt.Sprintf("%d: %s, in %d segments", i+1, text, n.Segments)
		}
		rows = append(rows, []string{"node", text})
	}
	rows = append(rows, []string{"segments", r.countStates()})
	if r.Scrapes > 0 {
		rows = append(rows, []string{"time", formatTime(r.From) + " to " + formatTime(r.To) + " (" + formatDuration(r.To-r.From) + ")"})
	}
	rows = append(rows, []string{"scrapes", strconv.Itoa(r.Scrapes)}, []string{"samples", strconv.FormatInt(r.Samples, 10)})
	size := formatBytes(r.Bytes)
	if r.Samples > 0 {
		size += ", " + formatRatio(r.Bytes, r.Samples) + " a sample"
	}
	rows = append(rows, []string{"bytes", size})
	if r.Verified {
		text := "every record was read"
		if len(r.Damage) == 0 {
			text += ", and none is damaged"
		}
		rows = append(rows, []string{"verified", text})
	}
	return rows
}

func (n *Node) describe() string {
	text := n.NodeID + ", role " + n.Role
	if n.PodName != "" && n.PodName != n.NodeID {
		text += ", pod " + n.PodName
	}
	for _, name := range slices.Sorted(maps.Keys(n.Labels)) {
		text += ", " + name + "=" + n.Labels[name]
	}
	return text + ", recorded by version " + n.AgentVersion
}

// countStates returns how many segments there are, and in which state.
func (r *Report) countStates() string {
	counts := map[State]int{}
	pinned := 0
	for i := range r.Segments {
		counts[r.Segments[i].State]++
		if r.Segments[i].Pinned {
			pinned++
		}
	}
	all := len(r.Segments)
	for _, d := range r.Damage {
		if d.Offset < 0 {
			counts[Unreadable]++
			all++
		}
	}
	var parts []string
	for _, state := range []State{Closed, Open, Unclosed, Damaged, Unreadable} {
		if n := counts[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	if pinned > 0 {
		parts = append(parts, fmt.Sprintf("%d pinned", pinned))
	}
	return fmt.Sprintf("%d (%s)", all, strings.Join(parts, ", "))
}

func (r *Report) segmentRows() [][]string {
	rows := [][]string{{"segment", "state", "from", "to", "targets", "series", "scrapes", "samples", "bytes", "bytes/sample"}}
	for i := range r.Segments {
		s := &r.Segments[i]
		state := string(s.State)
		if s.Pinned {
			state += ", pinned"
		}
		rows = append(rows, []string{strconv.FormatInt(s.Number, 10), state, formatTime(s.MinTime), formatTime(s.MaxTime),
			strconv.Itoa(len(s.Targets)), strconv.Itoa(s.Series()), strconv.Itoa(s.Scrapes()), strconv.FormatInt(s.Samples(), 10),
			strconv.FormatInt(s.Size, 10), formatRatio(s.Size, s.Samples())})
	}
	if len(r.Nodes) > 1 {
		rows[0] = append(rows[0], "node")
		for i := range r.Segments {
			rows[i+1] = append(rows[i+1], strconv.Itoa(r.Segments[i].Node+1))
		}
	}
	return rows
}

func (r *Report) gapRows() [][]string {
	rows := [][]string{{"from", "to", "lasted", "why"}}
	for _, g := range r.Gaps {
		rows = append(rows, []string{formatTime(g.From), formatTime(g.To), formatDuration(g.To - g.From), g.Why.text()})
	}
	return rows
}

func (r *Report) damageRows() [][]string {
	rows := [][]string{{"file", "offset", "reason"}}
	for _, d := range r.Damage {
		offset := "-"
		if d.Offset >= 0 {
			offset = strconv.FormatInt(d.Offset, 10)
		}
		rows = append(rows, []string{d.File, offset, d.Reason})
	}
	return rows
}

// table returns the rows in columns with two blanks between. Those from the index right on are
// aligned to the right; 0: none. Texts of files and peers are shown without control characters.
func table(rows [][]string, right int) string {
	var widths []int
	for _, cells := range rows {
		for i := range cells {
			cells[i] = logsink.Printable(cells[i])
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cells[i]))
		}
	}
	var b strings.Builder
	for _, cells := range rows {
		line := ""
		for i, cell := range cells {
			padding := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if right > 0 && i >= right {
				line += padding + cell + "  "
			} else {
				line += cell + padding + "  "
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}
