package exposition

import (
	"io"

	"fodc/messages"
)

// OpenMetricsPage writes a page as WriteOpenMetrics does, part by part: for samples that are too
// many to be in memory at once. All samples of a family must be in one part, or in parts that
// follow each other, have no other family between them, and have no metric in common: the series
// that differ in le or quantile alone are one metric.
type OpenMetricsPage struct {
	options   Options
	reserved  func(name string) bool
	writer    openWriter
	conflicts Conflicts
}

// NewOpenMetricsPage begins a page on w. Of the options, EscapedNames counts. The page may have
// families of all names, also those that a proxy's own page reserves for the proxy.
func NewOpenMetricsPage(w io.Writer, options Options) *OpenMetricsPage {
	return newOpenMetricsPage(w, options, neverReserved)
}

func newOpenMetricsPage(w io.Writer, options Options, reserved func(string) bool) *OpenMetricsPage {
	return &OpenMetricsPage{options: options, reserved: reserved, writer: openWriter{textWriter: textWriter{out: newBuffer(w)}}}
}

// Add writes the samples of the collection. It does not keep any of it. The error is that of the
// page's writer, and Close returns it again. What decides on the type of a family must be in one
// part: the families x and x_total, say, or x_count and a histogram x.
func (p *OpenMetricsPage) Add(c *messages.Collection) error {
	m := mergeNodes(nodesOf(p.options.escape(c)), p.reserved)
	defer m.release()
	m.splitNonconforming()
	o := &p.writer
	o.merge = m
	r := reader{escaped: p.options.EscapedNames, conflicts: &m.conflicts}
	r.each(m.groups, o.series)
	o.endMetric()
	o.merge, o.group, o.node = nil, nil, nil
	p.conflicts.add(m.conflicts)
	return o.out.err
}

// Close ends the page. It returns what was left out, and the first error of the page's writer.
func (p *OpenMetricsPage) Close() (Conflicts, error) {
	p.writer.out.b = append(p.writer.out.b, openEnd...)
	return p.conflicts, p.writer.out.finish()
}
