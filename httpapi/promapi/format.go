package promapi

import (
	"fmt"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// maxFormatWork bounds the bytes of the text times the square of the depth: at each depth the
// formatter of Prometheus makes all of the text that is deeper.
const maxFormatWork = 1 << 30

func (a *API) formatQuery(r *request) (result, error) {
	text := r.one("query")
	expr, err := a.parser.ParseExpr(text)
	if err != nil {
		return result{}, badParameter("query", err)
	}
	if depth := depthOf(expr); len(text)*depth*depth > maxFormatWork {
		return result{}, badParameter("query", fmt.Errorf("%d bytes nested to a depth of %d are too much to format", len(text), depth))
	}
	return result{data: expr.Pretty(0)}, nil
}

func (a *API) parseQuery(r *request) (result, error) {
	expr, err := a.parser.ParseExpr(r.one("query"))
	if err != nil {
		return result{}, badParameter("query", err)
	}
	return result{data: tree(expr)}, nil
}

// object is a JSON object.
type object = map[string]any

// tree returns an expression as the object that the user interface of Prometheus shows as a tree; nil
// if there is none. The depth of the expression is bounded, so this is recursive.
func tree(expr parser.Expr) any {
	switch n := expr.(type) {
	case *parser.AggregateExpr:
		return object{
			"type": "aggregation", "op": n.Op.String(), "expr": tree(n.Expr), "param": tree(n.Param),
			"grouping": notNil(n.Grouping), "without": n.Without,
		}
	case *parser.BinaryExpr:
		return object{
			"type": "binaryExpr", "op": n.Op.String(), "lhs": tree(n.LHS), "rhs": tree(n.RHS),
			"matching": matching(n.VectorMatching), "bool": n.ReturnBool,
		}
	case *parser.Call:
		args := make([]any, len(n.Args))
		for i, arg := range n.Args {
			args[i] = tree(arg)
		}
		return object{"type": "call", "args": args, "func": object{
			"name": n.Func.Name, "argTypes": n.Func.ArgTypes, "variadic": n.Func.Variadic, "returnType": n.Func.ReturnType,
		}}
	case *parser.MatrixSelector:
		o := selector("matrixSelector", n.VectorSelector.(*parser.VectorSelector))
		o["range"], o["rangeExpr"] = n.Range.Milliseconds(), duration(n.RangeExpr)
		return o
	case *parser.VectorSelector:
		return selector("vectorSelector", n)
	case *parser.SubqueryExpr:
		return object{
			"type": "subquery", "expr": tree(n.Expr), "range": n.Range.Milliseconds(), "rangeExpr": duration(n.RangeExpr),
			"offset": n.OriginalOffset.Milliseconds(), "offsetExpr": duration(n.OriginalOffsetExpr),
			"step": n.Step.Milliseconds(), "stepExpr": duration(n.StepExpr), "timestamp": n.Timestamp, "startOrEnd": startOrEnd(n.StartOrEnd),
		}
	case *parser.NumberLiteral:
		return object{"type": "numberLiteral", "val": strconv.FormatFloat(n.Val, 'f', -1, 64)}
	case *parser.StringLiteral:
		return object{"type": "stringLiteral", "val": n.Val}
	case *parser.ParenExpr:
		return object{"type": "parenExpr", "expr": tree(n.Expr)}
	case *parser.UnaryExpr:
		return object{"type": "unaryExpr", "op": n.Op.String(), "expr": tree(n.Expr)}
	case *parser.DurationExpr:
		return duration(n)
	default:
		return nil
	}
}

func selector(what string, n *parser.VectorSelector) object {
	matchers := make([]object, len(n.LabelMatchers))
	for i, m := range n.LabelMatchers {
		matchers[i] = matcher(m)
	}
	return object{
		"type": what, "name": n.Name, "matchers": matchers, "timestamp": n.Timestamp, "startOrEnd": startOrEnd(n.StartOrEnd),
		"offset": n.OriginalOffset.Milliseconds(), "offsetExpr": duration(n.OriginalOffsetExpr),
		"anchored": n.Anchored, "smoothed": n.Smoothed,
	}
}

func matcher(m *labels.Matcher) object {
	return object{"name": m.Name, "value": m.Value, "type": m.Type.String()}
}

func matching(m *parser.VectorMatching) any {
	if m == nil {
		return nil
	}
	return object{
		"card": m.Card.String(), "labels": notNil(m.MatchingLabels), "on": m.On, "include": notNil(m.Include),
		"fillValues": object{"lhs": m.FillValues.LHS, "rhs": m.FillValues.RHS},
	}
}

// duration returns a duration that is an expression; nil if it is a constant.
func duration(n *parser.DurationExpr) any {
	if n == nil {
		return nil
	}
	side := func(e parser.Expr) any {
		switch e := e.(type) {
		case *parser.DurationExpr:
			return duration(e)
		case *parser.NumberLiteral:
			return object{"type": "numberLiteral", "val": strconv.FormatFloat(e.Val, 'f', -1, 64), "duration": e.Duration}
		default:
			return tree(e)
		}
	}
	return object{"type": "durationExpr", "op": n.Op.String(), "lhs": side(n.LHS), "rhs": side(n.RHS), "wrapped": n.Wrapped}
}

func startOrEnd(t parser.ItemType) any {
	if t == 0 {
		return nil
	}
	return t.String()
}

// notNil returns the list, which is not null in JSON.
func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
