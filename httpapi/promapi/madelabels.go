package promapi

import (
	"fmt"

	"github.com/prometheus/prometheus/promql/parser"
)

// label_replace and label_join can double a label's value, and be nested. The engine knows no
// limit for that, and does not ask in between whether the query was canceled.
const (
	// maxMadeLabelBytes bounds what a query makes of each series' labels, if each label has
	// usualLabelBytes.
	maxMadeLabelBytes = 8 << 10
	usualLabelBytes   = 64
	// maxReplaceWork bounds what it takes to match the regular expression of a label_replace:
	// its instructions, those of its groups once more, times the bytes of what it is applied to.
	maxReplaceWork = 128 << 10
)

// checkMadeLabels returns an error if the query makes too much of the labels of a series. The
// depth of the expression is bounded, so this is recursive.
func checkMadeLabels(expr parser.Expr) error {
	_, err := madeLabels(expr)
	return err
}

// labelBytes is how long the values of labels that a query makes can be, by name.
type labelBytes map[string]int

func (l labelBytes) of(name string) int {
	if n, ok := l[name]; ok {
		return n
	}
	return usualLabelBytes
}

// set notes a label's length. What the label was before may be still there.
func (l labelBytes) set(name string, bytes int) error {
	l[name] = max(bytes, l.of(name))
	all := 0
	for _, n := range l {
		all += n
	}
	if all > maxMadeLabelBytes {
		return fmt.Errorf("label_replace and label_join may make labels of %d bytes or more, at most %d are allowed", all, maxMadeLabelBytes)
	}
	return nil
}

func madeLabels(node parser.Node) (labelBytes, error) {
	made := labelBytes{}
	for child := range parser.ChildrenIter(node) {
		below, err := madeLabels(child)
		if err != nil {
			return nil, err
		}
		if len(below) > len(made) {
			made, below = below, made
		}
		for name, bytes := range below {
			if err := made.set(name, bytes); err != nil {
				return nil, err
			}
		}
	}
	call, ok := node.(*parser.Call)
	if !ok {
		return made, nil
	}
	switch args := stringArgs(call); {
	case call.Func.Name == "label_replace" && len(args) == 4:
		dst, replacement, src, re := args[0], args[1], args[2], args[3]
		all := regexps{}
		if err := all.add(re); err != nil {
			return nil, err
		}
		if work := (len(re) + all.repeated + all.captures) * made.of(src); work > maxReplaceWork {
			return nil, fmt.Errorf("the regular expression of label_replace takes %d instructions a series, at most %d are allowed", work, maxReplaceWork)
		}
		times, bytes := references(re, replacement)
		return made, made.set(dst, times*made.of(src)+bytes)
	case call.Func.Name == "label_join" && len(args) >= 2:
		bytes := 0
		for _, src := range args[2:] {
			bytes += made.of(src) + len(args[1])
		}
		return made, made.set(args[0], bytes)
	}
	return made, nil
}

// stringArgs returns the arguments of a function after the first one, if they are strings.
func stringArgs(call *parser.Call) []string {
	var texts []string
	for i, arg := range call.Args {
		for paren, ok := arg.(*parser.ParenExpr); ok; paren, ok = arg.(*parser.ParenExpr) {
			arg = paren.Expr
		}
		if s, ok := arg.(*parser.StringLiteral); ok && i > 0 {
			texts = append(texts, s.Val)
		}
	}
	return texts
}
