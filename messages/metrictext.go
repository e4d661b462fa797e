package messages

import (
	"math"
	"strconv"
	"strings"
)

// MetricText is a value of a metric for people, with at most four digits: bytes in binary units where the metric's name says so, others
// in thousands. Wherever a person reads a value of an incident, it is this one.
func MetricText(name string, value float64, perSecond bool) string {
	thousand, units := 1000.0, []string{"", "k", "M", "G", "T", "P"}
	if strings.HasSuffix(strings.TrimSuffix(name, "_total"), "_bytes") {
		thousand, units = 1024, []string{" B", " KiB", " MiB", " GiB", " TiB", " PiB"}
	}
	unit := 0
	for math.Abs(value) >= thousand && unit < len(units)-1 && !math.IsInf(value, 0) {
		value /= thousand
		unit++
	}
	text := strconv.FormatFloat(value, 'g', 4, 64) + units[unit]
	if perSecond {
		text += "/s"
	}
	return text
}
