package rules

import (
	"github.com/prometheus/prometheus/promql/parser"
)

// gateOf returns an expression that costs less than expr, and has a result whenever expr has one: a rule whose gate
// has none needs no more. Of "a and b" it is a, of "a unless b" too if b reads more than the newest samples, and of
// "a or b" the gates of both. It returns nil if there is none but expr itself.
func gateOf(p parser.Parser, expr parser.Expr) parser.Expr {
	// Parsed once more, since what is made of it shares its parts.
	again, err := p.ParseExpr(expr.String())
	if err != nil {
		return nil
	}
	gate, less := gated(again)
	if !less {
		return nil
	}
	return gate
}

// gated returns the gate of an expression, and whether it is less than that.
func gated(expr parser.Expr) (gate parser.Expr, less bool) {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		inner, less := gated(e.Expr)
		return &parser.ParenExpr{Expr: inner, PosRange: e.PosRange}, less
	case *parser.BinaryExpr:
		switch e.Op {
		case parser.LAND:
			gate, _ := gated(e.LHS)
			return gate, true
		case parser.LUNLESS:
			gate, less := gated(e.LHS)
			if readsPast(e.RHS) {
				return gate, true
			}
			e.LHS = gate
			return e, less
		case parser.LOR:
			left, lessLeft := gated(e.LHS)
			right, lessRight := gated(e.RHS)
			e.LHS, e.RHS = left, right
			return e, lessLeft || lessRight
		}
	}
	return expr, false
}

// readsPast reports whether an expression reads more than the newest samples.
func readsPast(expr parser.Expr) bool {
	for _, s := range selectorsOf(expr) {
		if s.from > lookback {
			return true
		}
	}
	return false
}
