package nodeconfig

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var yamlLine = regexp.MustCompile(`line \d+`)

// parseYAML parses all documents of the text. A later one overrides an earlier one. Errors
// do not quote the text.
func parseYAML(text string) (*params, error) {
	d := yaml.NewDecoder(strings.NewReader(text))
	f := &flattener{}
	for {
		var document yaml.Node
		err := d.Decode(&document)
		if errors.Is(err, io.EOF) {
			return &f.params, nil
		}
		if err != nil {
			return nil, fmt.Errorf("not valid YAML%s", atLine(err))
		}
		root := &document
		if root.Kind == yaml.DocumentNode && len(root.Content) > 0 {
			root = root.Content[0]
		}
		if root.Kind == yaml.ScalarNode && root.ShortTag() != "!!null" {
			return nil, errors.New("not KEY: VALUE, but one text")
		}
		f.yaml(field{}, root, 0)
	}
}

func atLine(err error) string {
	if line := yamlLine.FindString(err.Error()); line != "" {
		return " at " + line
	}
	return ""
}

func (f *flattener) yaml(at field, n *yaml.Node, depth int) {
	if !f.enter(depth) {
		return
	}
	switch n.Kind {
	case yaml.AliasNode:
		f.yaml(at, n.Alias, depth+1)
	case yaml.MappingNode:
		f.mapping(at, n, depth)
	case yaml.SequenceNode:
		if len(n.Content) == 0 && at.key != "" {
			f.bare(at.key, at.name, "[]")
		}
		before := ""
		for i, item := range n.Content {
			f.yaml(at.item(i, before, item.Value), item, depth+1)
			before = item.Value
		}
	case yaml.ScalarNode:
		f.scalar(at, n)
	}
}

// mapping flattens the merged mappings first, as the own entries override them.
func (f *flattener) mapping(at field, n *yaml.Node, depth int) {
	if len(n.Content) == 0 && at.key != "" {
		f.bare(at.key, at.name, "{}")
	}
	named := namedBy(at, n, depth)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k, v := n.Content[i], n.Content[i+1]; k.ShortTag() == "!!merge" {
			f.merge(field{at.key, named.name}, v, depth+1)
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case k.ShortTag() == "!!merge":
		case k.Kind != yaml.ScalarNode:
			f.omitted++
		default:
			f.yaml(at.entry(k.Value, named), v, depth+1)
		}
	}
}

// namedBy returns the field of the mapping with its name. The name may be in a mapping that
// is merged into it.
func namedBy(at field, n *yaml.Node, depth int) field {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode || depth > maxDepth {
		return at
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if v.Kind == yaml.AliasNode {
			v = v.Alias
		}
		switch {
		case k.ShortTag() == "!!merge":
			at = namedBy(at, v, depth+1)
		case v.Kind == yaml.ScalarNode:
			at = at.named(k.Value, v.Value)
		}
	}
	return at
}

// merge flattens a mapping, or a list of mappings of which an earlier one overrides a later
// one.
func (f *flattener) merge(at field, n *yaml.Node, depth int) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.SequenceNode {
		f.yaml(at, n, depth)
		return
	}
	for i := len(n.Content) - 1; i >= 0; i-- {
		f.yaml(at, n.Content[i], depth)
	}
}

// scalar keeps a number as it is written if that is valid JSON.
func (f *flattener) scalar(at field, n *yaml.Node) {
	if at.key == "" {
		return
	}
	switch tag := n.ShortTag(); {
	case tag == "!!null":
		f.bare(at.key, at.name, "null")
	case tag == "!!bool":
		f.bare(at.key, at.name, strconv.FormatBool(strings.EqualFold(n.Value, "true")))
	case (tag == "!!int" || tag == "!!float") && json.Valid([]byte(n.Value)):
		f.bare(at.key, at.name, n.Value)
	default:
		f.text(at.key, at.name, n.Value)
	}
}
