package promapi

import (
	"fmt"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

const (
	// liveRange is how far live queries look back: the range that is evaluated and those of its
	// selectors together.
	liveRange = 10 * time.Minute
	// defaultSubqueryStep is the step of a subquery that has none, as it is in a Prometheus
	// without a configuration.
	defaultSubqueryStep = time.Minute
	// stepSamples: each step of a subquery takes the memory of four samples, before the first
	// sample is counted.
	stepSamples = 4
	// maxSubqueryWork bounds the samples that functions read of subqueries for one series; the
	// engine does not look in between whether the query was canceled.
	maxSubqueryWork = 2e8
	// engineEnv is where the engine says that it had too many samples, in errors.
	engineEnv = "query execution"
)

// cost is what can be said of a query before it runs.
type cost struct {
	// span is how far the query looks back from its end, at most.
	span time.Duration
	// steps are those of all subqueries; work is what functions read of them for one series.
	// They can be huge.
	steps, work float64
	err         error
}

// costOf returns the cost of a statement. Its expression was preprocessed by the engine.
func costOf(s *parser.EvalStmt) cost {
	c := cost{span: s.End.Sub(s.Start)}
	lookback := time.Duration(0)
	if s.LookbackDelta > defaultLookback {
		lookback = s.LookbackDelta
	}
	steps := 1.0
	if s.Interval > 0 {
		steps += float64(c.span / s.Interval)
	}
	c.add(s.Expr, c.span, steps, lookback)
	return c
}

// add adds the cost of an expression that is evaluated at so many steps over a range. The depth
// of the expression is bounded, so this is recursive.
func (c *cost) add(node parser.Node, span time.Duration, steps float64, lookback time.Duration) {
	switch n := node.(type) {
	case *parser.StepInvariantExpr:
		span, steps = 0, 1
	case *parser.VectorSelector:
		c.look(plus(span, lookback))
	case *parser.MatrixSelector:
		c.look(plus(span, n.Range))
		return // The selector in it has no lookback.
	case *parser.SubqueryExpr:
		if n.Timestamp != nil {
			span, steps = 0, 1
		}
		step := n.Step
		if step == 0 {
			step = defaultSubqueryStep
		}
		if step < time.Millisecond {
			c.err = fmt.Errorf("the step of a subquery is %v, at least 1ms is allowed", step)
			return
		}
		span = plus(span, n.Range)
		c.look(span)
		c.work += steps * (1 + float64(n.Range)/float64(step))
		steps = 1 + float64(span)/float64(step)
		c.steps += steps
	}
	for child := range parser.ChildrenIter(node) {
		c.add(child, span, steps, lookback)
	}
}

func (c *cost) look(span time.Duration) { c.span = max(c.span, span) }

// plus adds two durations that are not negative. The sum may be too large for a duration.
func plus(a, b time.Duration) time.Duration {
	if sum := a + b; sum >= a {
		return sum
	}
	return 1<<63 - 1
}

// kind returns the kind of a query with this cost.
func (c *cost) kind() kind {
	if c.span > liveRange {
		return long
	}
	return live
}

// check returns an error if the query would take too much before the engine noticed.
func (c *cost) check(maxSamples int) error {
	switch {
	case c.err != nil:
		return c.err
	case c.steps > float64(maxSamples)/stepSamples:
		return promql.ErrTooManySamples(engineEnv)
	case c.work > maxSubqueryWork:
		return fmt.Errorf("functions would read %.3g samples of subqueries for each series, at most %.3g are allowed", c.work, maxSubqueryWork)
	default:
		return nil
	}
}
