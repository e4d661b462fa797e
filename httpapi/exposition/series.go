package exposition

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strconv"

	"fodc/messages"
)

// sample is one value and when it was taken, in unix milliseconds.
type sample struct {
	time  int64
	value float64
}

// series is a series of the page. It is valid until the next one comes.
type series struct {
	group  *group
	node   *node
	suffix messages.Suffix
	// labels is the text of the series' own labels: without those of the identity.
	labels []byte
	// rest is labels without the bound (le or quantile).
	rest []byte
	// samples is oldest first, no time twice, never empty.
	samples []sample
}

// entry is a series of one part.
type entry struct {
	suffix messages.Suffix
	labels []byte
	// rest is labels without the bound (le or quantile), bound its value. In a family
	// without bounds rest is labels.
	rest   []byte
	bound  float64
	times  []int64
	values []float64
}

// order is by labels without bound, then bucket, sum and count, then bound.
func order(a, b *entry) int {
	if c := bytes.Compare(a.rest, b.rest); c != 0 {
		return c
	}
	if c := cmp.Compare(a.suffix, b.suffix); c != 0 {
		return c
	}
	if c := cmp.Compare(a.bound, b.bound); c != 0 {
		return c
	}
	return bytes.Compare(a.labels, b.labels)
}

// reader brings the series of a page in order. It reuses what it allocates.
type reader struct {
	// newest asks for one sample a series.
	newest    bool
	conflicts *Conflicts
	entries   []entry
	// texts holds the labels of entries.
	texts   []byte
	samples []sample
}

// each calls f with each series of the groups, until f returns false.
func (r *reader) each(groups []*group, f func(*series) bool) {
	var s series
	for _, g := range groups {
		s.group = g
		for parts := range g.byNode() {
			s.node = parts[0].node
			r.load(g.kind, parts)
			for rest := r.entries; len(rest) > 0; {
				n := 1
				for n < len(rest) && order(&rest[0], &rest[n]) == 0 {
					n++
				}
				r.join(rest[:n])
				if len(r.samples) > 0 {
					s.suffix, s.labels, s.rest, s.samples = rest[0].suffix, rest[0].labels, rest[0].rest, r.samples
					if !f(&s) {
						return
					}
				}
				rest = rest[n:]
			}
		}
	}
}

// load makes entries of the parts of one node, sorted; those that are equal are
// one series, in the order of the parts.
func (r *reader) load(kind messages.MetricType, parts []part) {
	r.entries, r.texts = r.entries[:0], r.texts[:0]
	sorted := true
	for _, p := range parts {
		// Prometheus refuses the whole of a page with a time before 1970.
		timely := len(p.times) > 0 && p.times[0] >= 0
		for i := range p.family.Series {
			s := &p.family.Series[i]
			e := entry{suffix: s.Suffix, times: p.times, values: s.Values}
			if !timely || !allows(kind, s.Suffix) || len(s.Values) != len(p.times) ||
				!r.label(&e, p.node, s.Labels, boundName(kind, s.Suffix)) {
				r.conflicts.Invalid++
				continue
			}
			if n := len(r.entries); sorted && n > 0 {
				sorted = order(&r.entries[n-1], &e) <= 0
			}
			r.entries = append(r.entries, e)
		}
	}
	if !sorted {
		slices.SortStableFunc(r.entries, func(a, b entry) int { return order(&a, &b) })
	}
}

// boundName is the label that is a number in the series' name, empty if none.
func boundName(kind messages.MetricType, s messages.Suffix) string {
	switch {
	case kind == messages.TypeHistogram && s == messages.SuffixBucket:
		return "le"
	case kind == messages.TypeSummary && s == messages.SuffixNone:
		return "quantile"
	default:
		return ""
	}
}

// label sets the texts and the bound of an entry. It returns false if the text is
// not a label text.
func (r *reader) label(e *entry, n *node, text messages.LabelText, bound string) bool {
	start := len(r.texts)
	if bound == "" && !n.mayClaim(text) {
		r.texts = append(r.texts, text...)
		e.labels = r.texts[start:]
		e.rest = e.labels
		return true
	}
	boundStart, boundEnd := -1, -1
	for rest := text; rest != ""; {
		first, next, err := rest.Cut()
		if err != nil {
			return false
		}
		if bound == "" && first.Name > labelPodName {
			// Sorted as the text is, no label of the identity can follow.
			if len(r.texts) > start {
				r.texts = append(r.texts, ',')
			}
			r.texts = append(r.texts, rest...)
			break
		}
		rest = next
		if own := n.find(first.Name); own != nil {
			if own.text == first.Text {
				continue
			}
			r.texts = r.texts[:start]
			exported, err := n.export(text)
			return err == nil && r.label(e, &node{}, exported, bound)
		}
		if len(r.texts) > start {
			r.texts = append(r.texts, ',')
		}
		if first.Name == bound {
			e.bound = parseBound(first.Escaped)
			boundStart, boundEnd = len(r.texts), len(r.texts)+len(first.Text)
		}
		r.texts = append(r.texts, first.Text...)
	}
	e.labels = r.texts[start:]
	e.rest = e.labels
	if boundStart >= 0 {
		end := len(r.texts)
		if boundStart > start {
			boundStart-- // with the comma before it
		} else if boundEnd < end {
			boundEnd++ // with the comma behind it
		}
		r.texts = append(r.texts, r.texts[start:boundStart]...)
		r.texts = append(r.texts, r.texts[boundEnd:end]...)
		e.rest = r.texts[end:]
	}
	return true
}

// parseBound returns the number for the order of bounds; what is none comes last.
func parseBound(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) {
		return math.Inf(1)
	}
	return v
}

// join sets r.samples to the samples of one series, of which the first of several
// for the same time is kept.
func (r *reader) join(same []entry) {
	r.samples = r.samples[:0]
	if r.newest {
		r.joinNewest(same)
		return
	}
	sorted := true
	for _, e := range same {
		for i, v := range e.values {
			if messages.IsGap(v) {
				continue
			}
			if n := len(r.samples); sorted && n > 0 {
				sorted = r.samples[n-1].time < e.times[i]
			}
			r.samples = append(r.samples, sample{e.times[i], v})
		}
	}
	if sorted {
		return
	}
	slices.SortStableFunc(r.samples, func(a, b sample) int { return cmp.Compare(a.time, b.time) })
	all := len(r.samples)
	r.samples = slices.CompactFunc(r.samples, func(a, b sample) bool { return a.time == b.time })
	r.conflicts.Duplicate += all - len(r.samples)
}

// joinNewest takes the newest sample of the first entry that has one. The other
// entries are duplicates whatever their time: taking the newest of all would make
// a value jump between two targets from page to page.
func (r *reader) joinNewest(same []entry) {
	for _, e := range same {
		for i, v := range slices.Backward(e.values) {
			if messages.IsGap(v) {
				continue
			}
			if len(r.samples) > 0 {
				r.conflicts.Duplicate++
			} else {
				r.samples = append(r.samples, sample{e.times[i], v})
			}
			break
		}
	}
}
