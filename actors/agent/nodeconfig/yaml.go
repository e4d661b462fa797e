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

// parseYAML reads all documents of the text, the later ones over the earlier. An error
// does not repeat what is in it.
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
		f.yaml("", root, false, 0)
	}
}

func atLine(err error) string {
	if line := yamlLine.FindString(err.Error()); line != "" {
		return " at " + line
	}
	return ""
}

func (f *flattener) yaml(key string, n *yaml.Node, secret bool, depth int) {
	if !f.enter(depth) {
		return
	}
	switch n.Kind {
	case yaml.AliasNode:
		f.yaml(key, n.Alias, secret, depth+1)
	case yaml.MappingNode:
		f.mapping(key, n, secret, depth)
	case yaml.SequenceNode:
		if len(n.Content) == 0 && key != "" {
			f.bare(key, "[]", secret)
		}
		for i, item := range n.Content {
			f.yaml(dotted(key, strconv.Itoa(i)), item, secret, depth+1)
		}
	case yaml.ScalarNode:
		f.scalar(key, n, secret)
	}
}

// mapping takes what is merged into the mapping first: its own entries go over that.
func (f *flattener) mapping(key string, n *yaml.Node, secret bool, depth int) {
	if len(n.Content) == 0 && key != "" {
		f.bare(key, "{}", secret)
	}
	named := false
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		named = named || v.Kind == yaml.ScalarNode && namesSecret(k.Value, v.Value)
		if k.ShortTag() == "!!merge" {
			f.merge(key, v, secret, depth+1)
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case k.ShortTag() == "!!merge":
		case k.Kind != yaml.ScalarNode:
			f.left++
		default:
			f.yaml(dotted(key, k.Value), v, secret || named && isValueOfName(k.Value), depth+1)
		}
	}
}

// merge takes a mapping, or a list of them of which the earlier go over the later.
func (f *flattener) merge(key string, n *yaml.Node, secret bool, depth int) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.SequenceNode {
		f.yaml(key, n, secret, depth)
		return
	}
	for i := len(n.Content) - 1; i >= 0; i-- {
		f.yaml(key, n.Content[i], secret, depth)
	}
}

// scalar keeps the text of numbers as it was written, where JSON can say it.
func (f *flattener) scalar(key string, n *yaml.Node, secret bool) {
	if key == "" {
		return
	}
	switch tag := n.ShortTag(); {
	case tag == "!!null":
		f.bare(key, "null", secret)
	case tag == "!!bool":
		f.bare(key, strconv.FormatBool(strings.EqualFold(n.Value, "true")), secret)
	case (tag == "!!int" || tag == "!!float") && json.Valid([]byte(n.Value)):
		f.bare(key, n.Value, secret)
	default:
		f.text(key, n.Value, secret)
	}
}
