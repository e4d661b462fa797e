package exposition

import (
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"

	"fodc/messages"
)

const (
	// totalSuffix ends the samples of a counter, and is no part of its family's name.
	totalSuffix = "_total"
	// createdSuffix ends samples which a counter, histogram or summary may have.
	createdSuffix = "_created"
	openEnd       = "# EOF\n"
	// millis is how many of the domain's units of time a second has.
	millis = 1000
)

// WriteOpenMetrics writes the collection in the OpenMetrics text format 1.0: all
// samples with their times, in unix seconds, whatever Options.Timestamps says. Samples have
// the same names as on the page of WriteText. A family whose name its type does
// not allow (a counter that does not end in _total, or whose name without it is another
// family's) is of the type unknown. So is a histogram or summary that breaks the rules of
// OpenMetrics. The page has only what agents sent, without the metrics of the collection: these
// have no time, and could not be loaded into a database. The error is that of w.
func WriteOpenMetrics(w io.Writer, c *messages.Collection, options Options) (Conflicts, error) {
	p := newOpenMetricsPage(w, options, IsReserved)
	p.Add(c)
	return p.Close()
}

func (m *merge) has(name string) bool {
	g := m.byName[name]
	return g != nil && len(g.parts) > 0
}

// splitNonconforming makes families of the type unknown, one for each suffix, of the
// histograms and summaries that OpenMetrics would not take for such.
func (m *merge) splitNonconforming() {
	for _, g := range m.groups {
		if !isCompound(g.kind) || len(g.parts) == 0 || g.conforms() && !m.has(g.name+createdSuffix) {
			continue
		}
		for s := messages.SuffixNone; s <= messages.SuffixCount; s++ {
			if only := g.withSuffix(s); g.kind.Has(s) && len(only.parts) > 0 {
				m.groups = append(m.groups, only)
				m.byName[only.name] = only
			}
		}
		g.parts = nil
	}
	m.sort()
}

// conforms reports whether all samples have the suffixes and bounds of the type.
func (g *group) conforms() bool {
	for _, p := range g.parts {
		for i := range p.family.Series {
			s := &p.family.Series[i]
			bound := messages.BoundName(g.kind, s.Suffix)
			if g.kind == messages.TypeHistogram && s.Suffix == messages.SuffixNone ||
				bound != "" && !hasLabel(string(s.Labels), bound) {
				return false
			}
		}
	}
	return true
}

// hasLabel reports whether the label text has a label of the name, which needs no quotes.
func hasLabel(text, name string) bool {
	// Within a value the quote would be escaped.
	return strings.HasPrefix(text, name+`="`) || strings.Contains(text, ","+name+`="`)
}

// withSuffix returns the samples of the suffix as a family of their own.
func (g *group) withSuffix(s messages.Suffix) *group {
	only := &group{name: g.name + s.String(), help: g.help}
	for _, p := range g.parts {
		f := messages.Family{Name: p.family.Name, Type: p.family.Type, Help: p.family.Help}
		for i := range p.family.Series {
			if x := p.at(i); x.Suffix == s {
				x.Suffix = messages.SuffixNone
				f.Series = append(f.Series, x)
			}
		}
		if len(f.Series) > 0 {
			only.parts = append(only.parts, part{node: p.node, block: p.block, family: &f})
		}
	}
	return only
}

// openHead returns how OpenMetrics calls the family, and its type.
func (m *merge) openHead(g *group) (name, kind string) {
	switch g.kind {
	case messages.TypeCounter:
		base, ok := strings.CutSuffix(g.name, totalSuffix)
		if ok && base != "" && !m.has(base) && !m.has(base+createdSuffix) {
			return base, g.kind.String()
		}
		return g.name, "unknown"
	case messages.TypeGauge, messages.TypeHistogram, messages.TypeSummary:
		return g.name, g.kind.String()
	default:
		return g.name, "unknown"
	}
}

// openWriter writes series, and the samples of a histogram or summary time by time:
// what belongs together must not be parted. It holds those of one metric at most.
type openWriter struct {
	textWriter
	merge *merge
	// last is the name of the family whose head was written last. No family has an empty name.
	last string
	// The metric in progress: rest is its labels without the bound, lines what its
	// series' lines begin with, in texts.
	node   *node
	rest   messages.LabelText
	lines  []openLine
	texts  []byte
	points []openPoint
}

// openLine is where in texts a line's beginning stands.
type openLine struct{ from, to int }

type openPoint struct {
	sample
	line int
}

func (o *openWriter) series(s *series) bool {
	if s.group != o.group || s.node != o.node || s.rest != o.rest {
		if !o.endMetric() {
			return false
		}
		o.node, o.rest = s.node, s.rest
	}
	if s.group != o.group {
		o.begin(s.group)
	}
	from := len(o.texts)
	o.texts = o.appendName(o.texts, s.suffix, s.labels, s.node.identityText)
	o.lines = append(o.lines, openLine{from, len(o.texts)})
	for _, x := range s.samples {
		o.points = append(o.points, openPoint{x, len(o.lines) - 1})
	}
	return true
}

// endMetric writes the metric in progress, and reports whether to go on.
func (o *openWriter) endMetric() bool {
	oldest := func(a, b openPoint) int { return cmp.Compare(a.time, b.time) }
	if !slices.IsSortedFunc(o.points, oldest) {
		slices.SortStableFunc(o.points, oldest)
	}
	for _, p := range o.points {
		line := o.lines[p.line]
		b := append(o.out.b, o.texts[line.from:line.to]...)
		b = appendValue(b, p.value)
		b = append(b, ' ')
		b = appendSeconds(b, p.time)
		o.out.b = append(b, '\n')
		if !o.out.spill() {
			return false
		}
	}
	o.lines, o.texts, o.points = o.lines[:0], o.texts[:0], o.points[:0]
	return true
}

// begin writes the head of a family.
func (o *openWriter) begin(g *group) {
	o.open(g)
	if g.name == o.last {
		return // The part before this one ended with the same family.
	}
	o.last = g.name
	name, kind := o.merge.openHead(g)
	o.head("TYPE", name)
	o.out.b = append(append(o.out.b, kind...), '\n')
	if g.help != "" {
		o.head("HELP", name)
		o.out.b = append(appendHelp(o.out.b, g.help, true), '\n')
	}
}

// appendSeconds appends a time in unix milliseconds, 0 or more, as seconds.
func appendSeconds(b []byte, at int64) []byte {
	b = strconv.AppendInt(b, at/millis, 10)
	if rest := at % millis; rest > 0 {
		b = append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
	}
	return b
}
