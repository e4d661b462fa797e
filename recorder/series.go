package recorder

import (
	"cmp"
	"math"
	"strconv"
	"strings"

	"fodc/messages"
)

// series is one series of one target.
type series struct {
	SeriesKey
	// Snapshots read the fields from here up to column while appending goes on. They never
	// change.

	// family is the index in the target's family table.
	family int
	// bound is the number of the label le or quantile, labels[boundFrom:boundTo] is that
	// label with its comma.
	bound              float64
	boundFrom, boundTo int
	// startTime says that the series is the start time of a process.
	startTime bool

	// column is the series' column in the target's head, nil if it has none.
	column *column
	// refs counts the columns of the series, in the head and in chunks. A series without any
	// is removed.
	refs int
	// rawTexts are its keys in the target's scrape cache.
	rawTexts []string
}

const (
	// maxRawTexts bounds the raw texts of a series in the scrape cache. Most pages write a
	// series in one way.
	maxRawTexts    = 4
	seriesBytes    = 128
	seriesKeyBytes = 40
	stringBytes    = 16
)

func newSeries(key SeriesKey, family int) *series {
	s := &series{SeriesKey: key, family: family, startTime: isStartTime(key)}
	s.findBound()
	return s
}

// bytes returns the size of the series without its map entries.
func (s *series) bytes() int64 { return seriesBytes + sizeOf(len(s.Labels)) + s.rawTextBytes() }

func (s *series) rawTextBytes() int64 {
	n := sizeOf(cap(s.rawTexts) * stringBytes)
	for _, raw := range s.rawTexts {
		n += sizeOf(len(raw))
	}
	return n
}

// release drops one reference, and calls gone if that was the last.
func (s *series) release(gone func(*series)) {
	if s.refs--; s.refs == 0 {
		gone(s)
	}
}

// findBound finds the label that is ordered as a number: le of a bucket, or quantile of a
// sample without suffix, whatever the type of the family is.
func (s *series) findBound() {
	var name string
	switch s.Suffix {
	case messages.SuffixBucket:
		name = "le"
	case messages.SuffixNone:
		name = "quantile"
	default:
		return
	}
	for rest := s.Labels; rest != ""; {
		first, next, err := rest.Cut()
		if err != nil || first.Name > name {
			return
		}
		if first.Name == name {
			s.bound = boundOf(first.Escaped)
			s.boundFrom = len(s.Labels) - len(rest)
			s.boundTo = s.boundFrom + len(first.Text)
			if s.boundFrom > 0 {
				s.boundFrom-- // with the comma before it
			} else if next != "" {
				s.boundTo++ // with the comma behind it
			}
			return
		}
		rest = next
	}
}

// boundOf returns the number of a bound. A text that is no number is ordered last.
func boundOf(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) {
		return math.Inf(1)
	}
	return v
}

// compareSeries orders series as a page does: by family, labels without the bound, suffix,
// bound.
func compareSeries(a, b *series) int {
	if c := strings.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	c := compareJoined(
		string(a.Labels[:a.boundFrom]), string(a.Labels[a.boundTo:]),
		string(b.Labels[:b.boundFrom]), string(b.Labels[b.boundTo:]))
	return cmp.Or(c,
		cmp.Compare(a.Suffix, b.Suffix),
		cmp.Compare(a.bound, b.bound),
		strings.Compare(string(a.Labels), string(b.Labels)))
}

// compareJoined compares a1+a2 with b1+b2.
func compareJoined(a1, a2, b1, b2 string) int {
	if len(a1) > len(b1) {
		return -compareJoined(b1, b2, a1, a2)
	}
	if c := strings.Compare(a1, b1[:len(a1)]); c != 0 {
		return c
	}
	b1 = b1[len(a1):]
	n := min(len(b1), len(a2))
	if c := strings.Compare(a2[:n], b1[:n]); c != 0 {
		return c
	}
	if n < len(b1) {
		return -1
	}
	return strings.Compare(a2[n:], b2)
}
