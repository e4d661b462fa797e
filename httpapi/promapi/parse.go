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
	maxNesting = 5000
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
	bytes, nesting, regexps := 0, 0, 0
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
					regexps += regexpSize(s)
				}
			}
			isRegexp = item.Typ == parser.EQL_REGEX || item.Typ == parser.NEQ_REGEX
			switch {
			case nesting > maxNesting:
				return fmt.Errorf("more than the limit of %d parentheses, brackets and operators", maxNesting)
			case regexps > maxRegexps:
				return fmt.Errorf("the regular expressions have more than the limit of %d instructions", maxRegexps)
			}
		}
	}
	return nil
}

// checkTree returns an error if the expression is nested too deeply, or has too many selectors.
func checkTree(expr parser.Expr) error {
	type place struct {
		node  parser.Node
		depth int
	}
	selectors := 0
	for todo := []place{{expr, 1}}; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if at.depth > maxDepth {
			return fmt.Errorf("expressions are nested more deeply than the limit of %d", maxDepth)
		}
		if _, ok := at.node.(*parser.VectorSelector); ok {
			if selectors++; selectors > maxSelectors {
				return fmt.Errorf("more than the limit of %d selectors", maxSelectors)
			}
		}
		for child := range parser.ChildrenIter(at.node) {
			todo = append(todo, place{child, at.depth + 1})
		}
	}
	return nil
}
