package promapi

import (
	"fmt"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/util/strutil"
)

// Limits of the text of a query. The parser and the engine are recursive, some of their work grows
// with the square of the depth, and none of it until the evaluation can be canceled.
const (
	// maxQueryBytes bounds the text, and that of all values of match[] together.
	maxQueryBytes = 128 << 10
	// maxNesting bounds the parentheses, brackets and operators, so that the parser ends in
	// about 100 ms whatever they are.
	maxNesting = 4000
	// maxDepth bounds how deep expressions are nested. An expression of n operators in a row
	// has a depth of n.
	maxDepth = 1000
	// maxSelectors bounds the selectors of a query, or the values of match[]: each holds the
	// series that it selects until the end.
	maxSelectors = 256
)

// safeParser parses what strangers send: it has bounds that the parser of Prometheus lacks.
type safeParser struct{ parser.Parser }

func newParser() safeParser { return safeParser{parser.NewParser(parser.Options{})} }

// ParseExpr implements parser.Parser.
func (p safeParser) ParseExpr(text string) (parser.Expr, error) {
	if err := checkTexts(text); err != nil {
		return nil, err
	}
	expr, err := p.Parser.ParseExpr(text)
	if err != nil {
		return nil, err
	}
	if err := checkTree(expr); err != nil {
		return nil, err
	}
	return expr, checkMadeLabels(expr)
}

// ParseMetricSelector implements parser.Parser.
func (p safeParser) ParseMetricSelector(text string) ([]*labels.Matcher, error) {
	if err := checkTexts(text); err != nil {
		return nil, err
	}
	return p.Parser.ParseMetricSelector(text)
}

// ParseMetricSelectors implements parser.Parser.
func (p safeParser) ParseMetricSelectors(texts []string) ([][]*labels.Matcher, error) {
	if err := checkTexts(texts...); err != nil {
		return nil, err
	}
	return p.Parser.ParseMetricSelectors(texts)
}

// checkTexts returns an error if it would take too much to parse the texts.
func checkTexts(texts ...string) error {
	bytes, nesting, re := 0, 0, regexps{}
	for _, text := range texts {
		if bytes += len(text); bytes > maxQueryBytes {
			return fmt.Errorf("the text has more than the limit of %d bytes", maxQueryBytes)
		}
		lexer := parser.Lex(text)
		isRegexp := false // whether a string at this place is a regular expression
		for item := (parser.Item{}); ; {
			lexer.NextItem(&item)
			if item.Typ == parser.EOF || item.Typ == parser.ERROR {
				break // The parser says what is wrong.
			}
			switch {
			case item.Typ == parser.LEFT_PAREN, item.Typ == parser.LEFT_BRACKET, item.Typ.IsOperator():
				nesting++
			case item.Typ == parser.STRING && isRegexp:
				if s, err := strutil.Unquote(item.Val); err == nil {
					if err := re.add(s); err != nil {
						return err
					}
				}
			}
			isRegexp = item.Typ == parser.EQL_REGEX || item.Typ == parser.NEQ_REGEX
			if nesting > maxNesting {
				return fmt.Errorf("more than the limit of %d parentheses, brackets and operators", maxNesting)
			}
		}
	}
	return nil
}

// checkTree returns an error if the expression is nested too deeply, or has too many selectors.
func checkTree(expr parser.Expr) error {
	depth, selectors := 0, 0
	walk(expr, func(node parser.Node, at int) {
		depth = max(depth, at)
		if _, ok := node.(*parser.VectorSelector); ok {
			selectors++
		}
	})
	switch {
	case depth > maxDepth:
		return fmt.Errorf("expressions are nested more deeply than the limit of %d", maxDepth)
	case selectors > maxSelectors:
		return fmt.Errorf("more than the limit of %d selectors", maxSelectors)
	default:
		return nil
	}
}

func depthOf(expr parser.Expr) (depth int) {
	walk(expr, func(_ parser.Node, at int) { depth = max(depth, at) })
	return depth
}

// walk calls visit for each part of an expression, with its depth. It is not recursive, so that
// the depth does not matter.
func walk(expr parser.Expr, visit func(node parser.Node, depth int)) {
	type place struct {
		node  parser.Node
		depth int
	}
	for todo := []place{{expr, 1}}; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		visit(at.node, at.depth)
		for child := range parser.ChildrenIter(at.node) {
			todo = append(todo, place{child, at.depth + 1})
		}
	}
}
