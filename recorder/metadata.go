package recorder

import (
	"bytes"
	"slices"
	"strings"

	"github.com/prometheus/common/model"

	"fodc/messages"
)

// metadata is what the TYPE and HELP lines of a target's newest page say.
type metadata struct {
	openMetrics bool
	// lines are copies, in the order of the page: as long as they stay the same, each
	// sample stays in its family. They are the first of onPage ones: the others were over
	// the limit.
	lines       []metaLine
	linesOnPage int
	byName      map[string]metaEntry
	// bytes is what all this takes.
	bytes int64
}

const (
	metaLineBytes  = 64
	metaEntryBytes = 32
)

// metaEntry is what a page says of one name. The first TYPE line and the first
// HELP line of a name count.
type metaEntry struct {
	// kind is empty where the page has no TYPE line.
	kind model.MetricType
	help string
}

// equals reports whether the page says the same as the one before.
func (m *metadata) equals(p *Page) bool {
	if m.openMetrics != p.format.openMetrics || m.linesOnPage != len(p.lines) {
		return false
	}
	return slices.EqualFunc(m.lines, p.lines[:len(m.lines)], func(a, b metaLine) bool {
		return a.kind == b.kind && bytes.Equal(a.name, b.name) && bytes.Equal(a.help, b.help)
	})
}

// replace replaces what is known by what the page says, as far as that is within the
// limit in bytes.
func (m *metadata) replace(p *Page, limit int64) {
	fit := linesWithin(p.lines, limit)
	m.openMetrics, m.linesOnPage = p.format.openMetrics, len(p.lines)
	m.lines = make([]metaLine, fit)
	m.byName = make(map[string]metaEntry, fit)
	m.bytes = sizeOf(fit*metaLineBytes) + mapBytes(fit, stringBytes+metaEntryBytes)
	for i, l := range p.lines[:fit] {
		l.name, l.help = bytes.Clone(l.name), bytes.Clone(l.help)
		m.bytes += sizeOf(len(l.name)) + sizeOf(len(l.help))
		m.lines[i] = l
		m.add(l)
	}
}

// linesWithin returns how many of the lines fit a limit in bytes: each is kept as it
// is, and as a declaration.
func linesWithin(lines []metaLine, limit int64) int {
	// Where a map has just grown, it has two slots for each entry.
	const perLine = metaLineBytes + 2*(stringBytes+metaEntryBytes+1)
	for i, l := range lines {
		if limit -= perLine + 2*(sizeOf(len(l.name))+sizeOf(len(l.help))); limit < 0 {
			return i
		}
	}
	return len(lines)
}

// add takes note of what a line says, if it is the first of its kind for its
// name.
func (m *metadata) add(l metaLine) {
	name := unescape(string(l.name))
	d, known := m.byName[name]
	if !known {
		m.bytes += sizeOf(len(name))
	}
	if d.kind == "" {
		d.kind = l.kind
	}
	if l.kind == "" && d.help == "" {
		d.help = string(l.help)
		m.bytes += sizeOf(len(d.help))
	}
	m.byName[name] = d
}

// familyOf returns the family of a sample by its name, and the suffix. Only a TYPE
// line makes a suffix of the end of a name: BanyanDB has gauges that end in _count.
func (m *metadata) familyOf(name string) (familyMeta, messages.Suffix) {
	own := m.byName[name]
	if own.kind != "" {
		return familyMeta{name: name, kind: typeOf(own.kind), help: own.help}, messages.SuffixNone
	}
	for s := messages.SuffixBucket; s <= messages.SuffixCount; s++ {
		base, ok := strings.CutSuffix(name, s.String())
		if !ok {
			continue
		}
		switch d := m.byName[base]; {
		case d.kind == model.MetricTypeHistogram:
			return familyMeta{name: base, kind: messages.TypeHistogram, help: d.help}, s
		case d.kind == model.MetricTypeSummary && s != messages.SuffixBucket:
			return familyMeta{name: base, kind: messages.TypeSummary, help: d.help}, s
		}
	}
	if m.openMetrics {
		if f, ok := m.openMetricsFamily(name); ok {
			return f, messages.SuffixNone
		}
	}
	return familyMeta{name: name, help: own.help}, messages.SuffixNone
}

// openMetricsSuffixes are the names in OpenMetrics that the text format has no family for:
// each becomes a family of its own, with the HELP of the one that declared it.
var openMetricsSuffixes = []struct {
	suffix string
	kinds  []model.MetricType
	is     messages.MetricType
}{
	{"_total", []model.MetricType{model.MetricTypeCounter}, messages.TypeCounter},
	{"_created", []model.MetricType{
		model.MetricTypeCounter, model.MetricTypeHistogram, model.MetricTypeSummary,
	}, messages.TypeGauge},
	{"_info", []model.MetricType{model.MetricTypeInfo}, messages.TypeGauge},
	{"_bucket", []model.MetricType{model.MetricTypeGaugeHistogram}, messages.TypeGauge},
	{"_gsum", []model.MetricType{model.MetricTypeGaugeHistogram}, messages.TypeGauge},
	{"_gcount", []model.MetricType{model.MetricTypeGaugeHistogram}, messages.TypeGauge},
}

// openMetricsFamily finds the family of a sample that a text page would declare by its
// whole name: counter foo with the sample foo_total is counter foo_total there.
func (m *metadata) openMetricsFamily(name string) (familyMeta, bool) {
	for _, o := range openMetricsSuffixes {
		base, ok := strings.CutSuffix(name, o.suffix)
		if !ok {
			continue
		}
		if d := m.byName[base]; slices.Contains(o.kinds, d.kind) {
			return familyMeta{name: name, kind: o.is, help: d.help}, true
		}
	}
	return familyMeta{}, false
}

// typeOf returns the type in terms of the text format. What that does not have is
// a gauge: a value that may go up and down.
func typeOf(kind model.MetricType) messages.MetricType {
	switch kind {
	case model.MetricTypeCounter:
		return messages.TypeCounter
	case model.MetricTypeHistogram:
		return messages.TypeHistogram
	case model.MetricTypeSummary:
		return messages.TypeSummary
	case model.MetricTypeUnknown:
		return messages.TypeUntyped
	default:
		return messages.TypeGauge
	}
}
