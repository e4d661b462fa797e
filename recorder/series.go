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
	seriesKey
	// family is the number of the family. It and what is above and below up to the
	// line are fixed: snapshots read them.
	family int
	// bound is the value of the label le or quantile, labels[cutFrom:cutTo] that label
	// with its comma.
	bound              float64
	boundFrom, boundTo int
	// startTime says that it is the start time of a process.
	startTime bool

	// column is the one in the target's head, nil where it has none.
	column *column
	// refs counts the columns, in the head and in sealed stretches. A series without
	// any leaves the window.
	refs int
	// rawTexts are the raw texts under which the target knows it.
	rawTexts []string
}

// seriesKey is what tells the series of a target apart.
type seriesKey struct {
	// name is the name of the family.
	name   string
	suffix messages.Suffix
	labels messages.LabelText
}

const (
	// maxRawTexts bounds the raw texts that are kept for a series. A page has one.
	maxRawTexts    = 4
	seriesBytes    = 128
	seriesKeyBytes = 40
	stringBytes    = 16
)

func newSeries(key seriesKey, family int) *series {
	s := &series{seriesKey: key, family: family, startTime: isStartTime(key)}
	s.findBound()
	return s
}

// bytes returns what the series takes, but for its places in maps.
func (s *series) bytes() int64 { return seriesBytes + sizeOf(len(s.labels)) + s.rawTextBytes() }

func (s *series) rawTextBytes() int64 {
	n := sizeOf(cap(s.rawTexts) * stringBytes)
	for _, raw := range s.rawTexts {
		n += sizeOf(len(raw))
	}
	return n
}

// release counts a use less, and calls gone if there is no other.
func (s *series) release(gone func(*series)) {
	if s.refs--; s.refs == 0 {
		gone(s)
	}
}

// findBound looks for the label that is a number in the order of series: le of a
// bucket, quantile of a sample without suffix, whatever the type of the family is.
func (s *series) findBound() {
	var name string
	switch s.suffix {
	case messages.SuffixBucket:
		name = "le"
	case messages.SuffixNone:
		name = "quantile"
	default:
		return
	}
	for rest := s.labels; rest != ""; {
		first, next, err := rest.Cut()
		if err != nil || first.Name > name {
			return
		}
		if first.Name == name {
			s.bound = boundOf(first.Escaped)
			s.boundFrom = len(s.labels) - len(rest)
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

// boundOf returns the number for the order of bounds; what is none comes last.
func boundOf(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) {
		return math.Inf(1)
	}
	return v
}

// compareSeries is the order of a page: by family, labels without bound, suffix,
// bound.
func compareSeries(a, b *series) int {
	if c := strings.Compare(a.name, b.name); c != 0 {
		return c
	}
	c := compareJoined(
		string(a.labels[:a.boundFrom]), string(a.labels[a.boundTo:]),
		string(b.labels[:b.boundFrom]), string(b.labels[b.boundTo:]))
	return cmp.Or(c,
		cmp.Compare(a.suffix, b.suffix),
		cmp.Compare(a.bound, b.bound),
		strings.Compare(string(a.labels), string(b.labels)))
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
