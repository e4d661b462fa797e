package export

import (
	"context"
	"fmt"
	"io"

	"fodc/httpapi/exposition"
	"fodc/messages"
)

// passValues bounds the values that are in memory at once, 8 bytes each: 64 MiB. A day of 3,000
// series at 10 s is written in four parts.
const passValues = 8 << 20

// writeOpenMetrics writes the samples as one page. It returns how many.
func (e *exporter) writeOpenMetrics(ctx context.Context, w io.Writer) (written, error) {
	s, err := surveySeries(ctx, e)
	if err != nil {
		return written{}, err
	}
	if s.selected == 0 {
		return written{}, e.nothing(s.samples)
	}
	p := planPasses(s, e.passValues)
	page := exposition.NewOpenMetricsPage(w, exposition.Options{})
	for i := range p.passes {
		e.report.progress("part", i+1, len(p.passes))
		c, err := p.collect(ctx, e, i)
		if err == nil {
			err = page.Add(c)
		}
		if err != nil {
			return written{}, err
		}
	}
	left, err := page.Close()
	if err != nil {
		return written{}, err
	}
	e.report.leftOut(left.Duplicate, "samples", "their series have another one for the same time")
	e.report.leftOut(left.Invalid+left.Type, "series", "their names, labels or times cannot be written")
	return written{samples: s.selected - int64(left.Duplicate), series: int64(s.series)}, nil
}

// collect reads the samples of a pass.
func (p *plan) collect(ctx context.Context, e *exporter, pass int) (*messages.Collection, error) {
	c := &messages.Collection{}
	names := p.names(pass)
	if len(names) > messages.MaxSelectedNames {
		names = nil
	}
	for _, n := range e.nodes {
		answer := messages.NodeAnswer{Identity: n.identity}
		err := n.each(ctx, e.report, e.from, e.to, names, func(b *messages.Block) error {
			if part := p.part(n, b, pass); len(part.Families) > 0 {
				answer.Blocks = append(answer.Blocks, part)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read the samples of node %s: %w", n.identity.NodeID, err)
		}
		c.Nodes = append(c.Nodes, answer)
	}
	return c, nil
}

// part copies what a pass writes of a block.
func (p *plan) part(n *node, b *messages.Block, pass int) messages.Block {
	part := messages.Block{Times: b.Times}
	for f := range b.Each() {
		of := p.survey.families[f.Name]
		if of == nil {
			continue // It was recorded since the survey.
		}
		for i := range f.Series {
			x := f.At(i)
			k := seriesKey{n, x.Suffix, x.AllLabels()}
			if found := of.series[k]; found == nil || found.pass != pass {
				continue
			}
			name, kind, suffix := f.Name, f.Type, k.suffix
			if p.flat[of] {
				name, kind, suffix = name+suffix.String(), messages.TypeUnknown, messages.SuffixNone
			}
			if last := len(part.Families) - 1; last < 0 || part.Families[last].Name != name {
				part.Families = append(part.Families, messages.Family{Name: name, Type: kind, Help: f.Help})
			}
			to := &part.Families[len(part.Families)-1]
			values := append(make([]float64, 0, len(x.Values)), x.Values...)
			to.Series = append(to.Series, messages.Series{Suffix: suffix, Labels: k.labels, Values: values})
		}
	}
	return part
}
