package rules

import (
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
)

// lookback is how old the newest sample of a series may be, as in Prometheus.
const lookback = 5 * time.Minute

// selector is what a rule reads: series, from one time before its evaluation to another.
type selector struct {
	matchers []*labels.Matcher
	from, to time.Duration
}

// selectorsOf returns what an expression reads. What it reads at fixed times is left out.
func selectorsOf(expr parser.Expr) (all []selector) {
	parser.Inspect(expr, func(n parser.Node, path []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok || v.Timestamp != nil {
			return nil
		}
		s := selector{matchers: v.LabelMatchers, from: v.OriginalOffset, to: v.OriginalOffset}
		if len(path) > 0 {
			if m, ok := path[len(path)-1].(*parser.MatrixSelector); ok {
				s.from += m.Range
			} else {
				s.from += lookback
			}
		}
		if len(path) == 0 {
			s.from += lookback
		}
		for _, p := range path {
			if q, ok := p.(*parser.SubqueryExpr); ok {
				if q.Timestamp != nil {
					return nil
				}
				s.from, s.to = s.from+q.OriginalOffset+q.Range, s.to+q.OriginalOffset
			}
		}
		all = append(all, s)
		return nil
	})
	return all
}

// hints are those of a query over the samples of the selector, for an evaluation at a time.
func (s *selector) hints(at time.Time) *storage.SelectHints {
	return &storage.SelectHints{Start: at.Add(-s.from).UnixMilli(), End: at.Add(-s.to).UnixMilli(), Range: (s.from - s.to).Milliseconds()}
}

// joined returns the selectors with each set of matchers once, over the time of all that have it.
func joined(all []selector) []selector {
	var distinct []selector
	for _, s := range all {
		i := slices.IndexFunc(distinct, func(d selector) bool { return sameMatchers(d.matchers, s.matchers) })
		if i < 0 {
			distinct = append(distinct, s)
			continue
		}
		d := &distinct[i]
		d.from, d.to = max(d.from, s.from), min(d.to, s.to)
	}
	return distinct
}

func sameMatchers(a, b []*labels.Matcher) bool {
	return slices.EqualFunc(a, b, func(x, y *labels.Matcher) bool {
		return x.Name == y.Name && x.Type == y.Type && x.Value == y.Value
	})
}
