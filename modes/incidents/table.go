package incidents

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"fodc/modes/logsink"
)

// clock is how a time is written: with the offset of the zone.
const clock = "2006-01-02 15:04:05 -07:00"

// none stands for what is not known.
const none = "-"

func timeText(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return none
	}
	return t.In(zone).Format(clock)
}

// relative returns the time before or after another one.
func relative(t, to time.Time) string {
	d := t.Sub(to).Round(time.Second)
	if d < 0 {
		return d.String()
	}
	return "+" + d.String()
}

// scaled returns a number with at most four digits, and a unit for thousands of it.
func scaled(n, thousand float64, units []string) string {
	unit := 0
	for math.Abs(n) >= thousand && unit < len(units)-1 && !math.IsInf(n, 0) {
		n /= thousand
		unit++
	}
	return strconv.FormatFloat(n, 'g', 4, 64) + units[unit]
}

func bytesText(n int64) string {
	return scaled(float64(n), 1024, []string{" B", " KiB", " MiB", " GiB", " TiB"})
}

// percentText is a part of a limit.
func percentText(n, limit float64) string {
	if limit <= 0 {
		return none
	}
	return strconv.FormatFloat(100*n/limit, 'f', 0, 64) + "%"
}

// table returns the rows in columns with two blanks between. Texts of peers are shown without control characters.
func table(rows [][]string) string {
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
			line += cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}
