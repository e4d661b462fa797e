package recorder

import (
	"bytes"
	"slices"
	"strings"

	"github.com/prometheus/common/model"

	"fodc/messages"
)

// metadata has the TYPE and HELP lines of a target's newest page.
type metadata struct {
	openMetrics bool
	// lines are copies in the order of the page. While a page has the same lines, each sample
	// stays in its family. Of linesOnPage lines, those over the limit are missing.
	lines       []metaLine
	linesOnPage int
	byName      map[string]metaEntry
	// bytes is the size of lines and byName.
	bytes int64
}

const (
	metaLineBytes  = 64
	metaEntryBytes = 32
)

// metaEntry is the type and help that a page gives for one name. The first TYPE line and the
// first HELP line of a name count.
type metaEntry struct {
	// kind is empty if the page has no TYPE line for the name.
	kind model.MetricType
	help string
}

// equals reports whether the page has the same metadata as the one before.
func (m *metadata) equals(p *Page) bool {
	if m.openMetrics != p.format.openMetrics || m.linesOnPage != len(p.lines) {
		return false
	}
	return slices.EqualFunc(m.lines, p.lines[:len(m.lines)], func(a, b metaLine) bool {
		return a.kind == b.kind && bytes.Equal(a.name, b.name) && bytes.Equal(a.help, b.help)
	})
}

// replace sets the metadata to that of the page, up to the limit in bytes.
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

// linesWithin returns how many of the lines fit a limit in bytes. Each is kept as a line and
// as an entry.
func linesWithin(lines []metaLine, limit int64) int {
	// A map that has just grown has two slots for each entry.
	const perLine = metaLineBytes + 2*(stringBytes+metaEntryBytes+1)
	for i, l := range lines {
		if limit -= perLine + 2*(sizeOf(len(l.name))+sizeOf(len(l.help))); limit < 0 {
			return i
		}
	}
	return len(lines)
}

// add adds a line to the entry of its name, unless that has a type or help already.
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

// familyOf returns the family and the suffix of a sample name. The end of a name is a suffix
// only if a TYPE line says so: BanyanDB has gauges that end in _count.
func (m *metadata) familyOf(name string) (Family, messages.Suffix) {
	own := m.byName[name]
	if own.kind != "" {
		return Family{Name: name, Type: typeOf(own.kind), Help: own.help}, messages.SuffixNone
	}
	for s := messages.SuffixBucket; s <= messages.SuffixCount; s++ {
		base, ok := strings.CutSuffix(name, s.String())
		if !ok {
			continue
		}
		switch d := m.byName[base]; {
		case d.kind == model.MetricTypeHistogram:
			return Family{Name: base, Type: messages.TypeHistogram, Help: d.help}, s
		case d.kind == model.MetricTypeSummary && s != messages.SuffixBucket:
			return Family{Name: base, Type: messages.TypeSummary, Help: d.help}, s
		}
	}
	if m.openMetrics {
		if f, ok := m.openMetricsFamily(name); ok {
			return f, messages.SuffixNone
		}
	}
	return Family{Name: name, Help: own.help}, messages.SuffixNone
}

// openMetricsSuffixes are the suffixes of OpenMetrics that the text format does not have: the
// samples with such a suffix become a family of their own, with the HELP of the family that
// declared them.
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

// openMetricsFamily returns the family of a sample whose whole name is that of a family in the
// text format: counter foo of OpenMetrics with the sample foo_total is counter foo_total.
func (m *metadata) openMetricsFamily(name string) (Family, bool) {
	for _, o := range openMetricsSuffixes {
		base, ok := strings.CutSuffix(name, o.suffix)
		if !ok {
			continue
		}
		if d := m.byName[base]; slices.Contains(o.kinds, d.kind) {
			return Family{Name: name, Type: o.is, Help: d.help}, true
		}
	}
	return Family{}, false
}

// typeOf returns the type of the text format. Types that it does not have become gauges.
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
