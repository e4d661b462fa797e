package configfile

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// allowed is what a key of the kind may have.
var allowed = map[Kind]string{
	Text:    "must be one value",
	Bool:    "must be true or false, without quotes",
	Number:  "must be a whole number, without quotes",
	Texts:   "must be a list of texts, or one text",
	Numbers: "must be a list of whole numbers without quotes, or one of them",
	Pairs:   "must be a mapping of names to texts, or a list of NAME=TEXT",
}

// valuesOf returns the values of a key of the kind.
func valuesOf(kind Kind, n *yaml.Node) ([]Value, *Problem) {
	var items []*yaml.Node
	switch {
	case n.Kind == yaml.ScalarNode || n.Kind == yaml.AliasNode:
		items = []*yaml.Node{n}
	case n.Kind == yaml.SequenceNode && (kind == Texts || kind == Numbers || kind == Pairs):
		items = n.Content
	case n.Kind == yaml.MappingNode && kind == Pairs:
		return pairsOf(n)
	default:
		return nil, &Problem{Line: n.Line, Text: allowed[kind] + ", and is " + what(n)}
	}
	if text := unplain(n); text != "" {
		return nil, &Problem{Line: n.Line, Text: allowed[kind] + text}
	}
	if len(items) > MaxValues {
		return nil, tooMany(n)
	}
	values := make([]Value, 0, len(items))
	for _, item := range items {
		if problem := checkScalar(kind, item); problem != nil {
			return nil, problem
		}
		values = append(values, Value{item.Value, item.Line})
	}
	return values, nil
}

func tooMany(n *yaml.Node) *Problem {
	return &Problem{Line: n.Line, Text: fmt.Sprintf("has more than %d values", MaxValues)}
}

// pairsOf returns the entries of a mapping as NAME=TEXT.
func pairsOf(n *yaml.Node) (values []Value, problem *Problem) {
	if text := unplain(n); text != "" {
		return nil, &Problem{Line: n.Line, Text: allowed[Pairs] + text}
	}
	if len(n.Content) > 2*MaxValues {
		return nil, tooMany(n)
	}
	seen := map[string]bool{}
	for pair := range slices.Chunk(n.Content, 2) {
		name, text := pair[0], pair[1]
		for _, n := range pair {
			if problem := checkScalar(Pairs, n); problem != nil {
				return nil, problem
			}
			// Both would be taken for the end of a name or of a value.
			if strings.Contains(n.Value, ",") || n == name && strings.Contains(n.Value, "=") {
				return nil, &Problem{Line: n.Line, Value: &n.Value, Text: "must have no comma, and a name no ="}
			}
		}
		if seen[name.Value] {
			return nil, &Problem{Line: name.Line, Value: &name.Value, Text: "is there twice: each name is allowed once"}
		}
		seen[name.Value] = true
		values = append(values, Value{name.Value + "=" + text.Value, text.Line})
	}
	return values, nil
}

// checkScalar returns a problem unless the node is a scalar that a key of the kind may have.
func checkScalar(kind Kind, n *yaml.Node) *Problem {
	if text := unplain(n); text != "" {
		return &Problem{Line: n.Line, Text: allowed[kind] + text}
	}
	if n.Kind != yaml.ScalarNode {
		return &Problem{Line: n.Line, Text: allowed[kind] + ", and has " + what(n)}
	}
	tag := n.ShortTag()
	if tag == "!!null" {
		return &Problem{Line: n.Line, Text: `has no value: remove it, or write "" for an empty text`}
	}
	if kind == Bool && tag != "!!bool" || (kind == Number || kind == Numbers) && tag != "!!int" {
		return &Problem{Line: n.Line, Value: &n.Value, Text: allowed[kind]}
	}
	return nil
}

// unplain says which part of YAML a node uses that is not allowed: it begins with a comma. It is empty if there is none.
func unplain(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.AliasNode:
		return ", and is an alias: write the value, in quotes if it begins with *"
	case n.Anchor != "":
		return ", and has an anchor: put it in quotes if it begins with &"
	case n.Style&yaml.TaggedStyle != 0:
		return ", and has a tag: put it in quotes if it begins with !"
	}
	return ""
}

// what says what kind of node it is.
func what(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a mapping"
	case yaml.AliasNode:
		return "an alias"
	}
	return "one value"
}
